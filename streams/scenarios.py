"""Scenarios: named sets of changes to plant into a log, and files that describe others."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from streams import change_kinds as kinds
from streams.change_kinds import Change
from streams.errors import InputError
from streams.scenario_checks import Scenario, change_of

__all__ = ["NAMED", "Scenario", "overridden", "parse_scenario", "scenario_of"]

_TABLE = re.compile(r"^\s*\[\[\s*change\s*\]\]")


def scenario_of(given: str) -> Scenario:
    """Return the scenario of a name, or of a TOML file.

    Raises
    ------
    InputError
        The name is unknown, or the file cannot be read or says what no change takes.

    Examples
    --------
    >>> scenario_of("taste-flip").changes
    (Taste(begin=0.5, end=None, scope='all', strength=1.0, shape='abrupt', period=None),)
    """
    if given in NAMED:
        return NAMED[given]
    if not given.endswith(".toml"):
        near = difflib.get_close_matches(given, NAMED, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(NAMED)}"
        raise InputError(f"no scenario {given}; {hint} A file ends in .toml")
    try:
        text = Path(given).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"scenario {given}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"scenario {given}: not UTF-8 at byte {error.start}") from None
    return parse_scenario(text, given)


def parse_scenario(text: str, name: str) -> Scenario:
    """Return the scenario that a TOML text describes.

    Raises
    ------
    InputError
        Naming the line.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"scenario {name}: malformed TOML: {error}") from None
    about, changes = tables.pop("about", ""), tables.pop("change", [])
    if tables:
        raise InputError(
            f"scenario {name}: unknown {', '.join(tables)}; write each change as a [[change]] table"
        )
    if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
        raise InputError(f"scenario {name}: write each change as a [[change]] table")
    draft = Scenario(name, str(about), lines=_lines_of(text, len(changes)))
    parsed = tuple(change_of(draft, number, fields) for number, fields in enumerate(changes))
    return msgspec.structs.replace(draft, changes=parsed)


def overridden(
    scenario: Scenario,
    *,
    at: kinds.Bound | None = None,
    strength: float | None = None,
    scope: str | None = None,
) -> Scenario:
    """Return a scenario of one change at another time, of another strength or scope.

    A change that ends is moved as a whole.

    Raises
    ------
    InputError
        The scenario has not exactly one change, or the change does not take the value.
    """
    given = {"begin": at, "strength": strength, "scope": scope}
    new = {name: value for name, value in given.items() if value is not None}
    if not new:
        return scenario
    if len(scenario.changes) != 1:
        raise InputError(
            f"scenario {scenario.name} has {len(scenario.changes)} changes; "
            "--at, --strength and --scope are for scenarios with one"
        )
    (change,) = scenario.changes
    if at is not None and change.end is not None:
        new["end"] = _moved(scenario, change, at)
    fields: dict[str, Any] = {**msgspec.to_builtins(change), **new}
    return msgspec.structs.replace(scenario, changes=(change_of(scenario, 0, fields),))


def _moved(scenario: Scenario, change: Change, at: kinds.Bound) -> kinds.Bound:
    begin, end = change.begin, change.end
    if isinstance(at, int) and isinstance(begin, int) and isinstance(end, int):
        return end + at - begin
    if isinstance(at, float) and isinstance(begin, float) and isinstance(end, float):
        return round(min(1.0, end + at - begin), 9)
    raise scenario.refusal(
        0, f"--at {at} cannot move it from {begin} to {end}: write the change into a file"
    )


def _lines_of(text: str, n_changes: int) -> tuple[Mapping[str, int], ...]:
    """Return for each ``[[change]]`` table its line, under "", and the lines of its fields."""
    found: list[dict[str, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        field = re.match(r"""\s*["']?(\w+)["']?\s*=""", line)
        if _TABLE.match(line):
            found.append({"": number})
        elif field and found:
            found[-1].setdefault(field[1], number)
    return tuple(found) if len(found) == n_changes else ()


def _named(name: str, about: str, *changes: Change) -> Scenario:
    return Scenario(name, about, changes)


NAMED: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        _named("stationary", "Nothing changes but the hours, the days and the catalogue's age."),
        _named("none", "Another name of stationary."),
        _named("taste-flip", "Everybody's taste changes at once.", kinds.Taste(begin=0.5)),
        _named(
            "taste-flip-genre",
            "The taste within one genre changes at once.",
            kinds.Taste(begin=0.5, scope="genre:Drama"),
        ),
        _named(
            "taste-flip-device",
            "The taste of people with one device changes at once.",
            kinds.Taste(begin=0.5, scope="device:web"),
        ),
        _named(
            "taste-gradual",
            "Taste changes for one person after the other.",
            kinds.Taste(begin=0.4, end=0.6, shape="gradual"),
        ),
        _named(
            "taste-recurring",
            "Taste changes and changes back, twice.",
            kinds.Taste(begin=0.4, end=0.8, shape="recurring", period=0.2),
        ),
        _named(
            "hit-release",
            "Three new titles take a quarter of all choices at first.",
            kinds.Popularity(begin=0.5, strength=0.25, titles=3),
        ),
        _named(
            "catalogue-churn",
            "A third of the titles vanish and new ones take their places.",
            kinds.Catalogue(begin=0.5, strength=0.33),
        ),
        _named(
            "new-audience",
            "New people with another taste bring two fifths of all sessions.",
            kinds.Audience(begin=0.5, strength=0.4),
        ),
        _named(
            "unit-change",
            "Every client reports view times in minutes instead of seconds, for a while.",
            kinds.Unit(begin=0.5, end=0.6, factor=1 / 60),
        ),
        _named(
            "field-missing",
            "Half of the events lack their view time, for a while.",
            kinds.Missing(begin=0.5, end=0.6, field="view_time", strength=0.5),
        ),
        _named(
            "stuck-client",
            "One client repeats its last event, for a while.",
            kinds.Stuck(begin=0.5, end=0.55, strength=0.3),
        ),
        _named(
            "clock-skew",
            "The clocks of phones are eight hours slow, for a while.",
            kinds.Clock(begin=0.5, end=0.6, scope="device:phone", hours=-8),
        ),
        _named(
            "bots",
            "Three users watch anything, a fifth of all events, for a while.",
            kinds.Bots(begin=0.5, end=0.6, users=3, strength=0.2),
        ),
        _named(
            "permute-items",
            "All titles swap their ids.",
            kinds.Permute(begin=0.5),
        ),
    )
}
