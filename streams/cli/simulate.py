"""``driftline simulate``: write a simulated log with its catalogue, or change a recorded one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from streams.scenarios import Scenario

SIZES = ("n_events", "n_users", "n_titles", "days")


def _print_scenarios(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if not is_asked or context.resilient_parsing:
        return
    from streams.cli.columns import print_columns
    from streams.scenarios import NAMED

    print_columns(("name", "what happens"), [(each.name, each.about) for each in NAMED.values()])
    context.exit()


@click.command("simulate", short_help="Write a simulated log and its catalogue.")
@click.option("--events", "n_events", default=100_000, show_default=True, help="Views to write.")
@click.option("--users", "n_users", default=2_000, show_default=True, help="People who watch.")
@click.option("--titles", "n_titles", default=2_000, show_default=True, help="Titles to watch.")
@click.option("--days", default=30, show_default=True, help="Days the log covers.")
@click.option("--seed", default=0, show_default=True, help="The same seed writes the same log.")
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for events.jsonl, content.jsonl and truth.jsonl.",
)
@click.option(
    "--compress",
    "compression",
    default="none",
    show_default=True,
    type=click.Choice(["none", "gz", "zst"]),
    callback=lambda _, __, kind: "" if kind == "none" else kind,
    help="Compression of the events.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@click.option(
    "--scenario",
    "scenario_name",
    metavar="NAME|FILE.toml",
    help="Changes to plant; truth.jsonl says where they are.",
)
@click.option(
    "--scenarios",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_scenarios,
    help="List the scenarios that have a name, and exit.",
)
@click.option("--at", metavar="BOUND", help="Begin of the change: 0.4, 50000 or a time.")
@click.option("--strength", type=float, help="Strength of the change, up to 1.")
@click.option("--scope", metavar="SCOPE", help="Scope of the change, such as genre:Drama.")
@click.option("--perturb", "log", metavar="LOG", help="Plant into this log, simulating none.")
@click.option("--content", metavar="FILE", help="Content metadata of the titles of that log.")
@click.option(
    "--map",
    "assignments",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Name of a field's column in that log; may be repeated.",
)
@click.option(
    "--format",
    "log_format",
    type=click.Choice(["jsonl", "csv", "tsv", "parquet"]),
    help="Format of that log, where the file name does not tell it.",
)
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Write a log of views by simulated people with tastes, and its catalogue.

    People watch in sessions with a daily and weekly rhythm, titles age and new ones arrive, watch
    time and ratings follow taste. The log is in the order of time and never held in memory. With
    --scenario something changes in it, and truth.jsonl says what and where; --scenarios lists
    those that have a name. With --perturb it is planted into a recorded log instead.
    """
    from streams.errors import SettingsError

    scenario = _scenario(given)
    if given["log"] is not None:
        _refuse_given(context, SIZES, "has no meaning with --perturb")
        if scenario is None:
            raise SettingsError("--perturb needs a --scenario to plant")
        _perturb(scenario, given)
    else:
        _refuse_given(context, ("content", "assignments", "log_format"), "goes with --perturb")
        _simulate(scenario, given)


def _scenario(given: dict[str, Any]) -> Scenario | None:
    from streams.errors import SettingsError
    from streams.scenarios import overridden, scenario_of

    if given["scenario_name"] is None:
        for name in ("at", "strength", "scope"):
            if given[name] is not None:
                raise SettingsError(f"--{name} changes a --scenario, and none is named")
        return None
    scenario = scenario_of(given["scenario_name"])
    at = None if given["at"] is None else _bound(given["at"])
    return overridden(scenario, at=at, strength=given["strength"], scope=given["scope"])


def _bound(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _refuse_given(context: click.Context, names: tuple[str, ...], why: str) -> None:
    from click.core import ParameterSource

    from streams.errors import SettingsError

    for parameter in context.command.params:
        is_given = context.get_parameter_source(parameter.name or "") not in (
            None,
            ParameterSource.DEFAULT,
        )
        if parameter.name in names and is_given:
            raise SettingsError(f"{parameter.opts[0]} {why}")


def _simulate(scenario: Scenario | None, given: dict[str, Any]) -> None:
    from models.world import World, WorldSettings
    from streams.errors import SettingsError
    from streams.planting import Planting
    from streams.simulator import SimulatedLog, check_request, write_scenario, write_simulation

    sizes = {name: given[name] for name in (*SIZES[1:], "seed")}
    try:
        settings = WorldSettings(**sizes)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    n_events = given["n_events"]
    check_request(settings, n_events)
    log = SimulatedLog.in_folder(given["folder"], given["compression"])
    planting = None if scenario is None else Planting.of(scenario, settings, n_events)
    with click.progressbar(length=n_events, label="simulating", file=sys.stderr) as bar:
        how: dict[str, Any] = {"overwrite": given["force"], "progress": bar.update}
        if planting is None:
            write_simulation(World(settings), n_events, log, **how)
        else:
            write_scenario(planting, log, **how)
    click.echo(f"{log.events}\n{log.content}")
    if planting is not None:
        click.echo(log.truth)


def _perturb(scenario: Scenario, given: dict[str, Any]) -> None:
    from streams.columns import parse_column_map
    from streams.logs import LogOptions
    from streams.perturbing import Perturbation, Recorded, write_perturbed
    from streams.simulator import SimulatedLog

    options = LogOptions(parse_column_map(given["assignments"]), given["log_format"])
    recorded = Recorded([given["log"]], options, given["content"])
    perturbation = Perturbation.of(recorded, scenario, given["seed"])
    log = SimulatedLog.in_folder(given["folder"], given["compression"])
    n_records = perturbation.survey.n_events
    with click.progressbar(length=n_records, label="perturbing", file=sys.stderr) as bar:
        write_perturbed(perturbation, log, overwrite=given["force"], progress=bar.update)
    click.echo(f"{log.events}\n{log.truth}")
