"""The command line: a table of commands whose modules are imported when they are called.

``driftline --help`` answers without importing any command, so numba and River cost nothing until
they are needed. The ``command`` of a module gets the :class:`Invocation` by ``@click.pass_obj``.
A :class:`~streams.errors.DriftlineError` from anywhere below becomes ``Error: <sentence>`` on
standard error and exit code 2.
"""

from __future__ import annotations

import difflib
import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from streams.errors import DriftlineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.settings_sources import Loaded


class Command(NamedTuple):
    """Where a command lives and what it is for, in one line."""

    module: str
    help: str


COMMANDS = {
    "demo": Command("streams.cli.demo", "Show it at work on real data, without a broker."),
    "replay": Command("streams.cli.replay", "Learn from a recorded log and judge every list."),
    "report": Command("streams.cli.report", "Show what came of a log as one HTML file."),
    "validate": Command("streams.cli.validate", "Check the quality of a recorded log."),
    "drift": Command("streams.cli.drift", "List the drift episodes of a run, or draw them."),
    "drift-bench": Command("streams.cli.drift_bench", "Compare detectors of drift on known truth."),
    "recommend": Command("streams.cli.recommend", "Recommend to one user from a snapshot."),
    "simulate": Command("streams.cli.simulate", "Write a log of simulated users with tastes."),
    "topics": Command("streams.cli.topics", "Make, check and show the topics."),
    "worker": Command("streams.cli.worker", "Consume views and write recommendations."),
    "publish": Command("streams.cli.publish", "Publish a recorded log to the topics."),
    "tail": Command("streams.cli.tail", "Show what the workers write, as they write it."),
    "dead-letter": Command("streams.cli.dead_letter", "Look at refused views and replay them."),
    "reset": Command("streams.cli.reset", "Set where the workers read on."),
    "snapshot": Command("streams.cli.snapshot", "Look at saved state, or hand over a replay's."),
    "forget": Command("streams.cli.forget", "Take a person out of state and output."),
    "config": Command("streams.cli.config", "Show the settings in effect."),
}


class Invocation(NamedTuple):
    """What was said before the name of the command."""

    config: Path | None = None
    overrides: Mapping[str, str] = {}

    def load(self, flags: Mapping[str, object] | None = None) -> Loaded:
        """Read the settings; a command's own flags win over ``--set``.

        Parameters
        ----------
        flags
            Values by dotted name, such as ``{"replay.batch_size": batch_size}``; ``None`` stands
            for a flag that was not given.
        """
        from streams.settings_sources import load

        own = {name: value for name, value in (flags or {}).items() if value is not None}
        return load(environ=os.environ, config=self.config, flags={**self.overrides, **own})


class Refusal(click.ClickException):
    """A request that cannot be carried out as it was made."""

    exit_code = 2


class LazyGroup(click.Group):
    """A group that knows its commands by :data:`COMMANDS` and imports the one invoked."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        near = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if near and args[0] not in COMMANDS:
            ctx.fail(f"No such command {args[0]!r}; did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DriftlineError as error:
            raise Refusal(str(error)) from error


def load_command(name: str) -> click.Command:
    """Import the module of a command and give the command.

    Raises
    ------
    Refusal
        The module is not part of this installation.
    """
    module = COMMANDS[name].module
    try:
        command = importlib.import_module(module).command
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise Refusal(f"the command {name!r} is not part of this installation") from error
    if not isinstance(command, click.Command):
        raise TypeError(f"{module}.command is not a click command")
    return command


def _overrides(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not equals:
            raise click.BadParameter(f"{name!r} is not SECTION.NAME=VALUE", ctx, param)
    return {name.strip(): text for name, _, text in pairs}


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"driftline {version('driftline')}")
        ctx.exit()


def _start_logging(n_verbose: int) -> None:
    import logging

    level = logging.INFO if n_verbose == 1 else logging.DEBUG
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file (TOML); else $DRIFTLINE_CONFIG, else ./driftline.toml.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="SECTION.NAME=VALUE",
    callback=_overrides,
    help="Give one setting; may be repeated.",
)
@click.option("-v", "--verbose", count=True, help="Log what happens; -vv logs details.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.pass_context
def main(ctx: click.Context, config: Path | None, overrides: dict[str, str], verbose: int) -> None:
    """Recommendations that learn from every view."""
    if verbose:
        _start_logging(verbose)
    ctx.obj = Invocation(config, overrides)
