"""Commands against a broker, with topics of the test's own."""

import time
from pathlib import Path

from click.testing import CliRunner

from streams.cli import main
from streams.kafka import Admin, Consumer
from streams.kafka_clients import admin_properties, consumer_properties, reader_properties
from streams.kafka_records import Partition
from streams.topics import TopicSpec

WAIT_S = 60
DECIDED_S = 3


class Place:
    """A broker, topics on it, and a folder for snapshots.

    Parameters
    ----------
    broker, names
        As the fixtures give them.
    folder
        Of the snapshots.
    n_partitions
        Of the topics that are split by user.
    """

    def __init__(self, broker, names, folder=Path("absent"), n_partitions=3):
        self.kafka = {"bootstrap.servers": broker.bootstrap}
        self.names = names
        self.folder = folder
        self.n_partitions = n_partitions
        self.admin = Admin(admin_properties(self.kafka))

    def make(self):
        """Make the topics."""
        by_user = (self.names.views, self.names.recommendations, self.names.dead_letter)
        one = (self.names.content, self.names.outcomes)
        specs = [TopicSpec(name, self.n_partitions, -1, {}) for name in by_user]
        self.admin.create([*specs, *(TopicSpec(name, 1, -1, {}) for name in one)])
        return self

    def options(self):
        """Give the options that lead a command here."""
        settings = {
            "kafka.bootstrap.servers": self.kafka["bootstrap.servers"],
            "topics.views": self.names.views,
            "topics.content": self.names.content,
            "topics.recommendations": self.names.recommendations,
            "topics.dead_letter": self.names.dead_letter,
            "topics.outcomes": self.names.outcomes,
            "worker.group": self.names.group,
            "worker.snapshot_folder": self.folder,
        }
        return [text for item in settings.items() for text in ("--set", "{}={}".format(*item))]

    def run(self, *arguments):
        """Run a command of driftline in this process."""
        return CliRunner().invoke(main, [*self.options(), *map(str, arguments)])

    def refusal(self, *arguments):
        """Run a command that must be refused and return the one sentence it says."""
        result = self.run(*arguments)
        assert result.exit_code == 2, (result.output, result.exception)
        (line,) = result.stderr.splitlines()
        assert line.startswith("Error: ")
        return line.removeprefix("Error: ")

    def read(self, topic):
        """Give all committed records of a topic, partition by partition.

        A transaction that is being decided is waited for, one that stays open is not: a group's
        positions are there before the markers beside the records are.
        """
        n = self.admin.describe([topic])[topic].n_partitions
        partitions = [Partition(topic, number) for number in range(n)]
        consumer = Consumer(reader_properties(self.kafka))
        found = {partition: [] for partition in partitions}
        self._wait_until_decided(consumer, partitions)
        bounds = {partition: consumer.bounds(partition, WAIT_S) for partition in partitions}
        consumer.assign({partition: bound.first for partition, bound in bounds.items()})
        waiting = {p: bound.end for p, bound in bounds.items() if bound.first < bound.end}
        while waiting:
            for record in consumer.consume(1_000, 0.1):
                found[Partition(topic, record.partition())].append(record)
            waiting = {p: end for p, end in waiting.items() if (consumer.position(p) or 0) < end}
        consumer.close()
        return found

    def _wait_until_decided(self, consumer, partitions):
        all_records = {"isolation.level": "read_uncommitted"}
        dirty = Consumer({**reader_properties(self.kafka), **all_records})
        deadline = time.monotonic() + DECIDED_S
        while time.monotonic() < deadline and any(
            consumer.bounds(p, WAIT_S).end < dirty.bounds(p, WAIT_S).end for p in partitions
        ):
            time.sleep(0.05)
        dirty.close()

    def committed(self):
        """Give what the group has committed in the partitions of the views."""
        properties = consumer_properties(self.kafka, group=self.names.group, member="")
        consumer = Consumer(properties)
        partitions = [Partition(self.names.views, n) for n in range(self.n_partitions)]
        found = consumer.committed(partitions, WAIT_S)
        consumer.close()
        return [found[partition] for partition in partitions]
