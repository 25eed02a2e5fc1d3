"""Where snapshots are kept: a folder, or a prefix in object storage.

Both hold named files below names of places. What `streams.snapshots` builds on is the same in
both: the files of a draft are complete before its manifest can be seen, and a place without a
manifest is no snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol, Self

MANIFEST_FILE = "manifest.json"


class Stored(NamedTuple):
    """A file of a store: its size and when it was written, in epoch seconds."""

    n_bytes: int
    written_at: float


class Draft(Protocol):
    """Files on their way into a place; the manifest is written last."""

    def file(self, name: str) -> AbstractContextManager[Path]:
        """Give a path to write the file to; it is safe in the store when the context ends."""


class SnapshotStore(Protocol):
    """A folder of snapshots, or of folders of them; its text is what a person would call it.

    Called on any thread. Whatever the storage does wrong is a `StoreError`, but for a file that
    is not there.
    """

    def __truediv__(self, name: str) -> Self:
        """Give the folder of that name, which need not be there."""

    def files(self) -> Mapping[str, Stored]:
        """Give every file below by its relative name; none when the folder is not there.

        Raises
        ------
        StoreError
            It cannot be told which there are.
        """

    def opened(self, name: str) -> AbstractContextManager[Path]:
        """Give a path at which the file can be read until the context ends.

        Raises
        ------
        FileNotFoundError
            There is none.
        StoreError
            It cannot be told, or not be read.
        """

    def draft(self, name: str) -> AbstractContextManager[Draft]:
        """Replace a place by what is written in the context; an error leaves no valid one."""

    def remove(self, name: str) -> None:
        """Remove a place, its manifest first; one that is not there is no error.

        Raises
        ------
        StoreError
            It is still there, or half of it.
        """
