"""Records of text logs: JSON lines, CSV and TSV."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from streams.columns import ColumnNames, FieldSet
from streams.decoding import Decoder, DelimitedDecoder, JsonDecoder, LongRecord, split_row
from streams.errors import InputError
from streams.inputs import JSONL, TSV, LogOptions, OpenInput
from streams.lines import split_lines


class EmptyInputError(InputError):
    """An input has no line that is not blank."""


class Chunk(msgspec.Struct, frozen=True):
    """Some records of one input, in order.

    Parameters
    ----------
    numbers
        Record numbers.
    values
        The records' bytes.
    decoder
        What decodes them.
    """

    numbers: list[int]
    values: list[bytes]
    decoder: Decoder


def text_chunks(opened: OpenInput, options: LogOptions, fields: FieldSet) -> Iterator[Chunk]:
    """Yield the records of a text log, one a physical line; white lines are skipped.

    Raises
    ------
    InputError
        When the log is empty, or its header does not name the columns it needs.
    """
    lines = split_lines(opened.blocks, options.max_bytes)
    if opened.format == JSONL:
        yield from _json_chunks(lines, opened, options)
    else:
        yield from _delimited_chunks(lines, opened, options, fields)


def _json_chunks(
    lines: Iterable[list[bytes]], opened: OpenInput, options: LogOptions
) -> Iterator[Chunk]:
    decoder = JsonDecoder(options.column_map, options.max_bytes)
    chunks = _numbered(lines, decoder)
    first = next(chunks, None)
    if first is None:
        raise EmptyInputError(f"{opened.source.name}: empty")
    if ".json" in Path(opened.source.path).suffixes and first.values[0].startswith(b"["):
        raise InputError(
            f"{opened.source.name}: a JSON array, not one JSON object a line; "
            "convert it, for example with jq -c '.[]'"
        )
    yield first
    yield from chunks


def _delimited_chunks(
    lines: Iterator[list[bytes]], opened: OpenInput, options: LogOptions, fields: FieldSet
) -> Iterator[Chunk]:
    delimiter = "\t" if opened.format == TSV else ","
    source = opened.source.name
    line, records = _header_and_records(lines)
    if line is None:
        raise EmptyInputError(f"{source}: empty")
    header = _header_cells(line, delimiter, source)
    ColumnNames(fields, options.column_map).assign_header(header, source)
    decoder = DelimitedDecoder(
        header, delimiter, column_map=options.column_map, max_bytes=options.max_bytes
    )
    yield from _numbered(records, decoder)


def _header_and_records(
    chunks: Iterator[list[bytes]],
) -> tuple[bytes | None, Iterator[list[bytes]]]:
    for lines in chunks:
        for place, line in enumerate(lines):
            if not _is_blank(line):
                return line, itertools.chain([lines[place + 1 :]], chunks)
    return None, chunks


def _header_cells(line: bytes, delimiter: str, source: str) -> list[str]:
    if isinstance(line, LongRecord):
        raise InputError(f"{source}: its first line has {line.n_bytes} bytes and is no header")
    try:
        return [cell.strip() for cell in split_row(line.decode(), delimiter)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{source}: its first line is no header ({error})") from None


def _numbered(chunks: Iterable[list[bytes]], decoder: Decoder) -> Iterator[Chunk]:
    """Yield the lines that are not blank; a blank one takes a number all the same."""
    first = 1
    for lines in chunks:
        numbers, values = _filled(list(range(first, first + len(lines))), lines)
        first += len(lines)
        if values:
            yield Chunk(numbers, values, decoder)


def _filled(numbers: list[int], lines: list[bytes]) -> tuple[list[int], list[bytes]]:
    if all(map(bytes.strip, lines)):
        return numbers, lines
    filled = [place for place, line in enumerate(lines) if not _is_blank(line)]
    return [numbers[place] for place in filled], [lines[place] for place in filled]


def _is_blank(line: bytes) -> bool:
    return not line.strip() and not isinstance(line, LongRecord)
