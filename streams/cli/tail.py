"""``driftline tail``: what the workers write, as they write it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.cli import Invocation
    from streams.kafka_records import Partition, Record
    from streams.settings import Settings
    from streams.tailing import Titles

    Lines = Callable[[Record, Titles], list[str]]


@click.command("tail", short_help="Show what the workers write, as they write it.")
@click.argument("topic", metavar="TOPIC")
@click.option("--user", "user_id", metavar="USER", help="Only records of this user.")
@click.option("--from-beginning", "is_from_beginning", is_flag=True, help="Old records first.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many records.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object a record.")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    topic: str,
    user_id: str | None,
    is_from_beginning: bool,
    limit: int | None,
    is_json: bool,
) -> None:
    """Follow one of the topics that workers write, until Ctrl-C.

    TOPIC is recommendations, outcomes, drift or dead-letter, or the name that the settings give to
    it (views.dead-letter). Records of aborted transactions are not shown. Titles have their names
    where the content topic has them. Of a dead letter the reason and the place are shown;
    driftline dead-letter shows what is in it, as --json does here.
    """
    from streams.canonical import canonical_id
    from streams.errors import RejectedEvent, SettingsError

    settings = invocation.load().settings
    name, lines = _topic(settings, topic)
    topics = settings.topics
    if user_id is not None and name in {topics.outcomes, topics.drift}:
        raise SettingsError(f"{topic} is of a partition, not of a user: leave --user out")
    try:
        user = None if user_id is None else canonical_id(user_id, "USER")
    except RejectedEvent as rejected:
        raise SettingsError(rejected.error) from None
    following = Following(settings, name, lines, is_json=is_json)
    following.run(user, is_from_beginning=is_from_beginning, limit=limit)


def _topic(settings: Settings, name: str) -> tuple[str, Lines]:
    from streams import tailing
    from streams.errors import SettingsError

    names = settings.topics
    roles: dict[str, tuple[str, Lines]] = {
        "recommendations": (names.recommendations, tailing.recommendation_lines),
        "outcomes": (names.outcomes, tailing.outcome_lines),
        "drift": (names.drift, tailing.drift_lines),
        "dead-letter": (names.dead_letter, tailing.dead_letter_lines),
    }
    known = {**{topic: (topic, lines) for topic, lines in roles.values()}, **roles}
    if name not in known:
        raise SettingsError(f"{name!r} is none of {', '.join(dict.fromkeys([*roles, *known]))}")
    return known[name]


class Following:
    """One run of the command."""

    def __init__(self, settings: Settings, topic: str, lines: Lines, *, is_json: bool) -> None:
        from streams.stop import Stop

        self.settings = settings
        self.topic = topic
        self.lines = lines
        self.is_json = is_json
        self.stop = Stop()

    def run(self, user: str | None, *, is_from_beginning: bool, limit: int | None) -> None:
        """Print records until the limit or a signal."""
        from streams.cli.brokers import ANSWER_S, admin_of
        from streams.kafka import Consumer
        from streams.kafka_clients import reader_properties
        from streams.tailing import followed

        content = self.settings.topics.content
        admin = admin_of(self.settings)
        n_partitions = admin.existing([self.topic])[self.topic].n_partitions
        consumer = Consumer(reader_properties(self.settings.kafka))
        key = None if user is None else user.encode()
        n_shown = 0
        with self.stop.on_signals():
            state = admin.describe([content])[content]
            titles = self._titles(state.n_partitions) if state else {}
            for record in followed(
                consumer,
                self._partitions(user, n_partitions),
                self.stop,
                is_from_beginning=is_from_beginning,
                timeout_s=ANSWER_S,
            ):
                if key is None or record.key() == key:
                    self._print(record, titles)
                    n_shown += 1
                if n_shown == limit or self.stop.is_asked:
                    break
        consumer.close()

    def _partitions(self, user: str | None, n_partitions: int) -> list[Partition]:
        """Give the partitions to read; a user's lists are all in one of them."""
        from streams.kafka_records import Partition
        from streams.partitioning import partition_for

        if user is not None and self.topic == self.settings.topics.recommendations:
            return [Partition(self.topic, partition_for(user, n_partitions))]
        return [Partition(self.topic, number) for number in range(n_partitions)]

    def _titles(self, n_partitions: int) -> Titles:
        from streams.cli.brokers import ANSWER_S
        from streams.kafka import Consumer
        from streams.kafka_clients import reader_properties
        from streams.kafka_records import Partition
        from streams.tailing import titles_in

        if self.topic != self.settings.topics.recommendations:
            return {}
        content = self.settings.topics.content
        consumer = Consumer(reader_properties(self.settings.kafka))
        partitions = [Partition(content, number) for number in range(n_partitions)]
        titles = titles_in(consumer, partitions, timeout_s=ANSWER_S)
        consumer.close()
        return titles

    def _print(self, record: Record, titles: Titles) -> None:
        from monitoring.formats import printable
        from streams.tailing import as_json

        if self.is_json:
            click.echo(as_json(record, titles))
            return
        written = datetime.fromtimestamp(record.timestamp()[1] / 1000, UTC)
        first, *rest = self.lines(record, titles)
        click.echo(f"{written:%Y-%m-%d %H:%M:%S}  {printable(first)}")
        for line in rest:
            click.echo(printable(line))
