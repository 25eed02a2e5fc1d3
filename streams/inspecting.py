"""What is in snapshots, for people who look at a folder of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.packing import unpack_strings
from streams.errors import SnapshotError
from streams.snapshots import Manifest, offsets, read_manifest, read_snapshot

_NAMED = {
    "users": "engine.user_names.names",
    "titles": "engine.title_names.names",
    "titles with metadata": "catalogue.titles",
}
_COUNTS = "gate.counts"


class Listed(msgspec.Struct, frozen=True):
    """One snapshot of a folder; ``problem`` stands in for a manifest that cannot be read."""

    place: Path
    n_bytes: int
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

    place: Path
    manifest: Manifest
    n_bytes: int
    problem: str
    counts: dict[str, int]


def listed(folder: Path) -> Iterator[Listed]:
    """Yield the snapshots in the folders of a root, by owner and offset; sums are not checked.

    Raises
    ------
    SnapshotError
        The folder is not there.
    """
    if not folder.is_dir():
        raise SnapshotError(f"{folder}: no such folder")
    for owner in sorted(path for path in folder.iterdir() if path.is_dir()):
        for offset in offsets(owner):
            place = owner / f"{offset:020d}"
            try:
                yield Listed(place, _n_bytes(place), read_manifest(place))
            except SnapshotError as error:
                yield Listed(place, _n_bytes(place), None, str(error))


def inspect(place: Path) -> Inspection:
    """Read a snapshot whole and say what it holds.

    Raises
    ------
    SnapshotError
        It has no manifest that can be read.
    """
    manifest = read_manifest(place)
    try:
        counts = _counts(read_snapshot(place).arrays)
    except SnapshotError as error:
        return Inspection(place, manifest, _n_bytes(place), str(error), {})
    return Inspection(place, manifest, _n_bytes(place), "", counts)


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


def _n_bytes(place: Path) -> int:
    return sum(path.stat().st_size for path in place.iterdir() if path.is_file())
