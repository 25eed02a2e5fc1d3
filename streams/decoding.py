"""Records of a log or topic to typed events: the first step of an event's way.

A decoder's answer depends on the bytes of the record alone. What it refuses is a `RejectedEvent`
with reason ``decode`` (not text of the format, or over the size limit) or ``schema`` (not an
event); ranges are the quality gate's matter.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from streams.canonical import content_of, number_of, view_of
from streams.columns import CONTENT_FIELDS, VIEW_FIELDS, ColumnNames, FieldSet, TwoSpellingsError
from streams.errors import InputError, RejectedEvent
from streams.events import Content, ContentMetadata, View, ViewEvent
from streams.layouts import LayoutDecoder

MAX_EVENT_BYTES = 65536
Conversion = Callable[[str, str], str | float | None]
Columns = list[tuple[str, int, Conversion]]


class LongRecord(bytes):
    """Beginning of a record that is over the size limit.

    It is itself longer than the limit, so that every decoder refuses it.

    Attributes
    ----------
    n_bytes : int
        Length of the whole record.
    """

    n_bytes: int = 0

    @classmethod
    def of(cls, beginning: bytes, n_bytes: int) -> LongRecord:
        """Return the beginning of a record of that length."""
        record = cls(beginning)
        record.n_bytes = n_bytes
        return record


class Decoder(Protocol):
    """Turns the bytes of one record into an event.

    Called once a record, in any order, from one thread. Both methods raise a `RejectedEvent`
    for a record that is no such event and nothing else, whatever the bytes.
    """

    def decode_view(self, value: bytes) -> View:
        """Return the view that the record holds."""
        ...

    def decode_content(self, value: bytes) -> Content:
        """Return the content metadata that the record holds."""
        ...


class JsonDecoder:
    """Decodes JSON objects, one a record.

    Parameters
    ----------
    column_map
        From field to the name it has in the log.
    max_bytes
        Size limit of a record.

    Examples
    --------
    >>> decoder = JsonDecoder()
    >>> view = decoder.decode_view(
    ...     b'{"User ID": 1, "Content ID": 12345, "View Time": 34.5, "Rating": 4,'
    ...     b' "Timestamp": "2022-01-01 12:00:00"}'
    ... )
    >>> view.user_id, view.content_id, view.event_time, view.view_time, view.rating
    ('1', '12345', 1641038400.0, 34.5, 4.0)
    """

    def __init__(
        self, column_map: Mapping[str, str] | None = None, max_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        self.column_map = column_map or {}
        self.max_bytes = max_bytes
        self._views = LayoutDecoder(ViewEvent, ColumnNames(VIEW_FIELDS, self.column_map))
        self._contents = LayoutDecoder(
            ContentMetadata, ColumnNames(CONTENT_FIELDS, self.column_map)
        )

    def decode_view(self, value: bytes) -> View:
        """Return the view that the JSON object holds."""
        if len(value) > self.max_bytes:
            raise _too_long(value, self.max_bytes)
        return view_of(self._views.decode(value))

    def decode_content(self, value: bytes) -> Content:
        """Return the content metadata that the JSON object holds."""
        if len(value) > self.max_bytes:
            raise _too_long(value, self.max_bytes)
        return content_of(self._contents.decode(value))


class DelimitedDecoder:
    """Decodes rows of a CSV or TSV file, one physical line a record.

    An empty cell is a missing field; quotes may enclose a delimiter, not a line end.

    Parameters
    ----------
    header
        Names of the columns.
    delimiter
        One character.
    column_map
        From field to the name of its column.
    max_bytes
        Size limit of a row.

    Examples
    --------
    >>> header = ["User ID", "Content ID", "View Time", "Rating", "Timestamp"]
    >>> decoder = DelimitedDecoder(header)
    >>> view = decoder.decode_view(b"1, 12345, 34.5, 4, 2022-01-01 12:00:00")
    >>> view.user_id, view.content_id, view.event_time, view.view_time, view.rating
    ('1', '12345', 1641038400.0, 34.5, 4.0)
    """

    def __init__(
        self,
        header: Sequence[str],
        delimiter: str = ",",
        *,
        column_map: Mapping[str, str] | None = None,
        max_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self.header = tuple(header)
        self.delimiter = delimiter
        self.column_map = column_map or {}
        self.max_bytes = max_bytes
        self._view_columns = self._columns_of(VIEW_FIELDS)
        self._content_columns = self._columns_of(CONTENT_FIELDS)

    def decode_view(self, value: bytes) -> View:
        """Return the view that the row holds."""
        return view_of(ViewEvent(**self._record(value, self._view_columns)))

    def decode_content(self, value: bytes) -> Content:
        """Return the content metadata that the row holds."""
        return content_of(ContentMetadata(**self._record(value, self._content_columns)))

    def _columns_of(self, fields: FieldSet) -> Columns:
        """Return field, place and conversion of the columns that a record of this kind has."""
        names = ColumnNames(fields, self.column_map)
        try:
            assigned = names.assign(self.header)
        except TwoSpellingsError as error:
            raise InputError(f"columns {error}; rename one of them") from None
        return [
            (field, self.header.index(column), _CONVERSIONS.get(field, _as_text))
            for field, column in assigned.items()
        ]

    def _record(self, value: bytes, columns: Columns) -> dict[str, Any]:
        cells = self._cells(value)
        if len(cells) != len(self.header):
            error = f"{len(cells)} fields where the header has {len(self.header)}"
            raise RejectedEvent("schema", error)
        return {field: convert(cells[place].strip(), field) for field, place, convert in columns}

    def _cells(self, value: bytes) -> list[str]:
        if len(value) > self.max_bytes:
            raise _too_long(value, self.max_bytes)
        try:
            return split_row(value.decode(), self.delimiter)
        except UnicodeDecodeError as error:
            raise RejectedEvent("decode", f"not UTF-8 at byte {error.start}") from None
        except csv.Error as error:
            raise RejectedEvent("decode", f"malformed row: {error}") from None


def split_row(row: str, delimiter: str) -> list[str]:
    """Return the cells of one line.

    >>> split_row('1, "Crouching Tiger, Hidden Dragon",2000', ",")
    ['1', 'Crouching Tiger, Hidden Dragon', '2000']
    """
    if '"' not in row:
        return row.split(delimiter)
    return next(csv.reader([row], delimiter=delimiter, strict=True, skipinitialspace=True))


def _as_text(cell: str, _field: str) -> str:
    return cell


def _as_number(cell: str, field: str) -> float | None:
    return number_of(cell, field) if cell else None


def _as_timestamp(cell: str, field: str) -> str | float | None:
    return cell if cell[4:5] == "-" else _as_number(cell, field)


_CONVERSIONS: Mapping[str, Conversion] = {
    "timestamp": _as_timestamp,
    "timestamp_ms": _as_number,
    "view_time": _as_number,
    "rating": _as_number,
    "duration": _as_number,
}


def _too_long(value: bytes, max_bytes: int) -> RejectedEvent:
    n_bytes = value.n_bytes if isinstance(value, LongRecord) else len(value)
    return RejectedEvent("decode", f"{n_bytes} bytes, more than the limit of {max_bytes}")
