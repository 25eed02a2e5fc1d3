"""One assigned partition of a worker: its state, how it comes back, when it is saved.

Restoring (P4): the newest valid snapshot of this partition at or below the committed offset, then
the records from there up to the committed offset, processed without output. Then, and only then,
the consumer starts the partition at the committed offset. Brokers and disk are waited for on
another thread, and records are taken in slices, so that partitions beside it go on meanwhile.

Whoever gives a partition up names, beside the offset, the snapshot that it is about to write; the
next owner waits a moment for it rather than learn again what is in it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from typing import TypeVar

import msgspec

from streams.arrivals import Arrival, arrival_of
from streams.background import in_background
from streams.decoding import JsonDecoder
from streams.errors import StoreError
from streams.events import Content, Origin
from streams.kafka import Consumer
from streams.kafka_errors import KafkaCallError, Verdict
from streams.kafka_records import Bounds, Committed, Partition, Record
from streams.loading import Loading, folder_of
from streams.pipeline import Pipeline, Wanted
from streams.restoring import Steps
from streams.settings import Settings
from streams.snapshots import Manifest, offsets
from streams.stores import SnapshotStore

_log = logging.getLogger(__name__)

SLICE = 8192
"""Records of one step of a restore that has the thread for itself."""
SHARED_SLICE = 256
"""Records of one step beside partitions that go on: some 10 ms, a tenth of a commit interval."""
WAIT_S = 0.1
ANSWER_S = 1.0
TELL_S = 5.0
RETRY_S = 1.0
SAVE_PAUSE_S = 1.0
"""Between two snapshots of a partition, so that a disk that refuses does not cost the loop."""
_SILENT = Wanted()
_NOWHERE = Origin(None, None)
_ABSENT = object()
_Answer = TypeVar("_Answer")


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is committed beside an offset.

    Attributes
    ----------
    snapshot
        Next offset of the newest snapshot.
    coming
        That of the one which the former owner was about to write when it gave the partition up.
    """

    snapshot: int | None = None
    coming: int | None = None


