"""The worker: views in, lists out, exactly once.

In: ``views`` (key user id, order within a partition) as a member of a consumer group, and
``content`` (all of it, outside the group). Out: ``recommendations``, ``views.dead-letter`` and
``outcomes`` in one transaction with the offsets (`streams.checkpoint`). All state belongs to an
input partition (`streams.partition`) and is a function of its records, so a crash at any step
leaves a committed offset from which the next owner comes to the same state.

One process is one consumer and one transactional producer, on one thread: a turn of the loop
applies content, restores what was assigned, consumes, processes, and commits when it is time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from streams.checkpoint import Checkpoint, Held, Outcome
from streams.content_feed import ContentFeed
from streams.dead_letter_records import shrunk
from streams.errors import DriftlineError, SnapshotError
from streams.exit_codes import ExitCode
from streams.holding import hold
from streams.kafka import Admin, Consumer, TransactionalProducer
from streams.kafka_clients import (
    admin_properties,
    consumer_properties,
    producer_properties,
    reader_properties,
)
from streams.kafka_errors import KafkaCallError, Verdict
from streams.kafka_records import Partition, Record
from streams.partition import AssignedPartition, MissingHistoryError
from streams.pipeline import Emission, Wanted
from streams.saving import Saver
from streams.topics import TopicError, TopicShape, check_problems, problems

if TYPE_CHECKING:
    from streams.heartbeat import Heartbeat
    from streams.settings import Settings
    from streams.stop import Stop
    from streams.watchdog import Watchdog

_log = logging.getLogger(__name__)

SLICE = 2048
"""Records of one call of ``consume``: large enough that its cost a record vanishes."""
WAIT_S = 0.02
RETRY_S = 1.0
TAKEN = ("FENCED_INSTANCE_ID", "same group.instance.id")
"""The error, or the words in a fatal one, that say another member took this one's name."""
GONE = frozenset({"_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE"})
"""Errors that say the offset to read is not in the topic any more."""
_WANTED = Wanted(emission=Emission.LAST_OF_USER, is_aggregated=True)


class BreakerOpenError(DriftlineError):
    """Too many of the latest events of a partition are dead letters."""


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


