"""Files that get their names only when everything was written, so that none is half there."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from streams.errors import InputError


@contextmanager
def complete_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that gets its name at the end of the block; .gz and .zst compress.

    Its folder is made. A block that raises leaves nothing behind, and what had the name before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.part")
    try:
        with aside.open("wb") as raw, _compressed(raw, path.suffix) as file:
            yield file
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def refuse_to_replace(*paths: Path) -> None:
    """Raise InputError if one of the files is there already."""
    for path in paths:
        if path.exists():
            raise InputError(f"{path} is there already; --force replaces it")


@contextmanager
def _compressed(raw: BinaryIO, suffix: str) -> Iterator[BinaryIO]:
    if suffix == ".gz":
        # neither name nor time in the header: the same log is the same bytes
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
            yield cast("BinaryIO", file)
    elif suffix == ".zst":
        with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as file:
            yield cast("BinaryIO", file)
    else:
        yield raw
