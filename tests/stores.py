"""The kinds of stores that snapshots are kept in, for suites that hold for each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from obstore.store import MemoryStore

from streams.local_store import LocalStore
from streams.object_store import ObjectStore
from streams.stores import SnapshotStore
from tests.object_storage import S3Server


class Kind(Protocol):
    """A kind of store, and how to reach behind it."""

    def open(self) -> SnapshotStore:
        """Give a folder that is empty."""

    def put(self, place: SnapshotStore, name: str, data: bytes | None) -> None:
        """Replace what a file holds; None removes it."""


class Folder:
    """A folder on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> SnapshotStore:
        return LocalStore(self._path / "snapshots")

    def put(self, place: SnapshotStore, name: str, data: bytes | None) -> None:
        path = Path(str(place), name)
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)


class Objects:
    """Objects in memory, without a network."""

    def open(self) -> SnapshotStore:
        return ObjectStore("memory://", "", MemoryStore())

    def put(self, place: SnapshotStore, name: str, data: bytes | None) -> None:
        assert isinstance(place, ObjectStore)
        if data is None:
            place.client.delete(place.prefix + name)
        else:
            place.client.put(place.prefix + name, data)


class Bucket(Objects):
    """A bucket of a server that speaks S3."""

    def __init__(self, server: S3Server) -> None:
        self._server = server

    def open(self) -> SnapshotStore:
        return self._server.store(self._server.new_bucket())
