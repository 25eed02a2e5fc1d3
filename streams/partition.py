"""One assigned partition of a worker: its state, how it comes back, when it is saved.

Restoring (P4): the newest valid snapshot of this partition at or below the committed offset, then
the records from there up to the committed offset, processed without output. Then, and only then,
the consumer starts the partition at the committed offset.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from streams.arrivals import Arrival, arrival_of
from streams.decoding import JsonDecoder
from streams.errors import DriftlineError
from streams.events import Content
from streams.kafka import Consumer
from streams.kafka_errors import KafkaCallError, Verdict
from streams.kafka_records import Bounds, Committed, Partition, Record
from streams.pipeline import Pipeline, Wanted
from streams.settings import Settings
from streams.snapshots import Manifest, Snapshot, newest_snapshot, owner_of

_log = logging.getLogger(__name__)

SLICE = 2048
"""Records of one step of a restore: short enough to poll the group in between."""
WAIT_S = 0.1
ANSWER_S = 5.0
SAVE_PAUSE_S = 1.0
"""Between two snapshots of a partition, so that a disk that refuses does not cost the loop."""
_SILENT = Wanted()


class MissingHistoryError(DriftlineError):
    """The topic no longer has the records that a restore needs."""


class Metadata(msgspec.Struct, frozen=True):
    """What is committed beside an offset."""

    snapshot: int | None = None


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
    """

    def __init__(self, partition: Partition, settings: Settings) -> None:
        self.partition = partition
        self.settings = settings
        self.pipeline = Pipeline(settings, partition.number)
        self.is_ready = False
        self.next_offset = 0
        self.snapshot_offset: int | None = None
        self.saved_at_s = time.monotonic()
        self.is_save_forced = False
        self._decoder = JsonDecoder(max_bytes=settings.quality.max_event_bytes)

    @property
    def folder(self) -> Path:
        """Where its snapshots are."""
        return Path(self.settings.worker.snapshot_folder) / owner_of(self.partition.number)

    def arrivals(self, records: list[Record]) -> list[Arrival]:
        """Decode records and move behind them."""
        self.next_offset = records[-1].offset() + 1
        return [arrival_of(record, self._decoder) for record in records]

    def position(self, leader_epoch: int | None) -> Committed:
        """Return what to commit: the next offset and the newest snapshot."""
        metadata = msgspec.json.encode(Metadata(self.snapshot_offset)).decode()
        return Committed(self.next_offset, metadata, leader_epoch)

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
    ) -> Iterator[None]:
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
        """
        while (found := self._committed(consumer)) is None:
            yield
        committed, bounds = found
        began, end = time.monotonic(), bounds.first
        first = end
        if committed is not None:
            end = self._end(committed, bounds, is_history_optional)
            first = self._load(end, bounds, is_history_optional)
        self.pipeline.take_rows(titles)
        if first < end:
            for _ in self._catch_up(read_from(first), first, end, began):
                yield
            self.pipeline.take_rows(titles)
        self.next_offset = end
        consumer.start(self.partition, end)
        self.is_ready = True
        _log.info(
            "%s[%d]: ready at offset %d, %d records replayed in %.1f s",
            *self.partition,
            end,
            end - first,
            time.monotonic() - began,
        )

    def _committed(self, consumer: Consumer) -> tuple[Committed | None, Bounds] | None:
        """Ask for the committed position and the topic's bounds; None while no broker answers."""
        try:
            committed = consumer.committed([self.partition], ANSWER_S)[self.partition]
            return committed, consumer.bounds(self.partition, ANSWER_S)
        except KafkaCallError as error:
            if error.verdict is Verdict.FATAL:
                raise
            _log.warning("%s", error)
            return None

    def _end(self, committed: Committed, bounds: Bounds, is_history_optional: bool) -> int:  # noqa: FBT001
        """Return the offset to deliver from: the committed one, if the topic still has it."""
        if committed.offset >= bounds.first:
            return committed.offset
        if not is_history_optional:
            raise MissingHistoryError(
                f"{self.partition.topic}[{self.partition.number}]: the records from the committed"
                f" offset {committed.offset} up to {bounds.first} are gone and were never"
                " processed. Either bring them back into the topic, or start with what is left:"
                " --accept-missing-history"
            )
        return bounds.first

    def _load(self, end: int, bounds: Bounds, is_history_optional: bool) -> int:  # noqa: FBT001
        """Restore the newest usable snapshot; return the offset to go on from."""
        place = f"{self.partition.topic}[{self.partition.number}]"
        if end > bounds.end:
            raise MissingHistoryError(
                f"{place}: the group has committed {end}, beyond the end of the topic"
                f" ({bounds.end}): the topic was made anew. Begin again with driftline reset"
                " --to-earliest, or give the worker another group"
            )
        snapshot = self._newest_usable(end)
        first = 0 if snapshot is None else snapshot.manifest.next_offset
        if first < min(bounds.first, end) and not is_history_optional:
            raise MissingHistoryError(
                f"{place}: records before offset {bounds.first} are gone and no snapshot reaches"
                f" that far (committed: {end}). Either put a snapshot between {bounds.first} and"
                f" {end} back into {self.folder}, or start with what is left:"
                " --accept-missing-history"
            )
        if snapshot is not None:
            self.pipeline.restore(snapshot.arrays)
            self.snapshot_offset = snapshot.manifest.next_offset
        return min(max(first, bounds.first), end)

    def _newest_usable(self, end: int) -> Snapshot | None:
        at_most = end
        while True:
            snapshot, problems = newest_snapshot(self.folder, at_most=at_most)
            for problem in problems:
                _log.warning("snapshot passed over: %s", problem)
            if snapshot is None or self._is_usable(snapshot.manifest):
                return snapshot
            at_most = snapshot.manifest.next_offset - 1

    def _is_usable(self, manifest: Manifest) -> bool:
        """Whether a snapshot is of this partition and these settings."""
        is_own = (manifest.topic, manifest.partition) == self.partition
        is_same = manifest.fingerprint == self.settings.fingerprint()
        if not (is_own and is_same):
            changed = manifest.differences(self.settings.decisive())
            whose = f"other settings: {changed}" if is_own else "another partition"
            _log.warning("%s: snapshot %d is of %s", self.folder, manifest.next_offset, whose)
        return is_own and is_same

    def _catch_up(self, reader: Consumer, first: int, end: int, began: float) -> Iterator[None]:
        """Process the records from ``first`` up to ``end`` without output."""
        self.next_offset, told_at = first, began
        try:
            while self.next_offset < end:
                records = [
                    r
                    for r in reader.consume(min(SLICE, end - self.next_offset), WAIT_S)
                    if r.offset() < end
                ]
                if records:
                    handled = self.pipeline.process(self.arrivals(records), _SILENT)
                    # A crash came before the snapshot without them.
                    self.is_save_forced |= bool(handled.forgotten)
                elif (reader.position(self.partition) or 0) >= end:
                    return
                told_at = self._tell_progress(first, end, began, told_at)
                yield
        finally:
            reader.close()

    def _tell_progress(self, first: int, end: int, began: float, told_at: float) -> float:
        """Log how far a long restore is, every few seconds."""
        now = time.monotonic()
        if now - told_at < ANSWER_S:
            return told_at
        share = (self.next_offset - first) / (end - first)
        left_s = (now - began) * (1 - share) / share if share > 0 else float("nan")
        _log.info("%s[%d]: restored %.0f %%, %.0f s left", *self.partition, 100 * share, left_s)
        return now
