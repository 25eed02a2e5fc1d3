"""What a change of an input means, in a sentence: a faulty record, or a world that changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from models.alarms import Kind, Severity
from models.raw_statistics import MINUTE_S

UNIT_FACTORS = (24.0, 60.0, 1_000.0, 3_600.0)
NEAR = 1.5
"""So far from the true factor may be one that is estimated from two hundred view times."""
OTHER_UNIT = math.log2(3.0)
"""Taste does not make everybody watch three times as long."""
SAME_SPREAD = 1.5
SCALE_FACTOR, SAME_SCALE = 1.6, 1.25
LARGE = 2.0
"""Least effects that make a warning a drift."""


class Change(NamedTuple):
    """A level before and after a change, with the spread of single observations."""

    statistic: str
    before: float
    after: float
    spread_before: float
    spread_after: float
    effect: float
    onset: float


class Meaning(NamedTuple):
    """What a change means; the levels in the unit in which people know them."""

    kind: Kind
    severity: Severity
    before: float
    after: float
    what: str


def meaning_of(change: Change) -> Meaning:
    """Tell a fault from a change of the world, and say it."""
    before, after = (natural(change.statistic, y) for y in (change.before, change.after))
    kind, what = _SAID.get(change.statistic, _more)(change, before, after)
    is_large = abs(change.after - change.before) >= LARGE * change.effect
    severity = Severity.DRIFT if is_large else Severity.WARNING
    return Meaning(kind, severity, before, after, f"{what} since {moment(change.onset)}")


def natural(statistic: str, y: float) -> float:
    """Return a level in its own unit: statistics watched as logarithms are raised again.

    Examples
    --------
    >>> natural("view_time", 5.0), natural("clock", -6.0), natural("rating", 4.0)
    (32.0, -3780.0, 4.0)
    """
    if statistic == "view_time":
        return 2.0 ** min(y, 1000.0)
    if statistic in {"clock", "lateness"}:
        return math.copysign((2.0 ** min(abs(y), 60.0) - 1.0) * MINUTE_S, y)
    return y


def unit_factor(ratio: float) -> str:
    """Return a ratio in words, as one of the usual factors between units if it is near one.

    Examples
    --------
    >>> unit_factor(1 / 57), unit_factor(990.0), unit_factor(5.0)
    ('60 times smaller', '1,000 times larger', '5.0 times larger')
    """
    factor = max(ratio, 1.0 / ratio)
    nearest = min(UNIT_FACTORS, key=lambda usual: abs(math.log(usual / factor)))
    is_near = 1.0 / NEAR <= factor / nearest <= NEAR
    amount = f"{nearest:,.0f}" if is_near else f"{factor:,.1f}"
    return f"{amount} times {'larger' if ratio > 1.0 else 'smaller'}"


def duration_of(seconds: float) -> str:
    """Return a length of time in its largest fitting unit.

    Examples
    --------
    >>> duration_of(10_800.0), duration_of(-90.0)
    ('3.0 h', '1.5 min')
    """
    size = abs(seconds)
    for unit, length_s in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if size >= length_s:
            return f"{size / length_s:.1f} {unit}"
    return f"{size:.0f} s"


def moment(time: float) -> str:
    """Return an event time for people: date, hour and minute (UTC)."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M}"


def _view_time(change: Change, before: float, after: float) -> tuple[Kind, str]:
    ratio = 2.0 ** max(min(change.after - change.before, 1000.0), -1000.0)
    words = f"view_time is {unit_factor(ratio)}"
    if math.sqrt(change.spread_after / max(change.spread_before, 1e-9)) > SAME_SPREAD:
        return Kind.INPUT_FAULT, f"{words} on average: unit changed in a part of the events?"
    if abs(change.after - change.before) < OTHER_UNIT:
        return Kind.DATA, f"{words} ({before:.3g} before, {after:.3g} now)"
    return Kind.INPUT_FAULT, f"{words}: unit changed?"


def _rating(change: Change, before: float, after: float) -> tuple[Kind, str]:
    ratio = after / before if before > 0.0 and after > 0.0 else 1.0
    scaled = math.sqrt(change.spread_after / max(change.spread_before, 1e-9)) / ratio
    words = f"rating is {before:.2f} before and {after:.2f} now"
    if max(ratio, 1.0 / ratio) >= SCALE_FACTOR and 1.0 / SAME_SCALE <= scaled <= SAME_SCALE:
        return Kind.INPUT_FAULT, f"{words}: another scale?"
    return Kind.DATA, words


def _watched_share(_: Change, before: float, after: float) -> tuple[Kind, str]:
    return Kind.DATA, f"{after:.0%} of a title is watched, {before:.0%} before"


def _clock(_: Change, before: float, after: float) -> tuple[Kind, str]:
    skew = after - before
    side = "ahead of" if skew > 0.0 else "behind"
    return Kind.INPUT_FAULT, f"clocks are {duration_of(skew)} {side} those of the other events"


def _lateness(_: Change, before: float, after: float) -> tuple[Kind, str]:
    words = f"events come {duration_of(after)} behind the newest, {duration_of(before)} before"
    return Kind.INPUT_FAULT, f"{words}: wrong clocks, or a delayed source?"


def _users(_: Change, before: float, after: float) -> tuple[Kind, str]:
    words = f"the five busiest users make {after:.0%} of the events, {before:.0%} before"
    return Kind.INPUT_FAULT, f"{words}: bots?"


def _hours(_: Change, before: float, after: float) -> tuple[Kind, str]:
    words = f"{after:.0%} of a day's views are in other hours than usual, {before:.0%} before"
    return Kind.DATA, words


def _share(words: str) -> Callable[[Change, float, float], tuple[Kind, str]]:
    def said(_: Change, before: float, after: float) -> tuple[Kind, str]:
        return Kind.INPUT_FAULT, f"{words.format(f'{after:.0%}')}, {before:.1%} before"

    return said


def _more(change: Change, before: float, after: float) -> tuple[Kind, str]:
    reason = change.statistic.partition(":")[2]
    words = f"{after:.0%} of the records are refused"
    return Kind.INPUT_FAULT, f"{words}{f' ({reason})' if reason else ''}, {before:.1%} before"


_SAID: dict[str, Callable[[Change, float, float], tuple[Kind, str]]] = {
    "view_time": _view_time,
    "view_time:implausible": _share("{} of the view times cannot be: another unit in a part?"),
    "watched_share": _watched_share,
    "rating": _rating,
    "missing:view_time": _share("view_time is missing in {} of the events"),
    "missing:rating": _share("rating is missing in {} of the events"),
    "duplicate": _share("{} of the records repeat another: a client that is stuck?"),
    "clock": _clock,
    "lateness": _lateness,
    "user_concentration": _users,
    "hours": _hours,
}
