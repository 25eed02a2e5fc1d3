"""What is in snapshots, for people who look at a folder of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.packing import unpack_strings
from streams.errors import SnapshotError, StoreError
from streams.snapshots import Manifest, is_place, read_manifest, read_snapshot
from streams.stores import SnapshotStore, Stored

_NAMED = {
    "users": "engine.user_names.names",
    "titles": "engine.title_names.names",
    "titles with metadata": "catalogue.titles",
}
_COUNTS = "gate.counts"


class Listed(msgspec.Struct, frozen=True):
    """One snapshot of a folder; ``problem`` stands in for a manifest that cannot be read.

    Attributes
    ----------
    place
        Relative to the folder.
    n_bytes, written_at
        Of its files, the latest of them; in epoch seconds.
    """

    place: str
    n_bytes: int
    written_at: float
    manifest: Manifest | None
    problem: str = ""


class Inspection(msgspec.Struct, frozen=True):
    """All about one snapshot.

    Attributes
    ----------
    n_bytes
        Of its files.
    problem
        Why a restore would pass it over; empty when it is whole.
    counts
        How many of what its state remembers; empty in the snapshot of a replay's numbers.
    """

    place: str
    manifest: Manifest
    n_bytes: int
    problem: str
    counts: dict[str, int]


def listed(root: SnapshotStore) -> Iterator[Listed]:
    """Yield the snapshots in the folders of a root, by owner and offset; sums are not checked.

    Raises
    ------
    StoreError
        It cannot be told which there are.
    """
    places: dict[str, list[Stored]] = {}
    for name, stored in root.files().items():
        owner, _, rest = name.partition("/")
        offset, _, _ = rest.partition("/")
        if is_place(offset):
            places.setdefault(f"{owner}/{offset}", []).append(stored)
    for place, files in sorted(places.items()):
        n_bytes, written_at = sum(f.n_bytes for f in files), max(f.written_at for f in files)
        owner, _, offset = place.partition("/")
        try:
            yield Listed(place, n_bytes, written_at, read_manifest(root / owner / offset))
        except SnapshotError as error:
            yield Listed(place, n_bytes, written_at, None, str(error))


def inspect(place: SnapshotStore) -> Inspection:
    """Read a snapshot whole and say what it holds.

    Raises
    ------
    SnapshotError
        It has no manifest that can be read.
    """
    manifest = read_manifest(place)
    n_bytes = sum(stored.n_bytes for stored in place.files().values())
    try:
        counts, problem = _counts(read_snapshot(place).arrays), ""
    except StoreError:
        raise
    except SnapshotError as error:
        counts, problem = {}, str(error)
    return Inspection(str(place), manifest, n_bytes, problem, counts)


def _counts(arrays: Mapping[str, NDArray[Any]]) -> dict[str, int]:
    """Count the names in use: a row that is free has an empty one."""
    if f"{_COUNTS}.values" not in arrays:
        return {}
    named = {
        what: int(np.count_nonzero(np.diff(arrays[f"{name}.offsets"])))
        for what, name in _NAMED.items()
    }
    reasons = unpack_strings(f"{_COUNTS}.names", arrays)
    values = arrays[f"{_COUNTS}.values"].tolist()
    n_accepted = dict(zip(reasons, values, strict=True)).get("accepted", 0)
    return {"events learned": n_accepted, **named}
