"""The quality detectors in dictionaries, straight from the equations of `models.quality_watch`."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from models.quality_state import FIRST_DEVICE, FIRST_GENRE, FIRST_SOURCE
from models.quality_watch import (
    ALLOWANCE,
    BUCKET_BURN_IN,
    BURN_IN_ALL,
    BURN_IN_SCOPE,
    SLOW_RATE,
    THRESHOLD_ALL,
    THRESHOLD_SCOPE,
    USER_SHARE,
)
from tests.models.quality_streams import LONGEST, Event, K, Raised

ALL, NEW, KNOWN = 0, 1, 2
THRESHOLD = {True: THRESHOLD_ALL.tolist(), False: THRESHOLD_SCOPE.tolist()}
STATISTIC = (0, 0, 1)
N_REMEMBERED = 8


@dataclass
class Slow:
    """A mean of all values at first, and in time of those that a slow rate remembers."""

    mean: float = 0.0

    def follow(self, value: float, age: int) -> None:
        self.mean += (value - self.mean) * max(1.0 / age, SLOW_RATE)


@dataclass
class Sum:
    """A cumulative sum and what is known of its beginning."""

    total: float = 0.0
    onset: float = 0.0
    onset_n: int = 0
    before: float = 0.0
    values: list[float] = field(default_factory=list)
    brought: list[list[float]] = field(default_factory=list)


@dataclass
class Scope:
    """What is usual in a scope, by statistic, and its sums, by detector."""

    n: int = 0
    mean: list[Slow] = field(default_factory=lambda: [Slow(), Slow()])
    variance: list[Slow] = field(default_factory=lambda: [Slow(1.0), Slow(1.0)])
    level: list[Slow] = field(default_factory=lambda: [Slow(), Slow()])
    sums: list[Sum] = field(default_factory=lambda: [Sum(), Sum(), Sum()])


class QualityOracle:
    """Takes what `Watched` takes and says what it says."""

    def __init__(self, genres: list[list[int]]) -> None:
        self.genres = genres
        self.buckets: defaultdict[int, list[Slow]] = defaultdict(lambda: [Slow(), Slow()])
        self.ages: defaultdict[int, int] = defaultdict(int)
        self.scopes: defaultdict[int, Scope] = defaultdict(Scope)
        self.n_fed = 0

    def take(self, event: Event) -> list[Raised]:
        rank = event.depth or LONGEST + 1
        values = (-math.log2(1 + rank), 1.0 if 0 < event.depth <= K else 0.0)
        bucket = min(int(math.log2(1 + event.n_events)), 12)
        self.ages[bucket] += 1
        residuals = []
        for mean, value in zip(self.buckets[bucket], values, strict=True):
            residuals.append(value - mean.mean)
            mean.follow(value, self.ages[bucket])
        raised = []
        if self.ages[bucket] > BUCKET_BURN_IN:
            for scope in self._scopes(event):
                raised += self._observe(scope, event.user, values, residuals)
        self.n_fed += 1
        return raised

    def _scopes(self, event: Event) -> list[int]:
        scopes = [ALL, NEW if event.is_new else KNOWN]
        if event.device >= 0:
            scopes.append(FIRST_DEVICE + event.device)
        if event.source >= 0:
            scopes.append(FIRST_SOURCE + event.source)
        return scopes + [FIRST_GENRE + genre for genre in self.genres[event.title]]

    def _observe(
        self, number: int, user: int, values: tuple[float, float], residuals: list[float]
    ) -> list[Raised]:
        scope, raised = self.scopes[number], []
        scope.n += 1
        for detector in range(3):
            s = STATISTIC[detector]
            if scope.n > (BURN_IN_ALL if number == ALL else BURN_IN_SCOPE):
                deviation = math.sqrt(scope.variance[s].mean)
                z = (residuals[s] - scope.mean[s].mean) / deviation
                raised += self._add(
                    number, detector, user, float(-z - ALLOWANCE[detector]), values[s]
                )
            else:
                self._restart(number, detector)
        for s in (0, 1):
            difference = residuals[s] - scope.mean[s].mean
            scope.variance[s].follow(difference**2, scope.n)
            scope.variance[s].mean = max(scope.variance[s].mean, 1e-6)
            scope.mean[s].follow(residuals[s], scope.n)
            scope.level[s].follow(values[s], scope.n)
        return raised

    def _add(
        self, number: int, detector: int, user: int, more: float, value: float
    ) -> list[Raised]:
        scope = self.scopes[number]
        is_most = scope.n > 0.5 * self.scopes[ALL].n
        threshold = THRESHOLD[is_most][detector]
        own = scope.sums[detector]
        if more > 0:
            entry = self._entry(own, user)
            more = max(min(more, float(USER_SHARE[detector]) * threshold - entry[1]), 0.0)
            entry[1] += more
        own.total += more
        if own.total <= 0:
            self._restart(number, detector)
            return []
        own.values.append(value)
        if own.total <= threshold:
            return []
        after = sum(own.values) / len(own.values)
        what = own.onset, own.onset_n, len(own.values), own.before, after
        self._restart(number, detector)
        return [Raised(self.n_fed, detector, number, *what)]

    def _entry(self, own: Sum, user: int) -> list[float]:
        for entry in own.brought:
            if entry[0] == user:
                return entry
        if len(own.brought) == N_REMEMBERED:
            least = min(range(N_REMEMBERED), key=lambda p: own.brought[p][1])
            own.brought[least] = [user, 0.0]
            return own.brought[least]
        own.brought.append([user, 0.0])
        return own.brought[-1]

    def _restart(self, number: int, detector: int) -> None:
        scope = self.scopes[number]
        scope.sums[detector] = Sum(
            onset=float(self.n_fed),
            onset_n=self.scopes[ALL].n,
            before=scope.level[STATISTIC[detector]].mean,
        )
