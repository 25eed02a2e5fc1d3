"""A snapshot that a replay made, as the one that a worker's partition starts from.

The arrays stay as they are. The manifest gets the topic, the partition and the offset at which
the topic goes on where the log ended; nothing can check that it does, so whoever adopts vouches
for it. The number of partitions of a replay is a setting that its results depend on and a
worker's do not, so it is replaced by the worker's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.errors import SnapshotError
from streams.kafka_records import Partition
from streams.snapshots import Manifest, newest_snapshot, owner_of, read_snapshot, write_snapshot

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.snapshots import Snapshot
    from streams.stores import SnapshotStore

_OWN = "replay.partitions"
_KIND = "pipeline"


def adopt(
    source: SnapshotStore,
    partition: Partition,
    offset: int,
    *,
    to: SnapshotStore,
    settings: Settings,
) -> SnapshotStore:
    """Write the snapshot of a partition at an offset and return its place.

    Parameters
    ----------
    source
        A snapshot, or the folder that ``replay --snapshot-to`` wrote: then the newest valid
        snapshot of the same partition number.
    partition, offset
        Whose it becomes, and the next record to read.
    to
        The snapshot folder of the workers.
    settings
        Of the workers.

    Raises
    ------
    SnapshotError
        There is no valid snapshot of a pipeline, one was made under other settings, or the storage
        refuses.
    """
    snapshot = _found(source, partition.number)
    manifest = snapshot.manifest
    if manifest.kind != _KIND:
        raise SnapshotError(f"{source}: holds the numbers of a replay, not a partition's state")
    _check_settings(source, manifest, settings)
    adopted = Manifest(
        kind=_KIND,
        next_offset=offset,
        fingerprint=settings.fingerprint(),
        settings=settings.decisive(),
        topic=partition.topic,
        partition=partition.number,
    )
    return write_snapshot(to / owner_of(partition.number), adopted, snapshot.arrays)


def _found(source: SnapshotStore, number: int) -> Snapshot:
    folder = source / owner_of(number)
    if not folder.files():
        return read_snapshot(source)
    snapshot, problems = newest_snapshot(folder)
    if snapshot is None:
        detail = "; ".join(problems) or "there is none"
        raise SnapshotError(f"{folder}: no valid snapshot: {detail}")
    return snapshot


def _check_settings(source: SnapshotStore, manifest: Manifest, settings: Settings) -> None:
    wanted = settings.decisive()
    found = msgspec.structs.replace(manifest, settings={**manifest.settings, _OWN: wanted[_OWN]})
    differences = found.differences(wanted)
    if differences:
        raise SnapshotError(
            f"{source}: made under other settings, a worker would pass it over: {differences}"
        )
