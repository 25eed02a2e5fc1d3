"""``driftline report``: a run over a recorded log as one HTML file."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.cli.options import QUALITY_FLAGS, reads_logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitoring.report.history import History
    from streams.cli import Invocation
    from streams.observing import Observers
    from streams.run import Plan, Result
    from streams.truth import PlantedChange

BATCH_SIZE = 512
"""Records noted together, at most: what a short log shows along its way depends on it."""
INTERRUPTED = 130
_File = click.Path(dir_okay=False, path_type=Path)


@click.command("report", short_help="Replay a log and show what came of it as one HTML file.")
@reads_logs
@click.option("--out", default="report.html", show_default=True, type=_File, help="Where to.")
@click.option("--truth", type=_File, help="What was planted into the log: truth.jsonl.")
@click.option("--user", "users", multiple=True, metavar="ID", help="An example; may be repeated.")
@click.option("--limit", type=click.IntRange(min=0), help="Read at most so many records.")
@click.option("--sort", "is_sorted", is_flag=True, help="Sort the log by time first, in memory.")
@click.option("--partitions", type=int, help="Split the log by user as a topic would.")
@click.option("--k", type=int, help="Length of a list.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Replay a recorded log and write what came of it as one HTML file.

    The file needs nothing else: no network, no scripts. It has the quality of lists along the log
    beside the baselines, for whom they are good, drift, data quality, example users with reasons,
    what the model weighs, and speed. It names users and titles of the log. replay --report writes
    the same beside its other outputs.
    """
    from streams.cli.replay import ran
    from streams.observing import Observers
    from streams.truth import read_truth

    planted = None if given["truth"] is None else read_truth(given["truth"])
    plan, observers = _plan(context.obj, given), Observers()
    history = noting(observers)
    result = ran(plan, observers, is_quiet=given["quiet"])
    for note in result.notes:
        click.echo(note, err=True)
    write_report(plan, result, history, planted=planted, users=given["users"])
    click.echo(given["out"])
    context.exit(INTERRUPTED if result.is_interrupted else 0)


def noting(observers: Observers) -> History:
    """Return what notes a run for its report, one of its observers from now on."""
    from monitoring.report.history import History

    history = History()
    observers.observers.append(history)
    return history


def reported(plan: Plan, path: str | Path) -> Plan:
    """Return a plan of which a report is written: the same results, noted finely enough."""
    import msgspec

    replay = plan.settings.replay
    finer = msgspec.structs.replace(replay, batch_size=min(replay.batch_size, BATCH_SIZE))
    settings = msgspec.structs.replace(plan.settings, replay=finer)
    return msgspec.structs.replace(plan, settings=settings, beside=(*plan.beside, str(path)))


def write_report(
    plan: Plan,
    result: Result,
    history: History,
    *,
    planted: Sequence[PlantedChange] | None = None,
    users: Sequence[str] = (),
) -> None:
    """Write the report of a run to the last file that its plan has beside it.

    Raises
    ------
    InputError
        It cannot be written; what had the name before is kept.
    """
    from monitoring.report.page import html
    from streams.cli.report_values import report_of

    page = html(report_of(plan, result, history, planted=planted, users=users))
    path = Path(plan.beside[-1])
    with _refusing(path):
        _write(path, page)
    result.files["report"] = str(path)


def _write(path: Path, page: bytes) -> None:
    from streams.complete_files import complete_file

    if path.exists() and not path.is_file():  # a device or a pipe, which nothing may replace
        with path.open("wb") as file:
            file.write(page)
        return
    with complete_file(path) as file:
        file.write(page)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    from streams.errors import InputError

    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror}") from error


def _plan(invocation: Invocation, given: dict[str, Any]) -> Plan:
    from streams.columns import parse_column_map
    from streams.run import Plan

    flags = {f"quality.{name}": given[name] for name in QUALITY_FLAGS}
    flags |= {"engine.k": given["k"], "replay.partitions": given["partitions"]}
    plan = Plan(
        logs=given["logs"],
        settings=invocation.load(flags).settings,
        column_map=parse_column_map(given["assignments"]),
        log_format=given["log_format"],
        content=given["content"],
        limit=given["limit"],
        is_sorted=given["is_sorted"],
    )
    return reported(plan, given["out"])
