"""The slot of a worker: a small number, stable over restarts, that its names in Kafka are made of.

A slot that is set, or that the host name gives, is taken in any case: where another worker still
has it, Kafka fences that one. A slot that is found is the lowest whose lock is free. Either way
the lock ``<snapshot folder>/slots/<n>.lock`` is held until the process ends, however it ends, so
that workers which look for a slot pass by those in use. The files are never removed: one that was
could be locked by two workers. Object storage has no locks: there a slot has to be set, or be
given by the host name.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from streams.errors import SettingsError, SnapshotError
from streams.locations import local_folder
from streams.settings import Settings

# The form of a StatefulSet: a name, a hyphen, a number. The random end of a container's or a
# pod's name is no number, nor is the end of an address such as ip-10-0-3-17.
_ORDINAL = re.compile(r".+-(0|[1-9]\d{0,3})", re.ASCII)
_ADDRESS = re.compile(r"(.+-)?(\d+-){3}\d+", re.ASCII)
# More workers than a topic has partitions have nothing to do.
_MAX_SLOTS = 4_096


class SlotNames(NamedTuple):
    """What a worker is called in Kafka."""

    transactional_id: str
    group_instance_id: str


class Slot:
    """A slot that this process has; as a context it is released at the end.

    Parameters
    ----------
    number
        Of the slot.
    group
        Consumer group of the worker.
    lock
        File descriptor of the lock; ``None`` where the slot is held without one.
    """

    def __init__(self, number: int, group: str, lock: int | None) -> None:
        self.number = number
        self.group = group
        self._lock = lock

    @property
    def names(self) -> SlotNames:
        """Names by which Kafka fences whoever had the slot before.

        Examples
        --------
        >>> Slot(3, "driftline", lock=None).names
        SlotNames(transactional_id='driftline-3', group_instance_id='driftline-3')
        """
        name = f"{self.group}-{self.number}"
        return SlotNames(name, name)

    @property
    def member(self) -> str:
        """Name of the worker: all its names are this one."""
        return self.names.group_instance_id

    def release(self) -> None:
        """Let others have it; the end of the process does the same."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def take_slot(settings: Settings, hostname: str | None = None) -> Slot:
    """Take the slot that is set, else the host name's, else the lowest that is free.

    Parameters
    ----------
    settings
        ``worker.slot``, ``worker.group`` and ``worker.snapshot_folder`` are looked at.
    hostname
        With or without its domain; by default that of this machine.

    Raises
    ------
    SettingsError
        A slot has to be found and snapshots are in object storage.
    SnapshotError
        A slot has to be found and the snapshot folder cannot hold locks, or all are taken.
    """
    own = settings.worker
    number = own.slot if own.slot >= 0 else ordinal_of(hostname or socket.gethostname())
    root = local_folder(own.snapshot_folder)
    if root is None:
        if number is None:
            raise SettingsError(
                f"{own.snapshot_folder}: object storage has no locks by which a free slot is found;"
                " set worker.slot (DRIFTLINE_WORKER_SLOT) to a number of each worker's own, or let"
                " host names end in a hyphen and a number, as a StatefulSet's do"
            )
        return Slot(number, own.group, None)
    folder = root / "slots"
    if number is None:
        return _lowest_free(folder, own.group)
    try:
        lock = _locked(folder, number)
    except OSError:
        # The number is known: the lock only keeps others from finding the same one.
        lock = None
    return Slot(number, own.group, lock)


def ordinal_of(hostname: str) -> int | None:
    """Give the number at the end of a host name, as a StatefulSet gives it.

    Examples
    --------
    >>> ordinal_of("worker-3.workers.prod.svc"), ordinal_of("3f2a9c1b0d12")
    (3, None)
    >>> ordinal_of("ip-10-0-3-17") is None
    True
    """
    name = hostname.partition(".")[0]
    found = _ORDINAL.fullmatch(name)
    return int(found[1]) if found and not _ADDRESS.fullmatch(name) else None


def _lowest_free(folder: Path, group: str) -> Slot:
    for number in range(_MAX_SLOTS):
        try:
            lock = _locked(folder, number)
        except OSError as error:
            raise SnapshotError(
                f"{folder}: no slot can be locked: {error.strerror or error}; let the snapshot"
                " folder be writable on a file system with locks, or set worker.slot"
                " (DRIFTLINE_WORKER_SLOT) to a number of each worker's own"
            ) from error
        if lock is not None:
            return Slot(number, group, lock)
    raise SnapshotError(f"{folder}: all {_MAX_SLOTS:,} slots are taken")


def _locked(folder: Path, number: int) -> int | None:
    """Give the descriptor of the lock, ``None`` when another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    # NFS locks only what is open for writing.
    lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    except OSError:
        os.close(lock)
        raise
    return lock
