"""Writing snapshots beside the loop: one at a time, never waited for.

The arrays are a copy taken on the loop's thread right after a commit, or, of a partition that was
given up, made by the thread that writes; so slow storage delays nothing but the next snapshot. A
snapshot that cannot be written is logged and counted; the ones before it stay.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from functools import partial
from typing import Any, NamedTuple

from numpy.typing import NDArray

from streams.background import in_background
from streams.ends import MAX_ENDS, Written
from streams.errors import SnapshotError, StoreError
from streams.snapshots import Manifest, prune, prune_earlier, write_snapshot
from streams.stores import SnapshotStore

_log = logging.getLogger(__name__)

Arrays = Mapping[str, NDArray[Any]] | Callable[[], Mapping[str, NDArray[Any]]]


class Saved(NamedTuple):
    """How a snapshot ended: its next offset, None when the storage refused; whether it is alone."""

    offset: int | None
    is_only: bool


class Saver:
    """Writes snapshots in threads of their own, one after the other.

    Parameters
    ----------
    n_kept
        Snapshots kept of a partition.

    Attributes
    ----------
    n_failures : int
        Snapshots that could not be written.
    ended : deque[Written]
        How the latest snapshots ended; who looks takes them out.

    Notes
    -----
    The end of the process cuts off what is being written, which leaves no snapshot behind.
    """

    def __init__(self, n_kept: int) -> None:
        self.n_kept = n_kept
        self.n_failures = 0
        self.ended: deque[Written] = deque(maxlen=MAX_ENDS)
        self._is_closed = False
        self._one_at_a_time = threading.Lock()
        self._writing: dict[SnapshotStore, Future[Saved]] = {}

    def is_writing(self, folder: SnapshotStore) -> bool:
        """Whether a snapshot of this folder is on its way."""
        return folder in self._writing and not self._writing[folder].done()

    def save(
        self,
        folder: SnapshotStore,
        manifest: Manifest,
        arrays: Arrays,
        *,
        is_only: bool = False,
    ) -> None:
        """Write a snapshot in the background; ``is_only`` removes every other one after it.

        ``arrays`` may be a call that makes them, of a state that nothing changes any more.
        """
        write = partial(self._write, folder, manifest, arrays, is_only=is_only)
        self._writing[folder] = in_background(write, "snapshot")

    def result(self, folder: SnapshotStore) -> Saved | None:
        """Return how the snapshot begun last ended, once; None while it is not known."""
        future = self._writing.get(folder)
        if future is None or not future.done():
            return None
        del self._writing[folder]
        return future.result()

    def finish(self, timeout_s: float) -> bool:
        """Wait for what is being written; return whether all is in the store."""
        return not wait(list(self._writing.values()), timeout=timeout_s).not_done

    def close(self) -> None:
        """Begin no more, not even those that wait for their turn."""
        self._is_closed = True

    def _write(
        self, folder: SnapshotStore, manifest: Manifest, arrays: Arrays, *, is_only: bool
    ) -> Saved:
        with self._one_at_a_time:
            if self._is_closed:
                return Saved(None, is_only)
            began_s, number = time.monotonic(), manifest.partition or 0
            try:
                made = arrays() if callable(arrays) else arrays
                write_snapshot(folder, manifest, made)
            except SnapshotError as error:
                self.n_failures += 1
                self.ended.append(Written(number, time.monotonic() - began_s, None))
                _log.error("%s; the ones before it stay", error)
                return Saved(None, is_only)
            n_bytes = sum(array.nbytes for array in made.values())
            self.ended.append(Written(number, time.monotonic() - began_s, n_bytes))
            return self._pruned(folder, manifest.next_offset, is_only=is_only)

    def _pruned(self, folder: SnapshotStore, offset: int, *, is_only: bool) -> Saved:
        """Remove what is old; where it had to go and did not, the snapshot has to come again."""
        try:
            if is_only:
                prune(folder, offset, keep=1)
            else:
                prune_earlier(folder, offset, keep=self.n_kept)
        except StoreError as error:
            _log.error("%s; old snapshots stay until the next one", error)
            return Saved(None if is_only else offset, is_only)
        return Saved(offset, is_only)
