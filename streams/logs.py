"""Recorded logs as batches of undecoded records, in bounded memory.

One physical line, or Parquet row, is one record. Its number counts from 1 without the header;
a blank line is skipped and takes a number, so that numbers match an editor's. Only
`streams.sorting` holds a log in memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from streams.columns import CONTENT_FIELDS, VIEW_FIELDS, FieldSet
from streams.compression import DamagedStreamError
from streams.decoding import Decoder
from streams.errors import InputError, RejectedEvent
from streams.inputs import PARQUET, LogInput, LogOptions, OpenInput, find_inputs
from streams.parquet import parquet_chunks
from streams.textlog import Chunk, EmptyInputError, text_chunks

if TYPE_CHECKING:
    from streams.events import Content

__all__ = ["LogOptions", "Position", "RecordBatch", "read_content", "read_log"]


class Position(msgspec.Struct, frozen=True):
    """Where to go on reading: the next record.

    Parameters
    ----------
    input
        Place of the input among the files read, from 0.
    number
        Record number in it.
    is_sorted
        Whether it is a place in the order of `streams.sorting` instead.
    """

    input: int = 0
    number: int = 1
    is_sorted: bool = False


class RecordBatch(msgspec.Struct, frozen=True):
    """Consecutive records of one input.

    Parameters
    ----------
    source
        Name of the file, when several inputs are read.
    numbers
        Record numbers, rising.
    values
        The lines as they are, without their ends; a Parquet row as a JSON object.
    decoder
        What decodes them.
    position
        Position after the batch.
    share
        Share of the bytes of all inputs that is read; None when they have no known size.
    """

    source: str | None
    numbers: list[int]
    values: list[bytes]
    decoder: Decoder
    position: Position
    share: float | None = None

    def position_after(self, n_records: int) -> Position:
        """Return the position after the first records of the batch."""
        if n_records == len(self.numbers):
            return self.position
        return Position(self.position.input, self.numbers[n_records])


def read_log(
    paths: Sequence[str], *, options: LogOptions | None = None, start: Position | None = None
) -> Iterator[RecordBatch]:
    """Yield the records of logs of views, in the order of paths and lines.

    Parameters
    ----------
    paths
        Files, directories (their logs in the order of names), ``-`` for standard input.
    options
        How to read them.
    start
        Where to begin; the position of an earlier batch resumes behind it.

    Raises
    ------
    InputError
        At once for paths that cannot be read; later, after the records before it, where an
        input turns out to be damaged or lacks columns.
    """
    options = options or LogOptions()
    inputs = find_inputs(paths, options.format)
    return _batches(inputs, options, start or Position())


def read_content(path: str, options: LogOptions | None = None) -> Iterator[Content | RejectedEvent]:
    """Yield each record of a content file, or the rejection that names its number.

    Raises
    ------
    InputError
        As `read_log` does.
    """
    options = options or LogOptions()
    for source in find_inputs([path], options.format):
        for chunk, _ in _chunks(source, options, CONTENT_FIELDS):
            yield from _contents(chunk)


def _contents(chunk: Chunk) -> Iterator[Content | RejectedEvent]:
    for number, value in zip(chunk.numbers, chunk.values, strict=True):
        try:
            yield chunk.decoder.decode_content(value)
        except RejectedEvent as rejected:
            yield RejectedEvent(rejected.reason, f"record {number}: {rejected.error}")


def _batches(inputs: list[LogInput], options: LogOptions, start: Position) -> Iterator[RecordBatch]:
    names = _source_names(inputs)
    sizes = [source.n_bytes for source in inputs]
    for place in range(start.input, len(inputs)):
        first = start.number if place == start.input else 1
        try:
            for chunk, n_read in _chunks_from(first, inputs[place], options):
                share = _share(sizes, place, n_read)
                yield from _sliced(chunk, options.batch_size, names[place], place, share)
        except EmptyInputError:
            # A rotated log may have an empty part.
            if len(inputs) == 1:
                raise


def _sliced(
    chunk: Chunk, size: int, source: str | None, place: int, share: float | None
) -> Iterator[RecordBatch]:
    for begin in range(0, len(chunk.numbers), size):
        numbers = chunk.numbers[begin : begin + size]
        yield RecordBatch(
            source=source,
            numbers=numbers,
            values=chunk.values[begin : begin + size],
            decoder=chunk.decoder,
            position=Position(place, numbers[-1] + 1),
            share=share,
        )


def _chunks_from(first: int, source: LogInput, options: LogOptions) -> Iterator[tuple[Chunk, int]]:
    last = 0
    for chunk, n_read in _chunks(source, options, VIEW_FIELDS):
        last = chunk.numbers[-1]
        begin = bisect_left(chunk.numbers, first)
        if begin < len(chunk.numbers):
            yield Chunk(chunk.numbers[begin:], chunk.values[begin:], chunk.decoder), n_read
    if last < first - 1:
        raise InputError(f"{source.name}: cannot resume at record {first}, it ends at {last}")


def _chunks(source: LogInput, options: LogOptions, fields: FieldSet) -> Iterator[tuple[Chunk, int]]:
    """Yield the chunks of one input and how many of its bytes are read."""
    last = 0
    try:
        with OpenInput(source) as opened:
            read = parquet_chunks if opened.format == PARQUET else text_chunks
            for chunk in read(opened, options, fields):
                last = chunk.numbers[-1]
                yield chunk, opened.n_read
    except DamagedStreamError as error:
        raise InputError(f"{source.name}: {error} after record {last}") from None


def _source_names(inputs: list[LogInput]) -> list[str | None]:
    """Return the names to tell several inputs apart: file names, or paths where those repeat."""
    if len(inputs) == 1:
        return [None]
    names = Counter(Path(source.path).name for source in inputs)
    return [
        source.path if names[Path(source.path).name] > 1 else Path(source.path).name
        for source in inputs
    ]


def _share(sizes: list[int | None], place: int, n_read: int) -> float | None:
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return None
    return min(1.0, (sum(known[:place]) + n_read) / sum(known))
