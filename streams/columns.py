"""Names of columns and fields, matched ignoring case, blanks and underscores."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable, Mapping

import msgspec

from streams.errors import DriftlineError, InputError


class FieldSet(msgspec.Struct, frozen=True):
    """Fields of one kind of record.

    Parameters
    ----------
    names
        From every name, aliases included, to the field that it stands for.
    required
        Fields without which no record can be read.
    rivals
        From a field to the one that it may replace but not accompany.
    has_fallback
        Whether a mapped field may still come under its usual name.
    """

    names: Mapping[str, str]
    required: tuple[str, ...]
    rivals: Mapping[str, str]
    has_fallback: bool = False

    def slot_of(self, field: str) -> str:
        """Return what the field fills; a record may fill it once."""
        return self.rivals.get(field, field)


def _fields(*names: str, **aliases: str) -> dict[str, str]:
    return {name: name for name in names} | aliases


VIEW_FIELDS = FieldSet(
    names=_fields(
        "user_id",
        "content_id",
        "timestamp",
        "timestamp_ms",
        "view_time",
        "rating",
        "duration",
        "event_type",
        "event_id",
        "session_id",
        "device",
        "source",
    ),
    required=("user_id", "content_id", "timestamp"),
    rivals={"timestamp_ms": "timestamp"},
)
# The same --map serves the log and the content file, which need not share the log's odd names.
CONTENT_FIELDS = FieldSet(
    names=_fields(
        "content_id",
        "title",
        "genres",
        "released",
        "duration",
        "creators",
        release_year="released",
        creator="creators",
    ),
    required=("content_id",),
    rivals={},
    has_fallback=True,
)
_SHOWN_HEADER = 300
_ALL_NAMES = {**VIEW_FIELDS.names, **CONTENT_FIELDS.names}


class TwoSpellingsError(DriftlineError):
    """One record or header names the same field twice."""


def plain_name(name: str) -> str:
    """Return the name without case, blanks and underscores.

    >>> plain_name(" User_ID"), plain_name("view time"), plain_name("contentId")
    ('userid', 'viewtime', 'contentid')
    """
    return "".join(name.casefold().split()).replace("_", "")


def parse_column_map(assignments: Iterable[str]) -> dict[str, str]:
    """Return the column map of ``FIELD=COLUMN`` texts, as given to ``--map``.

    >>> parse_column_map(["user_id=uid", "Content ID = film"])
    {'user_id': 'uid', 'content_id': 'film'}
    """
    column_map: dict[str, str] = {}
    for assignment in assignments:
        field, equals, column = assignment.partition("=")
        if not equals or not column.strip():
            raise InputError(f"--map {assignment}: write it as FIELD=COLUMN")
        name = known_field(field)
        if name in column_map:
            raise InputError(f"--map {assignment}: {name} is already mapped")
        column_map[name] = column.strip()
    return column_map


def known_field(name: str) -> str:
    """Return the field of that name, or raise an `InputError` with the nearest ones."""
    by_plain_name = {plain_name(field): field for field in _ALL_NAMES}
    field = by_plain_name.get(plain_name(name))
    if field is None:
        near = difflib.get_close_matches(plain_name(name), by_plain_name, n=1)
        hint = f"did you mean {by_plain_name[near[0]]}?" if near else ", ".join(_ALL_NAMES)
        raise InputError(f"--map {name.strip()}=…: there is no such field; {hint}")
    return _ALL_NAMES[field]


class ColumnNames:
    """Which field a column or JSON key is.

    A mapped field goes by its mapped name only, so a log's own but foreign ``user_id`` cannot
    slip in beside ``--map user_id=uid``.

    Parameters
    ----------
    fields
        The kind of record.
    column_map
        From field to the name it has in the log.

    Examples
    --------
    >>> names = ColumnNames(VIEW_FIELDS, {"user_id": "Viewer"})
    >>> names.assign(["viewer", "Content ID", "Timestamp", "user_id", "country"])
    {'user_id': 'viewer', 'content_id': 'Content ID', 'timestamp': 'Timestamp'}
    """

    def __init__(self, fields: FieldSet, column_map: Mapping[str, str]) -> None:
        self.fields = fields
        self.column_map = {
            name: column
            for field, column in column_map.items()
            if (name := known_field(field)) in fields.names.values()
        }
        self._field_by_name = self._index()

    def _index(self) -> dict[str, str]:
        mapped: dict[str, str] = {}
        for field, column in self.column_map.items():
            rival = mapped.setdefault(plain_name(column), field)
            if rival != field:
                raise InputError(f"--map: column {column} cannot be both {rival} and {field}")
        return {plain_name(name): field for name, field in self._usual_names()} | mapped

    def _usual_names(self) -> list[tuple[str, str]]:
        names = list(self.fields.names.items())
        if self.fields.has_fallback:
            return names
        slots = {self.fields.slot_of(field) for field in self.column_map}
        return [(name, field) for name, field in names if self.fields.slot_of(field) not in slots]

    def field_of(self, name: str) -> str | None:
        """Return the field that goes by this name, None for one that is ignored."""
        return self._field_by_name.get(plain_name(name))

    def assign(self, names: Iterable[str]) -> dict[str, str]:
        """Return which name stands for which field.

        Raises
        ------
        TwoSpellingsError
            When two names stand for one field.
        """
        assigned: dict[str, str] = {}
        first_names: dict[str, str] = {}
        for name in names:
            field = self.field_of(name)
            if field is None:
                continue
            slot = self.fields.slot_of(field)
            if slot in first_names:
                both = f"{first_names[slot]!r} and {name!r}"
                raise TwoSpellingsError(f"{both} are two spellings of {slot}")
            first_names[slot] = name
            assigned[field] = name
        return assigned

    def assign_header(self, header: Iterable[str], source: str) -> dict[str, str]:
        """Return which column stands for which field, or raise an `InputError`."""
        columns = [name for name in header if name.strip()]
        try:
            assigned = self.assign(columns)
        except TwoSpellingsError as error:
            raise InputError(f"{source}: columns {error}; rename one of them") from None
        self._refuse_absent(assigned, columns, source)
        return assigned

    def _refuse_absent(self, assigned: Mapping[str, str], columns: list[str], source: str) -> None:
        seen = textwrap.shorten(", ".join(columns), _SHOWN_HEADER, placeholder=" …") or "unreadable"
        if not self.fields.has_fallback:
            for field, column in self.column_map.items():
                if field not in assigned:
                    raise InputError(
                        f"{source}: no column {column} for {field}; the columns are {seen}"
                    )
        filled = {self.fields.slot_of(field) for field in assigned}
        for field in self.fields.required:
            if field not in filled:
                raise InputError(
                    f"{source}: no column for {field}; the columns are {seen}; "
                    f"name the right one with --map {field}=COLUMN"
                )
