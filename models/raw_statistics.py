"""What is watched of raw records: statistics, their rules, and how a block of records adds to them.

A record is a row of numbers: see the columns below. Records that repeat another count for
``duplicate`` only: a client that is stuck says nothing new about anything else.
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
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0

_SHARE = {"least": 0.02, "ratio": 0.5, "least_spread": 1 / OBSERVATIONS, "only_up": True}


class Raw(NamedTuple):
    """A block of records as numbers, which clocks to believe, and what decides how it is read."""

    columns: NDArray[np.float64]
    is_trusted: NDArray[np.bool_]
    usual_log: float
    spread_log: float


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
def _count(added: NDArray[np.float64], level: int, value: float) -> None:
    added[level, 0] += 1.0
    added[level, 1] += value
    added[level, 2] += value * value


@compiled
def _add(
    added: NDArray[np.float64], statistic: int, record: NDArray[np.float64], value: float
) -> None:
    """Add one observation to a statistic, in all scopes of its record."""
    base = statistic * N_SCOPES
    _count(added, base, value)
    if statistic < N_SCOPED and record[C_DEVICE] >= 0.0:
        _count(added, base + FIRST_DEVICE + int(record[C_DEVICE]), value)
    if statistic < N_SCOPED and record[C_SOURCE] >= 0.0:
        _count(added, base + FIRST_SOURCE + int(record[C_SOURCE]), value)


@compiled
def _tell(
    added: NDArray[np.float64],
    statistic: int,
    record: NDArray[np.float64],
    is_so: bool,  # noqa: FBT001 (a kernel has no keyword-only arguments)
) -> None:
    """Add yes or no to a statistic."""
    _add(added, statistic, record, 1.0 if is_so else 0.0)


@compiled
def is_implausible(view_time: float, usual_log: float, spread_log: float) -> bool:
    """Say whether a view time is none, or far from what is usual in either direction."""
    if view_time <= 0.0:
        return True
    return abs(np.log2(view_time) - usual_log) > FAR * np.sqrt(spread_log)


@compiled
def signed_log(seconds: float) -> float:
    """Return a time difference on a scale where a minute is 1 and each doubling about one more."""
    return np.sign(seconds) * np.log2(1.0 + abs(seconds) / MINUTE_S)


@compiled
def add_up(raw: Raw, added: NDArray[np.float64], hours: NDArray[np.float64]) -> float:
    """Add a block of records to every statistic; return the median of its event times."""
    middle = np.nanmedian(raw.columns[raw.is_trusted, C_TIME])
    for record in raw.columns:
        outcome = int(record[C_OUTCOME])
        _tell(added, REPEATED, record, outcome == DUPLICATE)
        if outcome == DUPLICATE:
            continue
        _tell(added, REFUSED, record, outcome >= FIRST_REFUSED)
        for reason in range(len(OUTCOMES) - FIRST_REFUSED):
            _tell(added, FIRST_REASON + reason, record, outcome - FIRST_REFUSED == reason)
        if np.isfinite(record[C_TIME]):
            _add_decoded(raw, record, middle, added)
            hours[int(record[C_TIME] % DAY_S // HOUR_S)] += 1.0
    return middle


@compiled
def _add_decoded(
    raw: Raw, record: NDArray[np.float64], middle: float, added: NDArray[np.float64]
) -> None:
    view_time, rating = record[C_VIEW_TIME], record[C_RATING]
    _tell(added, NO_VIEW_TIME, record, np.isnan(view_time))
    _tell(added, NO_RATING, record, np.isnan(rating))
    _add(added, CLOCK, record, signed_log(record[C_TIME] - middle))
    if record[C_WATERMARK] > -np.inf:
        lag = max(record[C_WATERMARK] - record[C_TIME], 0.0)
        _add(added, BEHIND, record, signed_log(lag))
    if int(record[C_OUTCOME]) != RANGE:
        _add_values(raw, record, added)


@compiled
def _add_values(raw: Raw, record: NDArray[np.float64], added: NDArray[np.float64]) -> None:
    """Add what can be true; what cannot is refused as ``range``, and told so."""
    view_time, share, rating = record[C_VIEW_TIME], record[C_SHARE], record[C_RATING]
    if 0.0 < view_time < np.inf:
        bits = min(max(np.log2(view_time), -MOST_BITS), MOST_BITS)
        if raw.spread_log > 0.0:
            bits = min(max(bits, raw.usual_log - FARTHEST_BITS), raw.usual_log + FARTHEST_BITS)
        _add(added, VIEW_TIME, record, bits)
    if not np.isnan(view_time) and raw.spread_log > 0.0:
        is_far = is_implausible(view_time, raw.usual_log, raw.spread_log)
        _tell(added, IMPLAUSIBLE, record, is_far)
    if not np.isnan(share):
        _add(added, SHARE, record, min(max(share, 0.0), 2.0))
    if not np.isnan(rating):
        _add(added, RATING, record, rating)
