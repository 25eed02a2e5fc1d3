"""Robust running statistics of view times: medians by title, outlier bounds by length."""

from __future__ import annotations

import math
from array import array
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

import numpy as np

from models.packing import pack_strings, unpack_strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RECENT = 15
"""Observations of a title: odd, so that a full ring's median is one of them."""
RECENT_OVERALL = 255

SHORTEST, LONGEST = -16, 48
"""Exponents of 2 between which lengths are told apart, in whatever unit they are given."""
UNKNOWN_LENGTH = 2048
"""No float has this exponent."""
FIRST_BOUND_AFTER = 100
BOUND_EVERY = 64
SPREADS = 1.5
MIN_SPREAD = 1.0
"""Of log1p(view time): where everybody watches to the end, only 4.5 times that is an outlier."""
LARGEST_EXPONENT = 700.0
"""exp overflows a little above."""


def quantile(ordered: list[float], q: float) -> float:
    """Return the quantile of a sorted list, interpolated linearly between its neighbours.

    Examples
    --------
    >>> quantile([1.0, 2.0, 4.0, 9.0], 0.5)
    3.0
    """
    position = q * (len(ordered) - 1)
    below = int(position)
    share = position - below
    if not share:
        return ordered[below]
    # Not a + share · (b - a), which overflows when both ends are extreme.
    return (1.0 - share) * ordered[below] + share * ordered[below + 1]


class RunningMedians:
    """The median of a title's last 15 observations, and of everybody's last 255.

    Exact, not approximated. An observation costs constant time, a median the sorting of its
    window. A title takes about 300 bytes. When there are too many titles, the one whose last
    observation is oldest is forgotten.

    Parameters
    ----------
    max_titles
        Largest number of titles.

    Examples
    --------
    >>> shares = RunningMedians(max_titles=1000)
    >>> for share in (0.2, 0.9, 1.0):
    ...     shares.observe("181", share)
    >>> shares.of_title("181"), shares.of_title("7"), shares.overall()
    (0.9, None, 0.9)
    """

    def __init__(self, max_titles: int) -> None:
        self.max_titles = max_titles
        self._rows: OrderedDict[str, int] = OrderedDict()
        self._seen = array("q")
        self._rings = array("d")
        self._overall: deque[float] = deque(maxlen=RECENT_OVERALL)

    def observe(self, content_id: str, value: float) -> None:
        """Take in one observation of a title."""
        self._overall.append(value)
        row = self._rows.get(content_id)
        if row is None:
            row = self._admit(content_id)
        else:
            self._rows.move_to_end(content_id)
        seen = self._seen[row]
        self._rings[row * RECENT + seen % RECENT] = value
        self._seen[row] = seen + 1

    def _admit(self, content_id: str) -> int:
        if len(self._rows) >= self.max_titles:
            _, row = self._rows.popitem(last=False)
            self._seen[row] = 0
        else:
            row = len(self._rows)
            self._seen.append(0)
            self._rings.extend([0.0] * RECENT)
        self._rows[content_id] = row
        return row

    def of_title(self, content_id: str) -> float | None:
        """Return the median of the title, None when it has no observation."""
        row = self._rows.get(content_id)
        if row is None:
            return None
        start = row * RECENT
        return quantile(sorted(self._rings[start : start + min(self._seen[row], RECENT)]), 0.5)

    def typical(self, content_id: str) -> float | None:
        """Return the median of the title, else of all titles."""
        median = self.of_title(content_id)
        return self.overall() if median is None else median

    def overall(self) -> float | None:
        """Return the median over all titles, None before the first observation."""
        return quantile(sorted(self._overall), 0.5) if self._overall else None

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return titles in the order of their last observation, with their rings."""
        rows = np.fromiter(self._rows.values(), np.int64, len(self._rows))
        rings = np.array(self._rings, np.float64).reshape(-1, RECENT)
        return {
            **pack_strings("titles", self._rows),
            "seen": np.array(self._seen, np.int64)[rows],
            "rings": rings[rows],
            "overall": np.array(self._overall, np.float64),
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue where the snapshot was taken."""
        titles = unpack_strings("titles", arrays)
        self._rows = OrderedDict(zip(titles, range(len(titles)), strict=True))
        self._seen = array("q", arrays["seen"].tolist())
        self._rings = array("d", arrays["rings"].ravel().tolist())
        self._overall = deque(arrays["overall"].tolist(), maxlen=RECENT_OVERALL)


