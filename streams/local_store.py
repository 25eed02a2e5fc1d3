"""Snapshots in a folder of a file system.

A place is written aside, every file is synced, and a rename makes it appear: a crash at any step
leaves the others as they were and at worst a folder named ``.new-…`` that the next writer removes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from streams.errors import StoreError
from streams.stores import MANIFEST_FILE, Stored

_ASIDE = ".new-"


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A folder on a disk.

    Parameters
    ----------
    path
        Made when something is written to it.
    """

    path: Path

    def __truediv__(self, name: str) -> LocalStore:
        return LocalStore(self.path / name)

    def __str__(self) -> str:
        return str(self.path)

    def files(self) -> dict[str, Stored]:
        found = {}
        try:
            for folder, _, names in os.walk(self.path, onerror=_raise_unless_gone):
                for name in names:
                    path = Path(folder, name)
                    with suppress(FileNotFoundError):  # others remove what is old
                        about = path.stat()
                        relative = path.relative_to(self.path).as_posix()
                        found[relative] = Stored(about.st_size, about.st_mtime)
        except OSError as error:
            raise StoreError(f"{self}: cannot list it: {error}") from error
        return found

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        yield self.path / name

    @contextmanager
    def draft(self, name: str) -> Iterator[LocalDraft]:
        place, aside = self.path / name, self.path / f"{_ASIDE}{name}"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for stale in self.path.glob(f"{_ASIDE}*"):
                shutil.rmtree(stale)
            aside.mkdir()
            yield LocalDraft(aside)
            _sync(aside)
            if place.exists():
                shutil.rmtree(place)
            aside.rename(place)
            _sync(self.path)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise

    def remove(self, name: str) -> None:
        place = self.path / name
        try:
            (place / MANIFEST_FILE).unlink(missing_ok=True)
            shutil.rmtree(place)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{place}: cannot be removed: {error}") from error


@dataclass(frozen=True, slots=True)
class LocalDraft:
    """Files in the folder aside."""

    path: Path

    @contextmanager
    def file(self, name: str) -> Iterator[Path]:
        yield self.path / name
        _sync(self.path / name)


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
