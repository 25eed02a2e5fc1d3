"""State on disk: arrays plus a manifest, complete or absent.

A snapshot is a place ``<root>/<owner>/<next offset>/`` with ``state.safetensors`` and
``manifest.json``; the owner is ``partition-0000`` or another part of a run. The root is a folder
or a prefix in object storage (`streams.stores`), where the manifest never appears before the
state that it vouches for: a crash at any step leaves the older snapshots as they were. The
manifest carries the sha256 of the file, so a damaged snapshot is found and the one before it is
used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from streams.errors import SnapshotError, StoreError
from streams.stores import MANIFEST_FILE, SnapshotStore

FORMAT_VERSION = 2
STATE_FILE = "state.safetensors"
_OFFSET = re.compile(r"\d{20}")
_BLOCK = 1 << 20


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a snapshot is of.

    Attributes
    ----------
    kind
        ``pipeline`` (all state of a partition) or ``replay`` (a run's evaluation).
    next_offset
        The next record to read: all before it are in the state, none from it on. In a replay it
        counts records read.
    fingerprint, settings
        Of the settings that results depend on, and their values by dotted name.
    topic, partition
        Whose state it is; no topic in a replay.
    position
        Where a replay goes on reading.
    files
        sha256 of each file.
    format_version
        Of the arrays and of this manifest.
    """

    kind: str
    next_offset: int
    fingerprint: str
    settings: dict[str, bool | int | float | str] = {}
    topic: str | None = None
    partition: int | None = None
    position: dict[str, Any] = {}
    files: dict[str, str] = {}
    format_version: int = FORMAT_VERSION

    def differences(self, settings: Mapping[str, Any]) -> str:
        """Name the settings that are not those of the snapshot, with both values."""
        return ", ".join(
            f"{name} was {self.settings.get(name)!r} and is {settings.get(name)!r}"
            for name in {**self.settings, **settings}
            if self.settings.get(name) != settings.get(name)
        )


class Snapshot(msgspec.Struct, frozen=True):
    """A manifest and the arrays it vouches for."""

    manifest: Manifest
    arrays: dict[str, NDArray[Any]]


def owner_of(partition: int) -> str:
    """Return the folder name of a partition's snapshots."""
    return f"partition-{partition:04d}"


def place_of(offset: int) -> str:
    """Return the folder name of a snapshot; names sort as offsets do."""
    return f"{offset:020d}"


def is_place(name: str) -> bool:
    """Whether a folder has the name of a snapshot."""
    return _OFFSET.fullmatch(name) is not None


def write_snapshot(
    folder: SnapshotStore,
    manifest: Manifest,
    arrays: Mapping[str, NDArray[Any]],
    *,
    keep: int | None = None,
) -> SnapshotStore:
    """Write a snapshot below ``folder``, `prune` to ``keep`` if given, and return its place.

    Raises
    ------
    SnapshotError
        The storage refuses; older snapshots are untouched.
    """
    name = place_of(manifest.next_offset)
    try:
        with folder.draft(name) as draft:
            with draft.file(STATE_FILE) as path:
                save_file({n: np.asarray(a, order="C") for n, a in arrays.items()}, path)
                sums = {STATE_FILE: _sha256(path)}
            with draft.file(MANIFEST_FILE) as path:
                sealed = msgspec.structs.replace(manifest, files=sums)
                path.write_bytes(msgspec.json.format(msgspec.json.encode(sealed)))
    except (OSError, SafetensorError, StoreError) as error:
        raise SnapshotError(f"{folder / name}: cannot write the snapshot: {error}") from error
    if keep is not None:
        prune(folder, manifest.next_offset, keep=keep)
    return folder / name


def prune(folder: SnapshotStore, newest: int, *, keep: int = 3) -> None:
    """Remove all snapshots but the ``newest``, given by its offset, and the ones just before it.

    Later ones are of a run that this one took the place of; resuming would go on from them.

    Raises
    ------
    StoreError
        Some are still there.
    """
    files = folder.files()
    kept = [offset for offset in _complete(files) if offset <= newest][-keep:]
    _remove(folder, set(_places(files)).difference(kept))


