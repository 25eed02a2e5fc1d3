"""Writing snapshots beside the loop: one thread, one snapshot at a time, never waited for.

The arrays are a copy taken on the loop's thread right after a commit, so a slow disk delays
nothing but the next snapshot. A snapshot that cannot be written is logged and counted; the ones
before it stay.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from streams.errors import SnapshotError
from streams.snapshots import Manifest, prune, prune_earlier, write_snapshot

_log = logging.getLogger(__name__)


class Saved(NamedTuple):
    """How a snapshot ended: its next offset, None when the disk refused; whether it is alone."""

    offset: int | None
    is_only: bool


class Saver:
    """Writes snapshots in a thread of its own.

    Parameters
    ----------
    n_kept
        Snapshots kept of a partition.

    Attributes
    ----------
    n_failures : int
        Snapshots that could not be written.
    """

    def __init__(self, n_kept: int) -> None:
        self.n_kept = n_kept
        self.n_failures = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="snapshots")
        self._writing: dict[Path, Future[Saved]] = {}

    def is_writing(self, folder: Path) -> bool:
        """Whether a snapshot of this folder is on its way."""
        return folder in self._writing and not self._writing[folder].done()

    def save(
        self,
        folder: Path,
        manifest: Manifest,
        arrays: Mapping[str, NDArray[Any]],
        *,
        is_only: bool = False,
    ) -> None:
        """Write a snapshot in the background; ``is_only`` removes every older one after it."""
        self._writing[folder] = self._pool.submit(self._write, folder, manifest, arrays, is_only)

    def result(self, folder: Path) -> Saved | None:
        """Return how the snapshot begun last ended, once; None while it is not known."""
        future = self._writing.get(folder)
        if future is None or not future.done():
            return None
        del self._writing[folder]
        return future.result()

    def finish(self, timeout_s: float) -> bool:
        """Wait for what is being written; return whether all is on disk."""
        return not wait(list(self._writing.values()), timeout=timeout_s).not_done

    def close(self) -> None:
        """Take no more; what is being written is left to end."""
        self._pool.shutdown(wait=False)

    def _write(
        self,
        folder: Path,
        manifest: Manifest,
        arrays: Mapping[str, NDArray[Any]],
        is_only: bool,  # noqa: FBT001
    ) -> Saved:
        try:
            write_snapshot(folder, manifest, arrays)
        except SnapshotError as error:
            self.n_failures += 1
            _log.error("%s; the ones before it stay", error)
            return Saved(None, is_only)
        if is_only:
            prune(folder, manifest.next_offset, keep=1)
        else:
            prune_earlier(folder, manifest.next_offset, keep=self.n_kept)
        return Saved(manifest.next_offset, is_only)