class LengthBucket:
    """View times of titles of about one length: the last 255 as log1p, and their bound."""

    __slots__ = ("bound", "recent", "seen")

    def __init__(
        self, recent: Iterable[float] = (), seen: int = 0, bound: float = math.inf
    ) -> None:
        self.recent = deque(recent, maxlen=RECENT_OVERALL)
        self.seen = seen
        self.bound = bound

    def observe(self, view_time: float) -> None:
        """Take in a raw view time and move the bound when it is due."""
        self.recent.append(math.log1p(view_time))
        self.seen += 1
        overdue = self.seen - FIRST_BOUND_AFTER
        if overdue >= 0 and overdue % BOUND_EVERY == 0:
            self.bound = upper_bound(sorted(self.recent))


def upper_bound(ordered: list[float]) -> float:
    """Return the view time above which a view is an outlier, from sorted log1p(view time)."""
    lower, upper = quantile(ordered, 0.25), quantile(ordered, 0.75)
    fence = upper + SPREADS * max(upper - lower, MIN_SPREAD)
    return math.expm1(fence) if fence < LARGEST_EXPONENT else math.inf


class OutlierBounds:
    """How long a view of a title of some length can be believed to last.

    The bound is Tukey's fence on the logarithm of view times, x = log1p(view time):
    expm1(q75(x) + 1.5 max(q75(x) - q25(x), 1)), over the last 255 views of titles whose duration
    lies between the same powers of two; titles of unknown duration share one bucket. It is active
    after 100 views of the bucket and moves every 64. Raw view times enter, so a bound that was too
    low widens by itself.

    Memory: at most 66 buckets of 255 numbers.

    References
    ----------
    Tukey, "Exploratory Data Analysis", Addison-Wesley 1977, section 2D.

    Examples
    --------
    >>> bounds = OutlierBounds()
    >>> for view_time in [60.0, 90.0, 100.0, 110.0] * 25:
    ...     clipped = bounds.clip(view_time, 120.0)
    >>> round(bounds.clip(86_400.0, 120.0))
    462
    """

    def __init__(self) -> None:
        self._buckets: dict[int, LengthBucket] = {}

    def clip(self, view_time: float, duration: float | None) -> float:
        """Return the view time or its bound as of before this view, then learn from the raw one."""
        length = UNKNOWN_LENGTH if duration is None else math.frexp(duration)[1]
        bucket = self._buckets.get(length)
        if bucket is None:
            bucket = self._new_bucket(length)
        bound = bucket.bound
        bucket.observe(view_time)
        return min(view_time, bound)

    def _new_bucket(self, length: int) -> LengthBucket:
        if length != UNKNOWN_LENGTH:
            length = min(max(length, SHORTEST), LONGEST)
        return self._buckets.setdefault(length, LengthBucket())

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return the buckets one after the other, each with the length of its window."""
        buckets = self._buckets.values()
        return {
            "lengths": np.array(list(self._buckets), np.int64),
            "seen": np.array([bucket.seen for bucket in buckets], np.int64),
            "bounds": np.array([bucket.bound for bucket in buckets], np.float64),
            "sizes": np.array([len(bucket.recent) for bucket in buckets], np.int64),
            "recent": np.array([x for bucket in buckets for x in bucket.recent], np.float64),
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue where the snapshot was taken."""
        windows = np.split(arrays["recent"], np.cumsum(arrays["sizes"])[:-1])
        columns = (arrays[name].tolist() for name in ("lengths", "seen", "bounds"))
        self._buckets = {
            length: LengthBucket(recent.tolist(), seen, bound)
            for length, seen, bound, recent in zip(*columns, windows, strict=False)
        }
