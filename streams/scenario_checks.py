"""A scenario, and whether what is written of a change makes sense."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import msgspec

from streams import change_kinds as kinds
from streams.change_kinds import ALL, FIELDS, KINDS, SCOPE_KINDS, Change
from streams.errors import InputError

_AT_FIELD = re.compile(r" - at `\$\.?(\w*).*")


class Scenario(msgspec.Struct, frozen=True):
    """Changes to plant into one log.

    Parameters
    ----------
    name
        A name of `NAMED`, or a file.
    about
        One sentence.
    changes
        In the order in which they are written.
    lines
        For each change of a file the line of its table, then those of its fields.
    """

    name: str
    about: str
    changes: tuple[Change, ...] = ()
    lines: tuple[Mapping[str, int], ...] = ()

    def refusal(self, number: int, error: str, field: str = "") -> InputError:
        """Return the error that a change, counted from 0, or a field of it is wrong."""
        place = f"change {number + 1}"
        if number < len(self.lines):
            lines = self.lines[number]
            place = f"line {lines.get(field, lines[''])}, {place}"
        return InputError(f"scenario {self.name}, {place}: {field and f'{field}: '}{error}")


def change_of(scenario: Scenario, number: int, fields: dict[str, Any]) -> Change:
    """Return the change that fields describe.

    Parameters
    ----------
    scenario, number
        What the change is part of, for errors, and its number in it from 0.
    fields
        As a ``[[change]]`` table of TOML has them.

    Raises
    ------
    InputError
        Naming the line: it is none of the kinds, or says what its kind does not take.
    """
    kind = _kind(scenario, number, fields)
    for field, value in fields.items():
        if field not in ("kind", *kind.__struct_fields__):
            raise scenario.refusal(
                number,
                f"a change of kind {fields['kind']} has no such field; "
                f"it has {', '.join(kind.__struct_fields__)}",
                field,
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise scenario.refusal(number, f"{value} is no number", field)
    values = {name: _as_text(value) for name, value in fields.items()}
    try:
        change = msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        place = _AT_FIELD.search(str(error))
        said = _AT_FIELD.sub("", str(error))
        raise scenario.refusal(number, said, place[1] if place else "") from None
    for field, wrong in _contradictions(change):
        raise scenario.refusal(number, wrong, field)
    return change


def _kind(scenario: Scenario, number: int, fields: Mapping[str, Any]) -> type[Change]:
    if "kind" not in fields:
        raise scenario.refusal(number, f"it has no kind; there are {', '.join(KINDS)}")
    name = fields["kind"]
    if not isinstance(name, str) or name not in KINDS:
        near = difflib.get_close_matches(str(name), KINDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(KINDS)}"
        raise scenario.refusal(number, f"unknown kind {name!r}; {hint}", "kind")
    return KINDS[name]


def _as_text(value: object) -> object:
    """Return a date or time of TOML as text."""
    return value.isoformat() if isinstance(value, date | datetime | time) else value


def _contradictions(change: Change) -> list[tuple[str, str]]:
    """Return fields that say what the kind of change does not take, and why."""
    wrong = []
    scope, colon, name = change.scope.partition(":")
    if change.scope != ALL and not (colon and name and scope in SCOPE_KINDS):
        wrong.append(
            ("scope", f"{change.scope!r} is no scope; write all, genre:X, device:X or source:X")
        )
    elif scope not in (ALL, *change.scopes):
        allowed = ", ".join([ALL, *(f"{kind}:X" for kind in change.scopes)])
        wrong.append(
            (
                "scope",
                f"a change of kind {change.kind} has no scope {scope}:X; it may have {allowed}",
            )
        )
    if isinstance(change, kinds.Taste):
        if change.shape == "gradual" and change.end is None:
            wrong.append(("", "a gradual change needs an end, when it is complete"))
        if (change.shape == "recurring") != (change.period is not None):
            wrong.append(("period", "a recurring change needs one, the others have none"))
    if isinstance(change, kinds.Missing) and change.field not in FIELDS:
        wrong.append(("field", f"there is no {change.field}; there are {', '.join(FIELDS)}"))
    if isinstance(change, kinds.Unit) and change.factor == 1:
        wrong.append(("factor", "1 changes nothing"))
    if isinstance(change, kinds.Clock) and change.hours == 0:
        wrong.append(("hours", "0 changes nothing"))
    return wrong
