"""``driftline dead-letter``: look at refused views, and replay them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from streams.cli import Invocation
    from streams.dead_letter_tools import Chosen
    from streams.kafka import Consumer
    from streams.kafka_records import Partition, Record
    from streams.settings import Settings

_reason = click.option(
    "--reason", help="Only those refused for it: decode, schema, key, range, late."
)
_since = click.option(
    "--since",
    metavar="TIME",
    help="Only those whose record is not older: 2022-01-31T12:00, UTC unless it has a zone.",
)


@click.group("dead-letter")
def command() -> None:
    """Look at refused views and replay them."""


@command.command("list")
@_reason
@_since
@click.option(
    "--limit", type=click.IntRange(min=0), default=10, show_default=True, help="Latest ones shown."
)
@click.pass_obj
def list_letters(
    invocation: Invocation, *, reason: str | None, since: str | None, limit: int
) -> None:
    """Count the dead letters by reason, and show where the latest are.

    A line says when the record was written, partition and offset of the dead letter, why it was
    refused, and where it stood.
    """
    from monitoring.formats import printable
    from streams.dead_letter_tools import line_of, listing

    chosen = _chosen(reason, since)
    letters = Letters(invocation.load().settings)
    try:
        found = listing(letters.records(), chosen, limit)
    finally:
        letters.close()
    _print_counts(found.by_reason)
    if found.n_foreign:
        click.echo(f"{found.n_foreign:,} records are no dead letters of driftline")
    for letter in found.latest:
        click.echo(printable(line_of(letter)))


@command.command()
@click.argument("partition", type=click.IntRange(min=0))
@click.argument("offset", type=click.IntRange(min=0))
@click.pass_obj
def show(invocation: Invocation, *, partition: int, offset: int) -> None:
    """Show one dead letter: why, from where, key, headers and value.

    PARTITION and OFFSET are those of the dead letter itself, as list shows them. Bytes that no
    terminal shows are in base64.
    """
    from streams.cli.brokers import ANSWER_S
    from streams.dead_letter_tools import letter_at, shown
    from streams.errors import InputError

    letters = Letters(invocation.load().settings)
    try:
        if partition >= len(letters.partitions):
            raise InputError(f"{letters.topic} has {len(letters.partitions)} partitions")
        place = letters.partitions[partition]
        letter = letter_at(letters.consumer, place, offset, ANSWER_S)
    finally:
        letters.close()
    for line in shown(letter):
        click.echo(line)


@command.command()
@_reason
@_since
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.option("--yes", "is_wanted", is_flag=True, help="Write them; without it they are counted.")
@click.pass_obj
def replay(
    invocation: Invocation,
    *,
    reason: str | None,
    since: str | None,
    limit: int | None,
    is_wanted: bool,
) -> None:
    """Write refused views to the views topic again, once what was wrong is mended.

    Key, value and headers are the original's. A worker takes each replayed view once, however
    often it is replayed, and none of them is late. One that is refused again becomes a dead
    letter again.
    """
    from streams.cli.brokers import ANSWER_S
    from streams.dead_letter_tools import letters_in
    from streams.dead_letter_tools import replay as replayed
    from streams.kafka import Producer
    from streams.kafka_clients import plain_producer_properties

    settings = invocation.load().settings
    chosen, letters = _chosen(reason, since), Letters(settings)
    writer = Producer(plain_producer_properties(settings.kafka)) if is_wanted else None
    try:
        meant = islice(letters_in(letters.records(), chosen), limit)
        done = replayed(meant, settings.topics.views, writer=writer, timeout_s=ANSWER_S)
    finally:
        letters.close()
    _print_counts(done.by_reason)
    if done.n_truncated:
        click.echo(f"{done.n_truncated:,} were too large to be kept and cannot be replayed")
    click.echo("They are written." if is_wanted else "Nothing was written; --yes writes them.")


class Letters:
    """The dead-letter topic, read outside any group."""

    def __init__(self, settings: Settings) -> None:
        from streams.cli.brokers import admin_of
        from streams.kafka import Consumer
        from streams.kafka_clients import reader_properties
        from streams.kafka_records import Partition

        self.topic = settings.topics.dead_letter
        n_partitions = admin_of(settings).existing([self.topic])[self.topic].n_partitions
        self.partitions: list[Partition] = [Partition(self.topic, n) for n in range(n_partitions)]
        self.consumer: Consumer = Consumer(reader_properties(settings.kafka))

    def records(self) -> Iterator[Record]:
        """Yield all that is there now, partition after partition."""
        from streams.cli.brokers import ANSWER_S
        from streams.dead_letter_tools import records_of

        for partition in self.partitions:
            yield from records_of(self.consumer, partition, ANSWER_S)

    def close(self) -> None:
        """Stop reading."""
        self.consumer.close()


def _chosen(reason: str | None, since: str | None) -> Chosen:
    from streams.dead_letter_tools import Chosen
    from streams.errors import SettingsError
    from streams.timebounds import parse_time_bound

    if since is None:
        return Chosen(reason)
    bound = parse_time_bound(since)
    if bound.is_relative:
        raise SettingsError(f"--since {since!r} is no time; write 2022-01-31T12:00")
    return Chosen(reason, bound.offset_s)


def _print_counts(by_reason: Counter[str]) -> None:
    for reason, n in by_reason.most_common():
        click.echo(f"{n:10,}  {reason}")
    click.echo(f"{by_reason.total():10,}  dead letters")
