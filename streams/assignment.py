"""The partitions that a worker has: they come, go, are restored and saved.

What a rebalance asks is done inside `consume`, on the worker's thread, so it has to be short:
partitions that stay are not delivered meanwhile. Hence nothing here waits for a disk or, but for
the commit of what leaves, for a broker.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from streams.checkpoint import Held, Outcome
from streams.events import Content
from streams.kafka import Consumer
from streams.kafka_clients import reader_properties
from streams.kafka_records import Partition
from streams.membership import Membership
from streams.partition import AssignedPartition
from streams.restoring import Restores
from streams.saving import Saver
from streams.settings import Settings

_log = logging.getLogger(__name__)

RESTORE_SHARE = 0.5
"""Share of a commit interval that a turn gives to partitions on their way back beside others."""
ALONE_S = 1.0
"""What it gives them when no other is delivered: the group is polled in between."""


class Accepts(msgspec.Struct, frozen=True):
    """Harm that an operator accepts rather than let a worker stop.

    Attributes
    ----------
    dead_letters
        However many events are refused.
    missing_history
        A restore without the records that the topic no longer has.
    """

    dead_letters: bool = False
    missing_history: bool = False


class Assignment:
    """What one membership was assigned; the listener of its consumer.

    Parameters
    ----------
    settings
        Of the worker.
    membership
        Through which partitions come and go.
    saver
        Writes snapshots; outlives the membership.
    accepts
        What an operator takes upon themselves.

    Attributes
    ----------
    partitions : dict[Partition, AssignedPartition]
        All of them, ready or not.
    restoring : Restores
        Those that are not.
    titles : Mapping[str, Content | None]
        The newest content.
    change : str
        What happened last: ``assigned``, ``revoked`` or ``lost``; empty before the first.
    """

    def __init__(
        self, settings: Settings, membership: Membership, saver: Saver, *, accepts: Accepts
    ) -> None:
        self.settings = settings
        self.partitions: dict[Partition, AssignedPartition] = {}
        self.restoring = Restores()
        self.titles: Mapping[str, Content | None] = {}
        self.change = ""
        self._consumer = membership.consumer
        self._checkpoint = membership.checkpoint
        self._saver = saver
        self._accepts = accepts

    # The three calls of streams.kafka_records.Rebalance.

    def assigned(self, partitions: list[Partition]) -> None:
        """Begin to restore what was assigned."""
        _log.info("assigned: %s", _named(partitions))
        self.change = "assigned"
        for partition in partitions:
            found = self.partitions[partition] = AssignedPartition(partition, self.settings)
            self._checkpoint.held[partition] = Held()
            steps = found.restored(
                self._consumer,
                self._reader_of(partition),
                titles=self.titles,
                is_history_optional=self._accepts.missing_history,
            )
            self.restoring.begin(partition, steps)

    def revoked(self, partitions: list[Partition]) -> None:
        """Commit what was held for them, within the budget, drop them, and let them be saved.

        The commit names the snapshots that are to come: the next owner waits for them, and those
        that stay here need not.
        """
        _log.info("revoked: %s", _named(partitions))
        self.change = "revoked"
        leaving = [self.partitions[p] for p in partitions if p in self.partitions]
        news = [found for found in leaving if found.has_news]
        for found in news:
            self._checkpoint.held[found.partition].position = found.position(is_given_up=True)
        is_whole = self.commit_within(self.settings.worker.stop_budget_s)
        self._drop(partitions)
        if is_whole:
            for found in news:
                # Nothing changes it any more, so the thread that writes it can read it as well.
                self._saver.save(
                    found.folder,
                    found.manifest(),
                    found.pipeline.snapshot,
                    is_only=found.is_save_forced,
                )

    def lost(self, partitions: list[Partition]) -> None:
        """Drop what is somebody else's already."""
        _log.warning("lost: %s", _named(partitions))
        self.change = "lost"
        self._drop(partitions)

    def drop_all(self) -> None:
        """Drop everything as lost."""
        self.change = "lost"
        self._drop(list(self.partitions))

    def take_rows(self, rows: Mapping[str, Content | None]) -> None:
        """Let new content count for the partitions that are ready."""
        if rows:
            for found in self.partitions.values():
                if found.is_ready:
                    found.pipeline.take_rows(rows)

    def restore_some(self) -> bool:
        """Let restores go on, for a short while where others wait; return whether any worked."""
        if not self.restoring:
            return False
        is_alone = not any(found.is_ready for found in self.partitions.values())
        for found in self.partitions.values():
            found.is_alone = is_alone
        share_s = RESTORE_SHARE * self.settings.worker.commit_interval_s
        return self.restoring.turn(ALONE_S if is_alone else share_s)

    def commit_within(self, budget_s: float) -> bool:
        """Commit what is held, trying again until the time is up; return whether it is."""
        deadline = time.monotonic() + budget_s
        while (outcome := self._checkpoint.commit()) is not Outcome.COMMITTED:
            if outcome is Outcome.ABORTED or time.monotonic() >= deadline:
                return False
        return True

    def save_due(self) -> None:
        """Note finished snapshots; begin those that are due, right after a commit."""
        for found in self.partitions.values():
            saved = self._saver.result(found.folder)
            if saved is not None and saved.offset is not None:
                found.snapshot_offset = max(saved.offset, found.snapshot_offset or 0)
            elif saved is not None:
                found.is_save_forced |= saved.is_only
        if not self._checkpoint.n_held:
            for found in self.partitions.values():
                if found.is_ready and found.is_due() and not self._saver.is_writing(found.folder):
                    self._save(found)

    def save_all(self) -> None:
        """Begin a snapshot of every partition, right after a commit."""
        for found in self.partitions.values():
            self._save(found)

    def _save(self, found: AssignedPartition) -> None:
        if not found.has_news:
            return
        self._saver.save(
            found.folder, found.manifest(), found.pipeline.snapshot(), is_only=found.is_save_forced
        )
        found.saved_at_s, found.is_save_forced = time.monotonic(), False

    def _drop(self, partitions: Iterable[Partition]) -> None:
        for partition in partitions:
            self._checkpoint.held.pop(partition, None)
            self.partitions.pop(partition, None)
            self.restoring.drop(partition)

    def _reader_of(self, partition: Partition) -> Callable[[int], Consumer]:
        def read_from(offset: int) -> Consumer:
            reader = Consumer(reader_properties(self.settings.kafka))
            reader.assign({partition: offset})
            return reader

        return read_from


def _named(partitions: list[Partition]) -> str:
    return ", ".join(f"{topic}[{number}]" for topic, number in partitions)
