"""``driftline replay``: learn from a recorded log and judge every list before learning."""

from __future__ import annotations

import difflib
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from streams.cli.options import QUALITY_FLAGS, reads_logs
from streams.cli.report import noting, reported, write_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitoring.progress import Progress
    from streams.cli import Invocation
    from streams.observing import Observers
    from streams.rules import Assertion
    from streams.run import Plan, Result

INTERRUPTED = 130
STEP_S = 60.0
"""Event time between samples of ``--openmetrics``: dashboards see a minute."""
PASSED_ON = (
    "logs",
    "log_format",
    "content",
    "limit",
    "is_sorted",
    "output",
    "trace",
    "dead_letters",
    "drift",
    "series",
    "snapshot_to",
    "snapshot_every",
    "resume",
)


@click.command("replay", short_help="Learn from a recorded log and judge every list.")
@reads_logs
@click.option("--from", "begin", metavar="TIME", help="First event time: a date, or +2d, +12h.")
@click.option("--to", "end", metavar="TIME", help="Event time to stop before.")
@click.option("--limit", type=click.IntRange(min=0), help="Read at most so many records.")
@click.option("--sort", "is_sorted", is_flag=True, help="Sort the log by time first, in memory.")
@click.option("--partitions", type=int, help="Split the log by user as a topic would.")
@click.option("--k", type=int, help="Length of a list.")
@click.option("--protocol", type=click.Choice(["fresh", "served"]), help="Which list is judged.")
@click.option("--positive", metavar="RULE", help='Views that count as success: "rating >= 4".')
@click.option("--output", metavar="FILE", help="Write a recommendation record an event.")
@click.option("--trace", metavar="FILE", help="Write how each event was judged.")
@click.option("--dead-letters", metavar="FILE", help="Write the refused records.")
@click.option("--drift", metavar="FILE", help="Write drift episodes as they come and go.")
@click.option("--series", metavar="FILE.csv", help="Write the quality by window.")
@click.option("--report", metavar="FILE.html", help="Show it all on a page, as report does.")
@click.option("--snapshot-to", metavar="DIR", help="Save the state at the end, or on Ctrl-C.")
@click.option("--snapshot-every", type=click.IntRange(min=1), help="And every so many records.")
@click.option("--resume", metavar="DIR", help="Continue from the newest snapshot in DIR.")
@click.option("--serve-metrics", metavar="[HOST]:PORT", help="Serve metrics while it runs.")
@click.option("--openmetrics", metavar="FILE", help="Write metrics at event times, for promtool.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--assert",
    "assertions",
    multiple=True,
    metavar="NAME>=NUMBER",
    help="Exit with 1 unless it holds, such as recall@10>=0.19; may be repeated.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Learn from every view of a recorded log; judge each list before learning.

    LOG is a file (JSONL, CSV, TSV or Parquet, also .gz or .zst), a folder, or - for standard
    input. Refused records are counted, and written by --dead-letters; they do not change the exit
    code. --trace, --output, --dead-letters and --drift write JSON lines, compressed when their name
    ends in .gz or .zst. With --resume, a run goes on where its snapshot was taken and appends to
    nothing: name new files for its outputs.
    """
    from streams.rules import parse_assertion

    assertions = [parse_assertion(text) for text in given["assertions"]]
    plan, show = _plan(context.obj, given), _print_json if given["as_json"] else print_tables
    # What is written at the end may fail; the result is shown all the same.
    with ExitStack() as stack:
        observers = _observers(plan, given, stack)
        history = noting(observers) if given["report"] else None
        result = ran(plan, observers, is_quiet=given["quiet"])
        try:
            if history is not None:
                write_report(plan, result, history)
        finally:
            show(result)
    failures = [text for a in assertions if (text := failure(a, result.summary))]
    for text in failures:
        click.echo(f"Assertion failed: {text}", err=True)
    if result.is_interrupted:
        click.echo(_interrupted(plan), err=True)
    context.exit(INTERRUPTED if result.is_interrupted else int(bool(failures)))


def _plan(invocation: Invocation, given: Mapping[str, Any]) -> Plan:
    from streams.columns import parse_column_map
    from streams.run import Plan
    from streams.timebounds import Window, parse_time_bound

    flags = {f"quality.{name}": given[name] for name in QUALITY_FLAGS}
    flags |= {f"engine.{name}": given[name] for name in ("k", "protocol", "positive")}
    flags["replay.partitions"] = given["partitions"]
    begin, end = (given[name] and parse_time_bound(given[name]) for name in ("begin", "end"))
    plan = Plan(
        settings=invocation.load(flags).settings,
        column_map=parse_column_map(given["assignments"]),
        window=Window(begin, end),
        observe_every_s=STEP_S if given["openmetrics"] else None,
        **{name: given[name] for name in PASSED_ON},
    )
    return reported(plan, given["report"]) if given["report"] else plan


def ran(plan: Plan, observers: Observers, *, is_quiet: bool) -> Result:
    """Carry out a plan while others watch, with a display of its progress unless it is quiet."""
    from streams.run import run

    if is_quiet:
        return run(plan, observers if observers.observers else None)
    with show_progress(plan) as progress:
        observers.observers.append(progress)
        return run(plan, observers)


def _observers(plan: Plan, given: Mapping[str, Any], stack: ExitStack) -> Observers:
    """Return who watches beside the display: whoever scrapes, and a file."""
    from streams.cli.watching import backfill_of, exporter_at, new_metrics, parse_address
    from streams.observing import Observers

    observers = Observers()
    if not (given["serve_metrics"] or given["openmetrics"]):
        return observers
    metrics = new_metrics(plan.settings, observers)
    observers.observers.append(metrics)
    if given["serve_metrics"]:
        address = parse_address(given["serve_metrics"])
        within_s = plan.settings.monitoring.healthy_within_s
        exporter = stack.enter_context(exporter_at(metrics, address, healthy_within_s=within_s))
        click.echo(f"Metrics: {exporter.address}/metrics", err=True)
    if given["openmetrics"]:
        backfill = backfill_of(metrics, given["openmetrics"], step_s=STEP_S)
        observers.observers.append(stack.enter_context(backfill))
    return observers


def show_progress(plan: Plan) -> Progress:
    """Return the display of a plan's progress, on standard error."""
    from monitoring.progress import Progress
    from streams.replay_watch import RECENT

    return Progress(sys.stderr, k=plan.settings.engine.k, n_recent=RECENT)


def failure(assertion: Assertion, summary: Mapping[str, Any]) -> str | None:
    """Return why an assertion does not hold, None when it does.

    Raises
    ------
    SettingsError
        The summary has no such number.
    """
    from streams.errors import SettingsError

    numbers = dict(flat(summary))
    if assertion.name not in numbers:
        near = difflib.get_close_matches(assertion.name, numbers, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "replay --json shows them all"
        raise SettingsError(f"no number {assertion.name!r} to assert; {hint}")
    measured = numbers[assertion.name]
    if measured is not None and assertion.holds(measured):
        return None
    return f"{assertion.name} is {measured}, not {assertion.comparison} {assertion.value:g}"


def flat(summary: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float | None]]:
    """Yield the numbers of a summary under dotted names."""
    for name, value in summary.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        elif value is None or isinstance(value, int | float):
            yield f"{prefix}{name}", value


def _print_json(result: Result) -> None:
    import orjson

    click.echo(orjson.dumps(result.summary, option=orjson.OPT_SERIALIZE_NUMPY))
    for note in result.notes:
        click.echo(note, err=True)


def print_tables(result: Result) -> None:
    """Print what a run gave for people."""
    from monitoring import drift_tables, tables

    console, summary = tables.new_console(sys.stdout), result.summary
    tables.print_scores(console, summary)
    tables.print_data_quality(console, summary["quality"], summary["records"])
    if summary["drift"] is not None:
        drift_tables.print_summary(console, summary["drift"])
    tables.print_speed(
        console,
        n_events=summary["records"],
        elapsed_s=summary["elapsed_s"],
        events_per_s=summary["events_per_s"],
        peak_rss_bytes=summary["peak_rss_bytes"],
    )
    if result.files:
        tables.print_files(console, result.files)
    for note in result.notes:
        click.echo(note, err=True)


def _interrupted(plan: Plan) -> str:
    if plan.snapshot_to is None:
        return "Interrupted; nothing saved. With --snapshot-to DIR a run can be resumed."
    return f"Interrupted; the state is saved. Go on with --resume {plan.snapshot_to}"