def prune_earlier(folder: SnapshotStore, newest: int, *, keep: int) -> None:
    """Remove old snapshots but the ``newest``, given by its offset, and the ones just before it.

    Later ones stay: where workers share a folder they are a successor's. So do those without a
    manifest that are later than the oldest kept: somebody may be writing them.

    Raises
    ------
    StoreError
        Some are still there.
    """
    files = folder.files()
    kept = [offset for offset in _complete(files) if offset <= newest][-keep:]
    _remove(folder, (offset for offset in _places(files) if kept and offset < kept[0]))


def offsets(folder: SnapshotStore) -> list[int]:
    """Return the next offsets of the snapshots in a folder, ascending, sums unchecked.

    Raises
    ------
    StoreError
        It cannot be told.
    """
    return _complete(folder.files())


def begun(folder: SnapshotStore) -> list[int]:
    """Return `offsets` and those of places without a manifest, where `newest_snapshot` looks too.

    Raises
    ------
    StoreError
        It cannot be told.
    """
    return _places(folder.files())


@contextmanager
def fitting() -> Iterator[None]:
    """Turn what restoring from arrays of another version raises into a `SnapshotError`.

    Examples
    --------
    >>> with fitting():
    ...     {}["clock"]
    Traceback (most recent call last):
    streams.errors.SnapshotError: its arrays are not those of this version: KeyError('clock')
    """
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise SnapshotError(f"its arrays are not those of this version: {error!r}") from error


def read_manifest(place: SnapshotStore) -> Manifest:
    """Return a snapshot's manifest.

    Raises
    ------
    SnapshotError
        Missing, malformed or of a later version; a `StoreError` when it cannot be told.
    """
    try:
        with place.opened(MANIFEST_FILE) as path:
            manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SnapshotError(f"{place}: {error}") from error
    if manifest.format_version != FORMAT_VERSION:
        raise SnapshotError(
            f"{place}: format version {manifest.format_version}, this driftline reads"
            f" {FORMAT_VERSION}"
        )
    return manifest


def read_snapshot(place: SnapshotStore) -> Snapshot:
    """Return a snapshot after checking its sums.

    Raises
    ------
    SnapshotError
        Missing or damaged, or of another version; a `StoreError` when it cannot be told.
    """
    manifest = read_manifest(place)
    try:
        with place.opened(STATE_FILE) as path:
            if manifest.files.get(STATE_FILE) != _sha256(path):
                raise SnapshotError(f"{place}: {STATE_FILE} is damaged (sha256 differs)")
            return Snapshot(manifest, load_file(path))
    except (OSError, SafetensorError) as error:
        raise SnapshotError(f"{place}: {error}") from error


def newest_snapshot(
    folder: SnapshotStore, *, at_most: int | None = None
) -> tuple[Snapshot | None, list[str]]:
    """Return the newest valid snapshot, at or below an offset, and what ailed newer ones.

    Raises
    ------
    StoreError
        A newer one may be there, but cannot be had now.
    """
    problems: list[str] = []
    for offset in reversed(begun(folder)):
        if at_most is not None and offset > at_most:
            continue
        try:
            return read_snapshot(folder / place_of(offset)), problems
        except StoreError:
            raise
        except SnapshotError as error:
            problems.append(str(error))
    return None, problems


def _places(files: Iterable[str]) -> list[int]:
    """Give the offsets of all places that hold a file, ascending."""
    names = {name.partition("/")[0] for name in files if "/" in name}
    return sorted(int(name) for name in names if is_place(name))


def _complete(files: Iterable[str]) -> list[int]:
    """Give the offsets of the places that have a manifest, ascending."""
    return _places(name for name in files if name.endswith(f"/{MANIFEST_FILE}"))


def _remove(folder: SnapshotStore, places: Iterable[int]) -> None:
    for offset in places:
        folder.remove(place_of(offset))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