class AssignedPartition:
    """State of one partition while it is assigned.

    Parameters
    ----------
    partition
        Which.
    settings
        Of the worker.

    Attributes
    ----------
    is_ready : bool
        Whether it is restored and delivering.
    next_offset : int
        Next record to process.
    snapshot_offset : int | None
        Next offset of the newest snapshot on disk.
    is_alone : bool
        Whether no other partition waits while this one is restored.
    """

    def __init__(self, partition: Partition, settings: Settings) -> None:
        self.partition = partition
        self.settings = settings
        self.pipeline = Pipeline(settings, partition.number)
        self.is_ready = False
        self.next_offset = 0
        self.snapshot_offset: int | None = None
        self.is_alone = True
        self._leader_epoch: int | None = None
        self.saved_at_s = time.monotonic()
        self.is_save_forced = False
        self._decoder = JsonDecoder(max_bytes=settings.quality.max_event_bytes)

    @property
    def folder(self) -> SnapshotStore:
        """Where its snapshots are."""
        return folder_of(self.partition, self.settings)

    def arrivals(self, records: list[Record], origin: Origin | None = None) -> list[Arrival]:
        """Decode records and move behind them; ``origin`` as for `arrival_of`."""
        last = records[-1]
        self.next_offset, self._leader_epoch = last.offset() + 1, last.leader_epoch()
        return [arrival_of(record, self._decoder, origin) for record in records]

    def position(self, *, is_given_up: bool = False) -> Committed:
        """Return what to commit: the next offset and the newest snapshot, or the one to come."""
        coming = self.next_offset if is_given_up else None
        metadata = msgspec.json.encode(Metadata(self.snapshot_offset, coming)).decode()
        return Committed(self.next_offset, metadata, self._leader_epoch)

    @property
    def has_news(self) -> bool:
        """Whether a snapshot of it would say more than the newest on disk."""
        return self.is_ready and self.next_offset != self.snapshot_offset

    def is_due(self) -> bool:
        """Whether a snapshot is due: by time, by records, or because it was asked for."""
        worker = self.settings.worker
        n_since = self.next_offset - (self.snapshot_offset or 0)
        if time.monotonic() - self.saved_at_s < SAVE_PAUSE_S:
            return False
        if self.is_save_forced or n_since >= worker.snapshot_every_events:
            return True
        return n_since > 0 and time.monotonic() - self.saved_at_s >= worker.snapshot_every_s

    def manifest(self) -> Manifest:
        """Describe the state as of the next offset."""
        return Manifest(
            kind="pipeline",
            next_offset=self.next_offset,
            fingerprint=self.settings.fingerprint(),
            settings=self.settings.decisive(),
            topic=self.partition.topic,
            partition=self.partition.number,
        )

    def restored(
        self,
        consumer: Consumer,
        read_from: Callable[[int], Consumer],
        *,
        titles: Mapping[str, Content | None],
        is_history_optional: bool,
    ) -> Steps:
        """Bring the state to the committed offset, a slice at a step; then start delivery.

        Parameters
        ----------
        consumer
            The member of the group, which has the partition paused.
        read_from
            Gives a reader of this partition from an offset, outside the group.
        titles
            The newest content, which may come on while it is restored. It counts for the records
            that are replayed as well, or a state made from nothing would know no title.
        is_history_optional
            Whether to begin with what the topic has left when records are missing.

        Raises
        ------
        MissingHistoryError
            No snapshot reaches to what the topic still has.
        StoreError
            Where snapshots are kept did not answer in ``worker.store_wait_s``.
        """
        began = time.monotonic()
        committed, bounds = yield from self._place(consumer)
        first = end = bounds.first
        if committed is not None:
            loading = Loading(self.partition, self.settings, is_history_optional)
            end = loading.end(committed, bounds)
            yield from self._await_coming(committed)
            found = yield from self._stored(lambda: loading.loaded(end, bounds))
            self.pipeline, self.snapshot_offset, first = found
        known = dict(titles)
        # It fetches ahead while the titles are taken in.
        reader = read_from(first) if first < end else None
        try:
            yield from _aside(lambda: self.pipeline.take_rows(known))
            if reader is not None:
                yield from self._catch_up(reader, first, end, began)
        finally:
            if reader is not None:
                reader.close()
        news = {title: row for title, row in titles.items() if known.get(title, _ABSENT) is not row}
        self.pipeline.take_rows(news)
        self.next_offset = end
        consumer.start(self.partition, end)
        self.is_ready, self.saved_at_s = True, time.monotonic()
        _log.info(
            "%s[%d]: ready at offset %d, %d records replayed in %.1f s",
            *self.partition,
            end,
            end - first,
            time.monotonic() - began,
        )

    def _place(self, consumer: Consumer) -> Generator[bool, None, tuple[Committed | None, Bounds]]:
        """Ask for the committed position and the topic's bounds until a broker answers."""

        def ask() -> tuple[Committed | None, Bounds]:
            committed = consumer.committed([self.partition], ANSWER_S)[self.partition]
            return committed, consumer.bounds(self.partition, ANSWER_S)

        while True:
            try:
                return (yield from _aside(ask))
            except KafkaCallError as error:
                if error.verdict is Verdict.FATAL:
                    raise
                _log.debug("%s", error)

    def _await_coming(self, committed: Committed) -> Steps:
        """Wait for the snapshot that the former owner writes, where its snapshots are seen."""
        try:
            found = msgspec.json.decode(committed.metadata, type=Metadata)
        except msgspec.MsgspecError:
            return
        if found.coming is None:
            return
        folder, deadline = self.folder, time.monotonic() + self.settings.worker.stop_budget_s
        kept = yield from self._stored(lambda: offsets(folder))
        if found.snapshot not in {None, *kept}:
            return
        while found.coming not in kept and time.monotonic() < deadline:
            yield from _pause(WAIT_S)
            kept = yield from self._stored(lambda: offsets(folder))

    def _stored(self, call: Callable[[], _Answer]) -> Generator[bool, None, _Answer]:
        """Ask where snapshots are kept until it answers, for ``worker.store_wait_s`` at most."""
        deadline = time.monotonic() + self.settings.worker.store_wait_s
        while True:
            try:
                return (yield from _aside(call))
            except StoreError as error:
                if time.monotonic() >= deadline:
                    raise
                _log.warning("%s; trying again", error)
            yield from _pause(RETRY_S)

    def _catch_up(self, reader: Consumer, first: int, end: int, began: float) -> Steps:
        """Process the records from ``first`` up to ``end`` without output."""
        self.next_offset, told_at = first, began
        while self.next_offset < end:
            n, wait_s = (SLICE, WAIT_S) if self.is_alone else (SHARED_SLICE, 0.0)
            found = reader.consume(min(n, end - self.next_offset), wait_s)
            is_within = bool(found) and found[-1].offset() < end
            records = found if is_within else [r for r in found if r.offset() < end]
            if records:
                handled = self.pipeline.process(self.arrivals(records, _NOWHERE), _SILENT)
                # A crash came before the snapshot without them.
                self.is_save_forced |= bool(handled.forgotten)
            elif (reader.position(self.partition) or 0) >= end:
                return
            told_at = self._tell_progress(first, end, began, told_at)
            yield bool(records)

    def _tell_progress(self, first: int, end: int, began: float, told_at: float) -> float:
        """Log how far a long restore is, every few seconds."""
        now = time.monotonic()
        if now - told_at < TELL_S:
            return told_at
        share = (self.next_offset - first) / (end - first)
        left_s = (now - began) * (1 - share) / share if share > 0 else float("nan")
        _log.info("%s[%d]: restored %.0f %%, %.0f s left", *self.partition, 100 * share, left_s)
        return now


def _aside(call: Callable[[], _Answer]) -> Generator[bool, None, _Answer]:
    """Let another thread call, and wait for its answer step by step."""
    future: Future[_Answer] = in_background(call, "restoring")
    while not future.done():
        yield False
    return future.result()


def _pause(seconds: float) -> Steps:
    """Let time pass, for those who go on meanwhile."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield False
