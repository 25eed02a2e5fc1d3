"""Records of Parquet logs, which need the optional pyarrow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from streams.columns import ColumnNames, FieldSet
from streams.decoding import JsonDecoder
from streams.errors import InputError
from streams.textlog import Chunk

if TYPE_CHECKING:
    from decimal import Decimal

    from pyarrow import Array, RecordBatch

    from streams.inputs import LogOptions, OpenInput

_encoder = msgspec.json.Encoder()


def parquet_chunks(opened: OpenInput, options: LogOptions, fields: FieldSet) -> Iterator[Chunk]:
    """Yield the rows as JSON objects of the columns that driftline reads.

    NaN and infinity become texts, so that the decoder refuses them as wrongly typed; naive
    times are UTC, and nanoseconds are cut off.

    Raises
    ------
    InputError
        When pyarrow is missing, the file is damaged, or it lacks columns.
    """
    source = opened.source.name
    pa = _pyarrow(source)
    try:
        file = pa.parquet.ParquetFile(opened.random_access())
        names = ColumnNames(fields, options.column_map)
        columns = list(names.assign_header(file.schema_arrow.names, source).values())
        batches = file.iter_batches(batch_size=options.batch_size, columns=columns)
        yield from _chunks(batches, opened, options, n_rows=file.metadata.num_rows, pa=pa)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source}: damaged Parquet file ({error})") from None


def _pyarrow(source: str) -> ModuleType:
    try:
        import pyarrow.parquet  # noqa: PLC0415 (optional, and slow to import)
    except ImportError:
        raise InputError(
            f"{source}: reading Parquet needs pyarrow; install driftline[parquet]"
        ) from None
    module: ModuleType = pyarrow
    return module


def _chunks(
    batches: Iterator[RecordBatch],
    opened: OpenInput,
    options: LogOptions,
    *,
    n_rows: int,
    pa: ModuleType,
) -> Iterator[Chunk]:
    decoder = JsonDecoder(options.column_map, options.max_bytes)
    first = 1
    for batch in batches:
        numbers = list(range(first, first + batch.num_rows))
        first += batch.num_rows
        opened.n_read = (opened.source.n_bytes or 0) * (first - 1) // n_rows
        yield Chunk(numbers, _rows_as_json(batch, pa), decoder)


def _rows_as_json(batch: RecordBatch, pa: ModuleType) -> list[bytes]:
    names = batch.schema.names
    columns = [_plain_values(column, pa) for column in batch.columns]
    return [
        _encoder.encode(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)
    ]


def _plain_values(column: Array, pa: ModuleType) -> list[Any]:
    """Return the column's values as JSON can say them."""
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    values: list[Any] = column.to_pylist()
    convert: Callable[[Any], Any] | None = None
    if pa.types.is_floating(kind):
        convert = _finite_or_text
    elif pa.types.is_decimal(kind):
        convert = _number
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        convert = _text
    return [None if value is None else convert(value) for value in values] if convert else values


def _finite_or_text(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _text(value: bytes) -> str | list[int]:
    """Return the text that some writers store as bytes; other bytes stay what no field takes."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return list(value)
