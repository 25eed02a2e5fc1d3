r"""How well alarms tell of changes whose truth is known.

A change is detected by the first alarm in its *zone*: from its beginning to its end, for one that
takes time, and a horizon beyond that. Further alarms of a zone are repetitions, alarms outside of
all zones are *false*. With D the delays of the changes that were detected:

- missed detection rate MDR: changes not detected, over changes;
- mean time to detection MTD: mean of D; the median is given beside it;
- mean time between false alarms MTFA: quiet events (outside of every zone) over false alarms;
- mean time ratio :math:`\mathrm{MTR} = \frac{\mathrm{MTFA}}{\mathrm{MTD}} (1 - \mathrm{MDR})`:
  larger is better, and an alarm every N events gets little. Without a false alarm MTFA is taken as
  the quiet events, so MTR is then a lower bound;
- false alarms per 10,000 quiet events;
- precision: changes detected over alarms, so that a repetition costs as much as a false alarm;
- recall: changes detected over changes.

References
----------
Gustafsson (2000), Adaptive Filtering and Change Detection, Wiley, §1.5 (MTD, MTFA, MDR).
Bifet, Read, Pfahringer, Holmes, Žliobaitė (2013), CD-MOA: Change Detection Framework for Massive
Online Analysis, IDA. Bifet (2017), Classifier Concept Drift Detection and the Illusion of Progress,
ICAISC, §3 (MTR, and detectors that fire every N instances beside real ones).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import NamedTuple

PER = 10_000


class Zone(NamedTuple):
    """Where a change is planted: positions of its first event and of the one that completes it.

    ``end`` is ``begin`` for an abrupt change that lasts.
    """

    begin: int
    end: int


def match(zones: Sequence[Zone], alarms: Sequence[int], horizon: int) -> list[int | None]:
    """Return for each alarm the change that it tells of, None if it is false.

    Parameters
    ----------
    zones
        Changes, in any order.
    alarms
        Positions, in order.
    horizon
        Events after a change is complete in which an alarm still tells of it.

    Where zones overlap an alarm tells of a change that no alarm told of before, the latest begun
    among several.

    Examples
    --------
    >>> match([Zone(100, 100), Zone(500, 700)], [99, 130, 140, 690, 750, 900], horizon=100)
    [None, 0, 0, 1, 1, None]
    """
    told: set[int] = set()
    found: list[int | None] = []
    for alarm in alarms:
        inside = [n for n, zone in enumerate(zones) if zone.begin <= alarm < zone.end + horizon]
        best = max(inside, key=lambda n: (n not in told, zones[n].begin), default=None)
        if best is not None:
            told.add(best)
        found.append(best)
    return found


@dataclass(slots=True)
class Scores:
    """Counts of one or more streams, and what follows from them.

    Attributes
    ----------
    n_changes, n_alarms, n_false : int
        Planted changes, alarms, and alarms outside of every zone.
    n_quiet : int
        Events outside of every zone.
    delays : list[int]
        Events from the beginning of each detected change to its first alarm.
    """

    n_changes: int = 0
    n_alarms: int = 0
    n_false: int = 0
    n_quiet: int = 0
    delays: list[int] = field(default_factory=list)

    @property
    def n_detected(self) -> int:
        """Changes that an alarm told of."""
        return len(self.delays)

    @property
    def missed_rate(self) -> float:
        """MDR; NaN without changes."""
        return 1.0 - self.recall

    @property
    def recall(self) -> float:
        """Detected over planted changes; NaN without changes."""
        return self.n_detected / self.n_changes if self.n_changes else math.nan

    @property
    def precision(self) -> float:
        """Detected changes over alarms; NaN without alarms."""
        return self.n_detected / self.n_alarms if self.n_alarms else math.nan

    @property
    def false_rate(self) -> float:
        """False alarms per 10,000 quiet events; NaN without quiet events."""
        return PER * self.n_false / self.n_quiet if self.n_quiet else math.nan

    @property
    def mean_delay(self) -> float:
        """MTD; NaN if nothing was detected."""
        return fmean(self.delays) if self.delays else math.nan

    @property
    def median_delay(self) -> float:
        """Median of the delays; NaN if nothing was detected."""
        return median(self.delays) if self.delays else math.nan

    @property
    def mean_time_ratio(self) -> float:
        """MTR; 0 if nothing was detected, NaN without changes."""
        if not self.delays:
            return 0.0 if self.n_changes else math.nan
        between = self.n_quiet / max(self.n_false, 1)
        return between / max(self.mean_delay, 1.0) * self.recall


def score(zones: Sequence[Zone], alarms: Sequence[int], *, horizon: int, n_events: int) -> Scores:
    """Return the scores of one stream of ``n_events``; alarms in order, positions from 0.

    Examples
    --------
    >>> one = score([Zone(5_000, 5_000)], [2_000, 5_080, 5_500], horizon=1_000, n_events=21_000)
    >>> one.delays, one.n_false, one.false_rate, round(one.precision, 3), one.mean_time_ratio
    ([80], 1, 0.5, 0.333, 250.0)
    """
    found = match(zones, alarms, horizon)
    first: dict[int, int] = {}
    for alarm, change in zip(alarms, found, strict=True):
        if change is not None:
            first.setdefault(change, alarm - zones[change].begin)
    return Scores(
        n_changes=len(zones),
        n_alarms=len(alarms),
        n_false=found.count(None),
        n_quiet=n_events - _covered(zones, horizon, n_events),
        delays=[first[change] for change in sorted(first)],
    )


def total(parts: Iterable[Scores]) -> Scores:
    """Return the scores of several streams as one."""
    whole = Scores()
    for part in parts:
        whole.n_changes += part.n_changes
        whole.n_alarms += part.n_alarms
        whole.n_false += part.n_false
        whole.n_quiet += part.n_quiet
        whole.delays += part.delays
    return whole


def _covered(zones: Sequence[Zone], horizon: int, n_events: int) -> int:
    """Return how many events are in some zone."""
    covered, reached = 0, 0
    for begin, end in sorted(zones):
        last = min(end + horizon, n_events)
        covered += max(last - max(begin, reached), 0)
        reached = max(reached, last)
    return covered
