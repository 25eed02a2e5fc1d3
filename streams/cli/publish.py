"""``driftline publish``: a recorded log into the topics."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.cli import Invocation
    from streams.logs import LogOptions
    from streams.publishing import Pace, Publisher, Tally
    from streams.settings import Settings

INTERRUPTED = 130
_TICK_S = 5.0
# What Kafka adds to a record: the head of its batch and the lengths of its parts.
_FRAME_BYTES = 1_024


@click.command("publish", short_help="Publish a recorded log to the topics.")
@click.argument("logs", nargs=-1, metavar="[LOG]...")
@click.option("--content", metavar="FILE", help="Content metadata, published before the views.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Views a second.")
@click.option(
    "--pace",
    "factor",
    type=click.FloatRange(min=0, min_open=True),
    metavar="FACTOR",
    help="At the pace of the log's own times, so many times faster: 1 is as it was.",
)
@click.option(
    "--map",
    "assignments",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Name of a field's column in the log; may be repeated.",
)
@click.option(
    "--format",
    "log_format",
    type=click.Choice(["jsonl", "csv", "tsv", "parquet"]),
    help="Format, where the file name does not tell it.",
)
@click.option("--sort", "is_sorted", is_flag=True, help="Sort the log by time first, in memory.")
@click.option("--raw", "is_raw", is_flag=True, help="Publish the lines of a JSONL log as they are.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    context: click.Context,
    *,
    logs: tuple[str, ...],
    content: str | None,
    rate: float | None,
    factor: float | None,
    assignments: tuple[str, ...],
    log_format: str | None,
    is_sorted: bool,
    is_raw: bool,
    quiet: bool,
) -> None:
    """Publish recorded views, and titles, to the topics of the settings.

    LOG is a file (JSONL, CSV, TSV or Parquet, also .gz or .zst), a folder, or - for standard
    input. Without --rate and --pace it goes as fast as the brokers take it. Each view is written
    as canonical JSON under its user's id, in the partition that a Java client would choose;
    records that cannot be decoded are skipped and counted. With --raw every line goes out byte
    for byte, those that cannot be decoded without a key, as a broken producer would send them.

    Nothing is remembered: publishing a log twice writes its views twice. Ctrl-C waits a moment for
    what is on its way, says how many records were delivered and exits with 130.
    """
    from streams.columns import parse_column_map
    from streams.errors import SettingsError
    from streams.logs import LogOptions
    from streams.topics import RECORD_BYTES

    if not logs and content is None:
        raise SettingsError("nothing to publish: name a LOG, or titles by --content FILE")
    if rate is not None and factor is not None:
        raise SettingsError("--rate and --pace are two ways to say the same; keep one")
    invocation: Invocation = context.obj
    settings = invocation.load().settings
    # A raw line may be as long as a topic takes, to be refused by the worker and not here.
    limit = RECORD_BYTES - _FRAME_BYTES if is_raw else settings.quality.max_event_bytes
    options = LogOptions(
        column_map=parse_column_map(assignments),
        format=log_format,
        batch_size=settings.replay.batch_size,
        max_bytes=limit,
    )
    job = Job(settings, options, is_raw=is_raw, is_sorted=is_sorted, is_quiet=quiet)
    context.exit(job.run(logs, content, _pace(rate, factor)))


def _pace(rate: float | None, factor: float | None) -> Pace | None:
    from streams.publishing import LogsOwn, Steady

    if rate is not None:
        return Steady(rate)
    return None if factor is None else LogsOwn(factor)


class Job:
    """One run of the command."""

    def __init__(
        self,
        settings: Settings,
        options: LogOptions,
        *,
        is_raw: bool,
        is_sorted: bool,
        is_quiet: bool,
    ) -> None:
        from streams.kafka import Producer
        from streams.kafka_clients import plain_producer_properties
        from streams.stop import Stop

        self.settings = settings
        self.options = options
        self.is_raw = is_raw
        self.is_sorted = is_sorted
        self.is_quiet = is_quiet
        self.stop = Stop()
        self.producer = Producer(plain_producer_properties(settings.kafka))

    def run(self, logs: tuple[str, ...], content: str | None, pace: Pace | None) -> int:
        """Publish, and return the exit code."""
        from streams.cli.brokers import admin_of
        from streams.publishing import Publisher

        names = self.settings.topics
        topics = [names.content] * (content is not None) + [names.views] * bool(logs)
        admin_of(self.settings).existing(topics)
        with self.stop.on_signals():
            if content is not None:
                titles = Publisher(self.producer, names.content, self.stop)
                self._publish_content(titles, content)
            if logs and not self.stop.is_asked:
                views = Publisher(self.producer, names.views, self.stop, pace=pace)
                self._publish_views(views, logs)
        return INTERRUPTED if self.stop.is_asked else 0

    def _publish_content(self, publisher: Publisher, content: str) -> None:
        from streams.logs import read_content

        n_before = self.producer.n_delivered
        try:
            publisher.take_content(read_content(content, self.options))
            publisher.finish()
        finally:
            self._say(publisher, "titles", n_before)

    def _publish_views(self, publisher: Publisher, logs: tuple[str, ...]) -> None:
        from streams.logs import read_log
        from streams.sorting import sorted_log

        n_before = self.producer.n_delivered
        ticker = Ticker(self.is_quiet)
        batches = (sorted_log if self.is_sorted else read_log)(logs, options=self.options)
        try:
            for batch in self.stop.between(batches):
                publisher.take_views(batch, is_raw=self.is_raw)
                ticker.tick(publisher.tally, batch.share)
            publisher.finish()
        finally:
            self._say(publisher, "views", n_before)

    def _say(self, publisher: Publisher, what: str, n_before: int) -> None:
        tally, n_delivered = publisher.tally, self.producer.n_delivered - n_before
        of_all = "" if n_delivered == tally.n_sent else f" of {tally.n_sent:,} sent"
        begin = "Interrupted: " if self.stop.is_asked else ""
        click.echo(f"{begin}{n_delivered:,} {what}{of_all} delivered to {publisher.topic}")
        if tally.skipped:
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in tally.skipped.items())
            click.echo(f"{tally.skipped.total():,} records skipped ({reasons}), such as", err=True)
            for example in tally.examples:
                click.echo(f"  {example}", err=True)


class Ticker:
    """A line on standard error every five seconds."""

    def __init__(self, is_quiet: bool) -> None:
        self.is_quiet = is_quiet
        self._began = self._ticked = time.monotonic()

    def tick(self, tally: Tally, share: float | None) -> None:
        """Say how far it is, if it is time to."""
        from monitoring.formats import moment, percent

        now = time.monotonic()
        if self.is_quiet or now - self._ticked < _TICK_S:
            return
        self._ticked = now
        parts = [] if share is None else [percent(round(share, 2)).rjust(5)]
        rate = tally.n_read / (now - self._began)
        parts += [f"{tally.n_read:,} views, {rate:,.0f} a second", moment(tally.event_time)]
        click.echo("  ".join(parts), err=True)
