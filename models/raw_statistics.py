"""What is watched of raw records: statistics, their rules, and how a block of records adds to them.

A record is numbers in columns: see below. Records that repeat another count for ``duplicate``
only: a client that is stuck says nothing new about anything else.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.frequent_labels import N_PLACES
from models.levels import MOST_WAIT, RULE

# Columns of a record; NaN where it has none.
C_VIEW_TIME, C_SHARE, C_RATING, C_TIME, C_WATERMARK, C_OUTCOME, C_DEVICE, C_SOURCE = range(8)
N_COLUMNS = 8

OUTCOMES = ("accepted", "duplicate", "decode", "schema", "key", "range", "late")
"""What became of a record; its place is the number in the column of outcomes."""
DUPLICATE, FIRST_REFUSED, RANGE = 1, 2, 5

(
    VIEW_TIME,
    IMPLAUSIBLE,
    SHARE,
    RATING,
    NO_VIEW_TIME,
    NO_RATING,
    REPEATED,
    REFUSED,
    CLOCK,
    BEHIND,
    FIRST_REASON,
) = range(11)
USERS = FIRST_REASON + len(OUTCOMES) - FIRST_REFUSED
HOURS = USERS + 1
N_SCOPED = BEHIND
"""The statistics before this one are watched by scope too."""

NAMES = (
    "view_time",
    "view_time:implausible",
    "watched_share",
    "rating",
    "missing:view_time",
    "missing:rating",
    "duplicate",
    "refused",
    "clock",
    "lateness",
    *(f"refused:{reason}" for reason in OUTCOMES[FIRST_REFUSED:]),
    "user_concentration",
    "hours",
)

N_SCOPES = 1 + 2 * (N_PLACES + 1)
"""Everything, then devices with the rest of them pooled, then sources likewise."""
FIRST_DEVICE, FIRST_SOURCE = 1, 1 + N_PLACES + 1
DEVICES, SOURCES = range(FIRST_DEVICE, FIRST_SOURCE), range(FIRST_SOURCE, N_SCOPES)

RECORDS = 64
"""Records of a block."""
OBSERVATIONS = 48
"""Observations of a statistic's block: a block of records in which a quarter says nothing of it."""
FAR = 4.0
"""Standard deviations from the usual at which a view time cannot be believed."""
MOST_BITS, FARTHEST_BITS = 40.0, 16.0
"""A view time farther off than any unit is garbage, of which one must not move a block."""
MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600, 86_400
MOST_EXACT = 2.0**53
"""Up to here whole numbers are exact as floats."""

_SHARE = {"least": 0.02, "ratio": 0.5, "least_spread": 1 / OBSERVATIONS, "only_up": True}


class Raw(NamedTuple):
    """A block of records as numbers, which clocks to believe, and what is usual.

    Attributes
    ----------
    columns : float64[N_COLUMNS, records]
        The records.
    is_trusted : bool[records]
        Whether a record's clock tells the time.
    levels, rules
        Of all statistics, as `models.level_watch.LevelWatch` has them.
    """

    columns: NDArray[np.float64]
    is_trusted: NDArray[np.bool_]
    levels: NDArray[Any]
    rules: NDArray[Any]


def rules() -> NDArray[Any]:
    """Return the rule of every statistic in every scope, as (statistics × scopes).

    The least effects: a view time by a factor of 1.25, a rating by .3 standard
    deviations, a
    watched share by .1, the share of a fault by .02 and by half of what it was, a clock by one
    and a half doublings of a minute.
    """
    table = np.zeros((len(NAMES), N_SCOPES), RULE)
    table["wait"], table["largest_z"] = MOST_WAIT, 6.0
    _watch(table[:N_SCOPED], block=OBSERVATIONS, burn_in=20, **_SHARE)
    _watch(table[BEHIND:, :1], block=OBSERVATIONS, burn_in=20, **_SHARE)
    level = {"ratio": 0.0, "only_up": False}
    _watch(table[VIEW_TIME], **level, least=math.log2(1.25), least_spread=0.01)
    _watch(table[SHARE], **level, least=0.1, least_spread=0.01)
    _watch(table[RATING], **level, least=0.0, deviations=0.3, least_spread=0.01)
    _watch(table[CLOCK], **level, least=1.5, least_spread=0.25)
    _watch(table[BEHIND, :1], ratio=0.0, least=2.0, least_spread=0.25)
    _watch(table[USERS, :1], block=1, burn_in=16, least=0.02, ratio=0.25, least_spread=1e-4)
    _watch(table[USERS, :1], largest_z=12.0)
    _watch(table[HOURS, :1], block=1, burn_in=6, wait=4, least=0.1, least_spread=1e-4)
    return table


def _watch(table: NDArray[Any], **rule: float) -> None:
    for field, value in rule.items():
        table[field] = value


@compiled
def _add(
    added: NDArray[np.float64], statistic: int, scopes: tuple[int, int, int], value: float
) -> None:
    """Add one observation to a statistic, in all scopes of its record; -1 is none."""
    for scope in scopes:
        if scope >= 0:
            level = statistic * N_SCOPES + scope
            added[level, 0] += 1.0
            added[level, 1] += value
            added[level, 2] += value * value


