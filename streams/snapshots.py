"""State on disk: arrays plus a manifest, complete or absent.

A snapshot is a folder ``<root>/<owner>/<next offset>/`` with ``state.safetensors`` and
``manifest.json``; the owner is ``partition-0000`` or another part of a run. It is written aside,
every file is synced, and a rename makes it appear: a crash at any step leaves the older snapshots
as they were and at worst a folder named ``.new-…`` that the next writer removes. The manifest
carries the sha256 of the file, so a damaged snapshot is found and the one before it is used.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from streams.errors import SnapshotError

FORMAT_VERSION = 1
STATE_FILE, MANIFEST_FILE = "state.safetensors", "manifest.json"
_ASIDE = ".new-"
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


def write_snapshot(
    folder: Path,
    manifest: Manifest,
    arrays: Mapping[str, NDArray[Any]],
    *,
    keep: int | None = None,
) -> Path:
    """Write a snapshot below ``folder``, `prune` to ``keep`` if given, and return its place.

    Raises
    ------
    SnapshotError
        The disk refuses; older snapshots are untouched.
    """
    place = folder / f"{manifest.next_offset:020d}"
    aside = folder / f"{_ASIDE}{place.name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob(f"{_ASIDE}*"):
            shutil.rmtree(stale)
        aside.mkdir()
        save_file({n: np.asarray(a, order="C") for n, a in arrays.items()}, aside / STATE_FILE)
        sealed = msgspec.structs.replace(manifest, files={STATE_FILE: _sha256(aside / STATE_FILE)})
        (aside / MANIFEST_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(sealed)))
        for path in (aside / STATE_FILE, aside / MANIFEST_FILE, aside):
            _sync(path)
        if place.exists():
            shutil.rmtree(place)
        aside.rename(place)
        _sync(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise SnapshotError(f"{place}: cannot write the snapshot: {error}") from error
    if keep is not None:
        prune(folder, manifest.next_offset, keep=keep)
    return place


def prune(folder: Path, newest: int, *, keep: int = 3) -> None:
    """Remove all snapshots but the ``newest``, given by its offset, and the ones just before it.

    Later ones are of a run that this one took the place of; resuming would go on from them.
    """
    found = offsets(folder)
    kept = [offset for offset in found if offset <= newest][-keep:]
    for offset in set(found).difference(kept):
        shutil.rmtree(folder / f"{offset:020d}", ignore_errors=True)


def prune_earlier(folder: Path, newest: int, *, keep: int) -> None:
    """Remove old snapshots but the ``newest``, given by its offset, and the ones just before it.

    Later ones stay: where workers share a folder they are a successor's.
    """
    for offset in [offset for offset in offsets(folder) if offset <= newest][:-keep]:
        shutil.rmtree(folder / f"{offset:020d}", ignore_errors=True)


def offsets(folder: Path) -> list[int]:
    """Return the next offsets of the snapshots in a folder, ascending, damaged ones included."""
    if not folder.is_dir():
        return []
    return sorted(int(p.name) for p in folder.iterdir() if _OFFSET.fullmatch(p.name))


def read_manifest(place: Path) -> Manifest:
    """Return a snapshot's manifest.

    Raises
    ------
    SnapshotError
        Missing, malformed or of a later version.
    """
    try:
        manifest = msgspec.json.decode((place / MANIFEST_FILE).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SnapshotError(f"{place}: {error}") from error
    if manifest.format_version != FORMAT_VERSION:
        raise SnapshotError(
            f"{place}: format version {manifest.format_version}, this driftline reads"
            f" {FORMAT_VERSION}"
        )
    return manifest


def read_snapshot(place: Path) -> Snapshot:
    """Return a snapshot after checking its sums.

    Raises
    ------
    SnapshotError
        Missing or damaged, or of another version.
    """
    manifest = read_manifest(place)
    try:
        if manifest.files.get(STATE_FILE) != _sha256(place / STATE_FILE):
            raise SnapshotError(f"{place}: {STATE_FILE} is damaged (sha256 differs)")
        return Snapshot(manifest, load_file(place / STATE_FILE))
    except (OSError, SafetensorError) as error:
        raise SnapshotError(f"{place}: {error}") from error


def newest_snapshot(
    folder: Path, *, at_most: int | None = None
) -> tuple[Snapshot | None, list[str]]:
    """Return the newest valid snapshot, at or below an offset, and what ailed newer ones."""
    problems: list[str] = []
    for offset in reversed(offsets(folder)):
        if at_most is not None and offset > at_most:
            continue
        try:
            return read_snapshot(folder / f"{offset:020d}"), problems
        except SnapshotError as error:
            problems.append(str(error))
    return None, problems


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
