"""JSON-lines files, compressed when their name says so."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import msgspec
import zstandard

from streams.errors import InputError


class LineWriter:
    """Writes one JSON object a line to a new file; use it as a context manager.

    Parameters
    ----------
    path
        Of the file; ``.gz`` and ``.zst`` compress.

    Raises
    ------
    InputError
        The file cannot be made or written.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._encode = msgspec.json.Encoder().encode_lines
        try:
            self._file = _open(path)
        except OSError as error:
            raise self._refusal(error) from error

    def write(self, records: Iterable[Any]) -> None:
        """Append records."""
        try:
            self._file.write(self._encode(records))
        except OSError as error:
            raise self._refusal(error) from error

    def flush(self) -> None:
        """Hand everything to the operating system."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> InputError:
        return InputError(f"{self.path}: cannot write: {error.strerror}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as refused:
            # What is already on its way says more.
            if error is None:
                raise self._refusal(refused) from refused


def _open(path: str) -> BufferedIOBase:
    if path.endswith(".gz"):
        return cast("BufferedIOBase", gzip.open(path, "wb", compresslevel=6))
    if path.endswith(".zst"):
        return cast("BufferedIOBase", zstandard.open(path, "wb"))
    return Path(path).open("wb")
