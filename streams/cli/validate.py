"""``driftline validate``: what is wrong with a log, before anything is learned from it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from streams.cli import Invocation
    from streams.logs import LogOptions
    from streams.settings import QualitySettings
    from streams.validation import Example, Report

STYLES = {"PASS": "green", "WARN": "yellow", "FAIL": "bold red"}


@click.command("validate", short_help="Check the quality of a recorded log.")
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@click.option("--content", metavar="FILE", help="Content metadata of the titles.")
@click.option(
    "--map",
    "assignments",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Name of a field's column in the log; may be repeated.",
)
@click.option("--format", "log_format", help="Format, where the file name does not tell it.")
@click.option("--rating-min", type=float, help="Lowest rating of the scale.")
@click.option("--rating-max", type=float, help="Highest rating of the scale.")
@click.option("--allowed-lateness-s", type=float, help="Allowed lag behind the watermark.")
@click.option("--allowed-future-s", type=float, help="Allowed lead over the watermark.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    logs: tuple[str, ...],
    content: str | None,
    assignments: tuple[str, ...],
    log_format: str | None,
    as_json: bool,
    **quality: float | None,
) -> None:
    """Check the quality of a recorded log; every check is a PASS, a WARN or a FAIL.

    LOG is a file, a folder, or - for standard input. The exit code is 1 when a check fails. Dead
    letters fail above 1 % of the records and repairs above 50 % of the events; an optional column
    that the log does not have never fails.
    """
    import msgspec

    from streams.columns import parse_column_map
    from streams.logs import LogOptions

    invocation: Invocation = context.obj
    settings = invocation.load({f"quality.{name}": flag for name, flag in quality.items()}).settings
    options = LogOptions(
        column_map=parse_column_map(assignments),
        format=log_format,
        batch_size=settings.replay.batch_size,
        max_bytes=settings.quality.max_event_bytes,
    )
    report = checked(logs, options, settings.quality, content=content)
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        _print(report)
    context.exit(1 if report.status == "FAIL" else 0)


def checked(
    logs: tuple[str, ...], options: LogOptions, settings: QualitySettings, *, content: str | None
) -> Report:
    """Read the logs once and return what the checks say."""
    from contextlib import suppress

    from streams.catalogue import Catalogue
    from streams.logs import read_content, read_log
    from streams.quality import QualityGate
    from streams.textlog import EmptyInputError
    from streams.validation import Validation

    catalogue = Catalogue(settings.max_titles)
    validation = Validation(QualityGate(settings, catalogue), catalogue)
    if content is not None:
        validation.take_content(read_content(content, options))
    with suppress(EmptyInputError):  # the check of the volume says it
        for batch in read_log(logs, options=options):
            validation.take(batch)
    return validation.report()


def _print(report: Report) -> None:
    from monitoring.tables import new_console

    console = new_console(sys.stdout)
    console.print(_checks(report))
    examples = [
        f"{check.name}{place(example)}: {example.error}"
        for check in report.checks
        for example in check.examples
    ]
    if examples:
        console.print("\nExamples", style="bold")
        console.print("\n".join(examples), soft_wrap=True)
    accepted = f"{report.accepted:,} of {report.records:,} records accepted"
    console.print(f"\n{report.status}  {accepted}", style=STYLES[report.status])


def _checks(report: Report) -> Table:
    from rich.table import Table
    from rich.text import Text

    from monitoring.formats import percent

    table = Table("", "check", "found", "share", "what it is", box=None, pad_edge=False)
    for column in table.columns[2:4]:
        column.justify = "right"
    for check in report.checks:
        status = Text(check.status, STYLES[check.status])
        count, share = f"{check.count:,}", percent(check.share)
        table.add_row(status, check.name, count, share, check.meaning)
    return table


def place(example: Example) -> str:
    """Return where the example is, for the end of the check's name."""
    from monitoring.formats import printable

    file = f", {printable(example.file)}" if example.file else ""
    return file if example.line is None else f"{file}, line {example.line}"