@compiled
def _tell(
    added: NDArray[np.float64],
    statistic: int,
    scopes: tuple[int, int, int],
    is_so: bool,  # noqa: FBT001 (a kernel has no keyword-only arguments)
) -> None:
    """Add yes or no to a statistic."""
    for scope in scopes:
        if scope >= 0:
            level = statistic * N_SCOPES + scope
            added[level, 0] += 1.0
            if is_so:
                added[level, 1] += 1.0
                added[level, 2] += 1.0


@compiled
def is_implausible(view_time: float, usual_log: float, spread_log: float) -> bool:
    """Say whether a view time is none, or far from what is usual in either direction."""
    if view_time <= 0.0:
        return True
    return abs(np.log2(view_time) - usual_log) > FAR * np.sqrt(spread_log)


@compiled
def signed_log(seconds: float) -> float:
    """Return a time difference on a scale where a minute is 1 and each doubling about one more."""
    if seconds == 0.0:
        return 0.0
    return np.sign(seconds) * np.log2(1.0 + abs(seconds) / MINUTE_S)


@compiled
def hour_of_day(time: float) -> int:
    """Return the hour (UTC) of a finite time, however far from any calendar."""
    if 0.0 <= time <= MOST_EXACT:  # whole seconds divide far faster than floats
        return int(time) % DAY_S // HOUR_S
    return int(time % DAY_S // HOUR_S)


@compiled
def add_up(raw: Raw, added: NDArray[np.float64], hours: NDArray[np.float64]) -> float:
    """Add a block of records to every statistic; return the median of its event times."""
    columns = raw.columns
    middle = np.nanmedian(columns[C_TIME][raw.is_trusted])
    n_of = np.zeros(len(OUTCOMES))
    at = VIEW_TIME * N_SCOPES
    usual_log, spread_log = _usual_log(raw.levels[at], raw.rules[at])
    for e in range(columns.shape[1]):
        outcome, time = int(columns[C_OUTCOME, e]), columns[C_TIME, e]
        scopes = _scopes_of(columns, e)
        n_of[outcome] += 1.0
        _tell(added, REPEATED, scopes, outcome == DUPLICATE)
        if outcome == DUPLICATE:
            continue
        _tell(added, REFUSED, scopes, outcome >= FIRST_REFUSED)
        if np.isfinite(time):
            _add_decoded(columns, e, scopes, middle, added)
            hours[hour_of_day(time)] += 1.0
            if outcome != RANGE:
                _add_values(columns, e, scopes, usual_log, spread_log, added)
    _add_reasons(n_of, added)
    return middle


@compiled
def _usual_log(level: Any, rule: Any) -> tuple[float, float]:  # noqa: ANN401 (records)
    """Return the usual view time and its spread, 0 as long as that is not known."""
    return level.mean, level.spread if level.n_blocks >= rule.burn_in else 0.0


@compiled
def _scopes_of(columns: NDArray[np.float64], e: int) -> tuple[int, int, int]:
    device, source = int(columns[C_DEVICE, e]), int(columns[C_SOURCE, e])
    return (
        0,
        FIRST_DEVICE + device if device >= 0 else -1,
        FIRST_SOURCE + source if source >= 0 else -1,
    )


@compiled
def _add_reasons(n_of: NDArray[np.float64], added: NDArray[np.float64]) -> None:
    """Tell of each reason how many records it refused, of all that repeat none."""
    n = n_of.sum() - n_of[DUPLICATE]
    for outcome in range(FIRST_REFUSED, len(OUTCOMES)):
        level = (FIRST_REASON + outcome - FIRST_REFUSED) * N_SCOPES
        added[level, 0] += n
        added[level, 1] += n_of[outcome]
        added[level, 2] += n_of[outcome]


@compiled
def _add_decoded(
    columns: NDArray[np.float64],
    e: int,
    scopes: tuple[int, int, int],
    middle: float,
    added: NDArray[np.float64],
) -> None:
    time, watermark = columns[C_TIME, e], columns[C_WATERMARK, e]
    _tell(added, NO_VIEW_TIME, scopes, np.isnan(columns[C_VIEW_TIME, e]))
    _tell(added, NO_RATING, scopes, np.isnan(columns[C_RATING, e]))
    _add(added, CLOCK, scopes, signed_log(time - middle))
    if watermark > -np.inf:
        _add(added, BEHIND, (0, -1, -1), signed_log(max(watermark - time, 0.0)))


@compiled
def _add_values(
    columns: NDArray[np.float64],
    e: int,
    scopes: tuple[int, int, int],
    usual_log: float,
    spread_log: float,
    added: NDArray[np.float64],
) -> None:
    """Add what can be true; what cannot is refused as ``range``, and told so."""
    view_time, share, rating = columns[C_VIEW_TIME, e], columns[C_SHARE, e], columns[C_RATING, e]
    if 0.0 < view_time < np.inf:
        bits = min(max(np.log2(view_time), -MOST_BITS), MOST_BITS)
        if spread_log > 0.0:
            bits = min(max(bits, usual_log - FARTHEST_BITS), usual_log + FARTHEST_BITS)
        _add(added, VIEW_TIME, scopes, bits)
    if not np.isnan(view_time) and spread_log > 0.0:
        _tell(added, IMPLAUSIBLE, scopes, is_implausible(view_time, usual_log, spread_log))
    if not np.isnan(share):
        _add(added, SHARE, scopes, min(max(share, 0.0), 2.0))
    if not np.isnan(rating):
        _add(added, RATING, scopes, rating)