class Worker:
    """One member of the group: its partitions, its loop.

    Parameters
    ----------
    settings
        Settings of the run.
    member
        Stable name of the slot: transactional id and name in the group.
    watchdog, heartbeat
        Keep an eye on the loop.
    accepts
        What an operator takes upon themselves.

    Notes
    -----
    Partitions are given up inside `consume`: what they gave is committed and their state saved
    within ``worker.stop_budget_s``, then dropped. Lost ones are dropped at once.
    """

    def __init__(
        self,
        settings: Settings,
        member: str,
        *,
        watchdog: Watchdog,
        heartbeat: Heartbeat,
        accepts: Accepts,
    ) -> None:
        self.settings = settings
        self.member = member
        self.partitions: dict[Partition, AssignedPartition] = {}
        self.restoring: dict[Partition, Iterator[None]] = {}
        self._heartbeat = heartbeat
        self._accepts = accepts
        self._saver = Saver(settings.worker.snapshots_kept)
        self._committed_at_s = time.monotonic()
        own = settings.worker
        self._consumer = Consumer(
            consumer_properties(settings.kafka, group=own.group, member=member)
        )
        self._checkpoint = Checkpoint(
            self._consumer, self._producer, shrink=shrunk, watchdog=watchdog
        )
        self._content: ContentFeed | None = None

    def run(self, stop: Stop) -> ExitCode:
        """Work until asked to stop, or until going on would do harm; return the exit code."""
        try:
            if self._open(stop):
                while not stop.is_asked:
                    self._turn(stop)
            return self._leave()
        except BreakerOpenError as error:
            return self._ended(ExitCode.BREAKER, error)
        except MissingHistoryError as error:
            return self._ended(ExitCode.MISSING_HISTORY, error)
        except TopicError as error:
            return self._ended(ExitCode.CONFIGURATION, error)
        except SnapshotError as error:
            return self._ended(ExitCode.SNAPSHOT, error)
        except KafkaCallError as error:
            return self._ended(self._code_of(error), error)

    # The three calls of streams.kafka_records.Rebalance, inside `consume` and `close`.

    def assigned(self, partitions: list[Partition]) -> None:
        """Begin to restore what was assigned."""
        _log.info("assigned: %s", _named(partitions))
        for partition in partitions:
            found = self.partitions[partition] = AssignedPartition(partition, self.settings)
            self._checkpoint.held[partition] = Held()
            self.restoring[partition] = found.restored(
                self._consumer,
                self._reader_of(partition),
                titles={} if self._content is None else self._content.titles,
                is_history_optional=self._accepts.missing_history,
            )

    def revoked(self, partitions: list[Partition]) -> None:
        """Commit and save what was held for them, within the budget, and drop their state."""
        _log.info("revoked: %s", _named(partitions))
        if self._commit_within(self.settings.worker.stop_budget_s):
            self._save(p for p in partitions if p in self.partitions)
            self._saver.finish(self.settings.worker.stop_budget_s)
        self._drop(partitions)

    def lost(self, partitions: list[Partition]) -> None:
        """Drop what is somebody else's already."""
        _log.warning("lost: %s", _named(partitions))
        self._drop(partitions)

    def _open(self, stop: Stop) -> bool:
        """Check the topics, settle the past, read the catalogue, join; wait for brokers."""
        admin = Admin(admin_properties(self.settings.kafka), timeout_s=5.0)
        n_content = _until_answered(stop, self._heartbeat, lambda: self._check_topics(admin))
        if n_content is None or not _until_answered(stop, self._heartbeat, self._start_producer):
            return False
        reader = Consumer(reader_properties(self.settings.kafka))
        self._content = ContentFeed(
            reader,
            self.settings.topics.content,
            n_content,
            max_bytes=self.settings.quality.max_event_bytes,
        )
        content = self._content
        if not _until_answered(stop, self._heartbeat, lambda: content.open() or None):
            return False
        self._consumer.subscribe([self.settings.topics.views], self)
        return True

    def _check_topics(self, admin: Admin) -> int:
        """Refuse wrong topics; return how many partitions content has."""
        names = self.settings.topics
        found = admin.describe(msgspec.structs.astuple(names))
        check_problems(problems(names, TopicShape(), found))
        content = found[names.content]
        return content.n_partitions if content else 0

    def _start_producer(self) -> bool | None:
        return self._checkpoint.start() or None

    def _turn(self, stop: Stop) -> None:
        """Do one turn of the loop."""
        self._heartbeat.beat()
        if not self._checkpoint.n_held:
            self._apply_content()
        self._restore_some()
        wait_s = 0.0 if self.restoring else self._wait_s()
        records = self._consumer.consume(min(SLICE, self.settings.worker.max_records), wait_s)
        for partition, own in _by_partition(records):
            if partition in self.partitions:
                self._process(self.partitions[partition], own)
        if self._is_commit_due():
            self._commit(stop)
        self._save_due()

    def _apply_content(self) -> None:
        if self._content is not None:
            rows = self._content.poll()
            if rows:
                for found in self.partitions.values():
                    if found.is_ready:
                        found.pipeline.take_rows(rows)

    def _restore_some(self) -> None:
        """Let each restore go a step."""
        for partition, steps in list(self.restoring.items()):
            if next(steps, _DONE) is _DONE:
                del self.restoring[partition]

    def _process(self, found: AssignedPartition, records: list[Record]) -> None:
        """Take records through the pipeline and hold what comes out."""
        arrivals = found.arrivals(records)
        handled = found.pipeline.process(arrivals, _WANTED)
        held = self._checkpoint.held[found.partition]
        hold(held, found, handled, records, arrivals)
        held.position = found.position(records[-1].leader_epoch())
        held.n_records += len(records)
        if found.pipeline.breaker.is_open and not self._accepts.dead_letters:
            raise BreakerOpenError(
                f"{found.partition.topic}[{found.partition.number}]: more than"
                f" {self.settings.worker.breaker_share:.0%} of the latest"
                f" {self.settings.worker.breaker_window:,} events are dead letters, the last at"
                f" offset {records[-1].offset()}; nothing of them is committed. Mend the producer,"
                " or let them go to the dead letters: --accept-dead-letters"
            )

    def _wait_s(self) -> float:
        """Return how long to wait for records: less where a commit is due sooner."""
        if not self._checkpoint.n_held:
            return WAIT_S
        due_at_s = self._committed_at_s + self.settings.worker.commit_interval_s
        return min(max(due_at_s - time.monotonic(), 0.0), WAIT_S)

    def _is_commit_due(self) -> bool:
        worker, n_held = self.settings.worker, self._checkpoint.n_held
        is_time = time.monotonic() - self._committed_at_s >= worker.commit_interval_s
        return n_held > 0 and (is_time or n_held >= worker.max_records)

    def _commit(self, stop: Stop) -> None:
        """Commit; while its end is undecided, and brokers are away, do nothing else."""
        outcome = self._checkpoint.commit()
        self._committed_at_s = time.monotonic()
        while outcome is Outcome.UNDECIDED and not stop.is_asked:
            if self._checkpoint.settle():
                return
            self._heartbeat.beat()
            time.sleep(RETRY_S)

    def _commit_within(self, budget_s: float) -> bool:
        """Commit what is held, trying again until the time is up."""
        deadline = time.monotonic() + budget_s
        while self._checkpoint.n_held:
            outcome = self._checkpoint.commit()
            if outcome is Outcome.ABORTED or time.monotonic() >= deadline:
                return False
        return True

    def _save_due(self) -> None:
        """Note finished snapshots; begin those that are due, right after a commit."""
        for found in self.partitions.values():
            saved = self._saver.result(found.folder)
            if saved is not None and saved.offset is not None:
                found.snapshot_offset = saved.offset
            elif saved is not None:
                found.is_save_forced |= saved.is_only
        if not self._checkpoint.n_held:
            self._save(
                p
                for p, found in self.partitions.items()
                if found.is_ready and found.is_due() and not self._saver.is_writing(found.folder)
            )

    def _save(self, partitions: Iterator[Partition]) -> None:
        for partition in partitions:
            found = self.partitions[partition]
            if not found.is_ready or found.next_offset == found.snapshot_offset:
                continue
            self._saver.save(
                found.folder,
                found.manifest(),
                found.pipeline.snapshot(),
                is_only=found.is_save_forced,
            )
            found.saved_at_s, found.is_save_forced = time.monotonic(), False

    def _drop(self, partitions: list[Partition]) -> None:
        self._checkpoint.drop(partitions)
        for partition in partitions:
            self.partitions.pop(partition, None)
            steps = self.restoring.pop(partition, None)
            if steps is not None:
                steps.close()  # type: ignore[attr-defined]  # a generator

    def _leave(self) -> ExitCode:
        """Finish the transaction, save, leave the group."""
        budget_s = self.settings.worker.stop_budget_s
        is_whole = self._commit_within(budget_s)
        if is_whole:
            self._save(iter(list(self.partitions)))
            self._saver.finish(budget_s)
        self._close()
        _log.info("stopped; committed %s", "all" if is_whole else "not all")
        return ExitCode.CLEAN

    def _close(self) -> None:
        self._saver.close()
        self._drop(list(self.partitions))
        self._consumer.close()
        if self._content is not None:
            self._content.close()

    def _ended(self, code: ExitCode, error: DriftlineError) -> ExitCode:
        _log.error("%s", error)
        return code

    def _code_of(self, error: KafkaCallError) -> ExitCode:
        """Tell whether another worker took the slot, history is gone, or a restart will help."""
        if error.name in GONE:
            return ExitCode.MISSING_HISTORY
        # A member that joins twice, because its broker did not answer in time, is told the same;
        # but a younger worker takes the producer over before it joins.
        some = Partition(self.settings.topics.views, 0)
        is_taken = (_says_taken(error) or self._is_taken()) and self._checkpoint.is_fenced(some)
        return ExitCode.SLOT_TAKEN if is_taken else ExitCode.KAFKA

    def _is_taken(self) -> bool:
        """Poll a moment for the word that the member was replaced."""
        deadline = time.monotonic() + 3 * RETRY_S
        while time.monotonic() < deadline:
            try:
                self._consumer.consume(1, WAIT_S)
            except KafkaCallError as error:
                if _says_taken(error) or error.verdict is Verdict.FATAL:
                    return _says_taken(error)
        return False

    def _producer(self) -> TransactionalProducer:
        return TransactionalProducer(
            producer_properties(self.settings.kafka, transactional_id=self.member)
        )

    def _reader_of(self, partition: Partition) -> Callable[[int], Consumer]:
        def read_from(offset: int) -> Consumer:
            reader = Consumer(reader_properties(self.settings.kafka))
            reader.assign({partition: offset})
            return reader

        return read_from


_DONE = object()


def _says_taken(error: KafkaCallError) -> bool:
    return any(words in f"{error.name} {error.text}" for words in TAKEN)


def _until_answered(
    stop: Stop, heartbeat: Heartbeat, ask: Callable[[], int | bool | None]
) -> int | bool | None:
    """Ask until there is an answer; None when asked to stop before."""
    while not stop.is_asked:
        heartbeat.beat()
        try:
            answer = ask()
        except KafkaCallError as error:
            if error.verdict is not Verdict.RETRY:
                raise
            _log.warning("%s; trying again", error)
            answer = None
        if answer is not None:
            return answer
        time.sleep(RETRY_S)
    return None


def _by_partition(records: list[Record]) -> Iterator[tuple[Partition, list[Record]]]:
    """Group records by partition, each in order."""
    ordered = sorted(records, key=lambda record: (record.topic(), record.partition()))
    for place, own in groupby(ordered, key=lambda record: (record.topic(), record.partition())):
        yield Partition(*place), list(own)


def _named(partitions: list[Partition]) -> str:
    return ", ".join(f"{topic}[{number}]" for topic, number in partitions)
