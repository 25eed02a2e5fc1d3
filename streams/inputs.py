"""The files behind the paths of a command line: which, in what format, opened as plain bytes."""

from __future__ import annotations

import io
import itertools
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Self, cast

import msgspec

from streams.compression import GZIP, ZSTD, compression_of, decompressed
from streams.decoding import MAX_EVENT_BYTES
from streams.errors import InputError

STANDARD_INPUT = "-"
JSONL, CSV, TSV, PARQUET = FORMATS = ("jsonl", "csv", "tsv", "parquet")
_FORMAT_BY_SUFFIX = {
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".json": JSONL,
    ".csv": CSV,
    ".tsv": TSV,
    ".parquet": PARQUET,
}
_COMPRESSION_BY_SUFFIX = {".gz": GZIP, ".zst": ZSTD}
_BLOCK_BYTES = 1 << 18
_HEAD_BYTES = 4
_PARQUET_MAGIC = b"PAR1"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LogOptions(msgspec.Struct, frozen=True):
    """How logs are read.

    Parameters
    ----------
    column_map
        From field to the name it has in the log, as given to ``--map``.
    format
        One of `FORMATS`, when extensions and first bytes do not tell.
    batch_size
        Most records in a batch.
    max_bytes
        Size limit of a record.
    """

    column_map: Mapping[str, str] = {}
    format: str | None = None
    batch_size: int = 2048
    max_bytes: int = MAX_EVENT_BYTES


class LogInput(msgspec.Struct, frozen=True):
    """One file to read, or standard input.

    Parameters
    ----------
    path
        As given, or found in a given directory; ``-`` is standard input.
    format
        One of `FORMATS`; None when only the bytes can tell.
    n_bytes
        Size on disk; None for standard input and pipes.
    """

    path: str
    format: str | None
    n_bytes: int | None

    @property
    def name(self) -> str:
        """Name of the input for messages."""
        return "standard input" if self.path == STANDARD_INPUT else self.path


def find_inputs(paths: Sequence[str], format_name: str | None = None) -> list[LogInput]:
    """Return the inputs that the paths name, directories' files in the order of their names.

    Raises
    ------
    InputError
        When a path does not exist, has an unknown extension, or is a directory without logs.
    """
    if format_name is not None and format_name not in FORMATS:
        raise InputError(f"unknown format {format_name}; known are {', '.join(FORMATS)}")
    if not paths:
        raise InputError("no log given")
    return [found for path in paths for found in _inputs_of(path, format_name)]


def _inputs_of(path: str, format_name: str | None) -> list[LogInput]:
    if path == STANDARD_INPUT:
        return [LogInput(path, format_name, None)]
    try:
        if Path(path).is_dir():
            return _inputs_in(path, format_name)
        return [_file_input(path, format_name)]
    except OSError as error:
        raise _unreadable(path, error) from None


def _inputs_in(directory: str, format_name: str | None) -> list[LogInput]:
    files = sorted(
        file
        for file in Path(directory).rglob("*")
        if _format_of(file.name) and not file.name.startswith(".") and file.is_file()
    )
    if not files:
        raise InputError(f"{directory}: no logs in this directory ({_known_suffixes()})")
    return [_file_input(str(file), format_name) for file in files]


def _file_input(path: str, format_name: str | None) -> LogInput:
    status = Path(path).stat()
    is_regular = stat.S_ISREG(status.st_mode)
    found = format_name or _format_of(path)
    if is_regular and found is None:
        raise InputError(f"{path}: unknown extension; known are {_known_suffixes()}")
    return LogInput(path, found, status.st_size if is_regular else None)


def _format_of(path: str) -> str | None:
    name = Path(path.lower())
    if name.suffix in _COMPRESSION_BY_SUFFIX:
        name = name.with_suffix("")
    return _FORMAT_BY_SUFFIX.get(name.suffix)


def _known_suffixes() -> str:
    return f"{', '.join(_FORMAT_BY_SUFFIX)}, each also .gz or .zst"


def _unreadable(path: str, error: OSError) -> InputError:
    return InputError(f"{path}: {(error.strerror or str(error)).lower()}")


class OpenInput:
    """Plain bytes of one input, decompressed on the way, without a byte order mark.

    Use it as a context manager, which closes the file.

    Attributes
    ----------
    format : str
        One of `FORMATS`, from the extension or else from the first bytes.
    blocks : Iterator[bytes]
        The plain bytes; raises a `DamagedStreamError` where a compressed stream breaks off.
    n_read : int
        Bytes read so far, before decompression.
    """

    def __init__(self, source: LogInput) -> None:
        self.source = source
        self.n_read = 0
        with ExitStack() as opening:
            self._file = _open(source)
            if source.path != STANDARD_INPUT:
                opening.enter_context(self._file)
            head, self.blocks = _peeked(self._raw_blocks())
            self._compression = _compression(source, head)
            if self._compression:
                head, self.blocks = _peeked(decompressed(self.blocks, self._compression))
            self.format = source.format or _sniffed(head)
            self._closing = opening.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def random_access(self) -> BinaryIO:
        """Return the plain bytes as a file to seek in, spooled to disk when need be."""
        if self._compression is None and self._file.seekable():
            self._file.seek(0)
            return self._file
        spool = tempfile.TemporaryFile()  # noqa: SIM115 (the stack closes it)
        self._closing.enter_context(spool)
        spool.writelines(self.blocks)
        spool.seek(0)
        return cast("BinaryIO", spool)

    def _raw_blocks(self) -> Iterator[bytes]:
        while block := self._file.read1(_BLOCK_BYTES):
            self.n_read += len(block)
            yield block


def _open(source: LogInput) -> io.BufferedReader:
    if source.path == STANDARD_INPUT:
        return cast("io.BufferedReader", sys.stdin.buffer)
    try:
        return Path(source.path).open("rb")
    except OSError as error:
        raise _unreadable(source.path, error) from None


def _peeked(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes, enough to tell formats apart, and all the blocks."""
    head = b""
    for block in blocks:
        head += block
        if len(head) >= _HEAD_BYTES:
            break
    head = head.removeprefix(_BYTE_ORDER_MARK)
    return head, itertools.chain([head], blocks)


def _compression(source: LogInput, head: bytes) -> str | None:
    promised = _COMPRESSION_BY_SUFFIX.get(Path(source.path.lower()).suffix)
    found = compression_of(head)
    if promised and head and found != promised:
        raise InputError(f"{source.path}: its name says {promised}, its bytes do not")
    return found


def _sniffed(head: bytes) -> str:
    if head.startswith(_PARQUET_MAGIC):
        return PARQUET
    text = head.lstrip()
    if text.startswith((b"{", b"[")):
        return JSONL
    first_line = text.partition(b"\n")[0]
    return TSV if b"\t" in first_line and b"," not in first_line else CSV
