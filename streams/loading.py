"""What the state of a partition begins with: its newest usable snapshot, or nothing.

A snapshot that is damaged, of other settings, of another partition or without an array that this
version needs is passed over with a warning, and the one before it is tried. Records that neither a
snapshot nor the topic has are an error that names the choices, never a silent gap.
"""

from __future__ import annotations

import logging
import threading
from typing import NamedTuple

from streams.endings import MissingHistoryError
from streams.errors import SnapshotError
from streams.kafka_records import Bounds, Committed, Partition
from streams.locations import open_store
from streams.pipeline import Pipeline
from streams.settings import Settings
from streams.snapshots import Manifest, Snapshot, newest_snapshot, owner_of
from streams.stores import SnapshotStore

_log = logging.getLogger(__name__)

_ONE_AT_A_TIME = threading.Lock()
"""Several loads together would starve the loop of the interpreter."""


class Loaded(NamedTuple):
    """A state, the next offset of the snapshot it is of, and that of the next record it needs."""

    pipeline: Pipeline
    snapshot_offset: int | None
    first: int


def folder_of(partition: Partition, settings: Settings) -> SnapshotStore:
    """Give where the snapshots of a partition are."""
    return open_store(settings.worker.snapshot_folder, settings) / owner_of(partition.number)


class Loading:
    """Finds what a partition's state begins with.

    Parameters
    ----------
    partition, settings
        Whose, and of the worker.
    is_history_optional
        Whether to begin with what the topic has left when records are missing.
    """

    def __init__(
        self,
        partition: Partition,
        settings: Settings,
        is_history_optional: bool,  # noqa: FBT001
    ) -> None:
        self.partition = partition
        self.settings = settings
        self.is_history_optional = is_history_optional
        self.folder = folder_of(partition, settings)
        self._place = f"{partition.topic}[{partition.number}]"

    def end(self, committed: Committed, bounds: Bounds) -> int:
        """Return the offset to deliver from: the committed one, if the topic still has it.

        Raises
        ------
        MissingHistoryError
            It has not.
        """
        if committed.offset > bounds.end:
            raise MissingHistoryError(
                f"{self._place}: the group has committed {committed.offset}, beyond the end of the"
                f" topic ({bounds.end}): the topic was made anew. Begin again with driftline reset"
                " --to-earliest, or give the worker another group"
            )
        if committed.offset >= bounds.first:
            return committed.offset
        if not self.is_history_optional:
            raise MissingHistoryError(
                f"{self._place}: the records from the committed offset {committed.offset} up to"
                f" {bounds.first} are gone and were never processed. Either bring them back into"
                " the topic, or start with what is left: --accept-missing-history"
            )
        return bounds.first

    def loaded(self, end: int, bounds: Bounds) -> Loaded:
        """Load the newest usable snapshot at or below ``end``; takes long, on any thread.

        Raises
        ------
        MissingHistoryError
            The topic does not have what comes between the snapshot and ``end``.
        """
        with _ONE_AT_A_TIME:
            pipeline, offset = self._newest(end)
        if (offset or 0) < min(bounds.first, end) and not self.is_history_optional:
            raise MissingHistoryError(
                f"{self._place}: records before offset {bounds.first} are gone and no snapshot"
                f" reaches that far (committed: {end}). Either put a snapshot between"
                f" {bounds.first} and {end} back into {self.folder}, or start with what is left:"
                " --accept-missing-history"
            )
        return Loaded(pipeline, offset, min(max(offset or 0, bounds.first), end))

    def _newest(self, at_most: int) -> tuple[Pipeline, int | None]:
        while (snapshot := self._newest_usable(at_most)) is not None:
            pipeline = Pipeline(self.settings, self.partition.number)
            offset = snapshot.manifest.next_offset
            try:
                pipeline.restore(snapshot.arrays)
            except SnapshotError as error:
                _log.warning("snapshot passed over: %s: %d: %s", self.folder, offset, error)
                at_most = offset - 1
            else:
                return pipeline, offset
        return Pipeline(self.settings, self.partition.number), None

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
