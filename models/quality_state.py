"""The arrays of the detectors that watch how well lists foretell what people watch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.state import MAX_GENRES, N_GENRES

N_LABELS = 16
"""Distinct devices, and distinct sources, that are watched one by one; others only count in all."""
ALL_EVENTS, NEW_USERS, KNOWN_USERS, FIRST_DEVICE = range(4)
FIRST_SOURCE = FIRST_DEVICE + N_LABELS
FIRST_GENRE = FIRST_SOURCE + N_LABELS
N_SCOPES = FIRST_GENRE + N_GENRES
MAX_SCOPES = 4 + MAX_GENRES
"""Scopes of one event: all, new or known users, its device, its source, and its genres."""

RANK, HIT = range(2)
N_STATISTICS = 2
RANK_FAST, RANK_SLOW, HIT_SLOW = range(3)
N_DETECTORS = 3
STATISTIC_OF = np.array([RANK, RANK, HIT])
N_SUSPECTS = 8
N_BUCKETS = 13
"""Buckets of log2(1 + events of the user so far)."""
N_LATEST = 4096
"""Latest judged events that are kept one by one, to find out who is behind an alarm."""
MAX_ALARMS = N_DETECTORS * MAX_SCOPES
"""An event may raise every sum it belongs to."""

BLOCK = 64
"""Accepted events whose sums make one observation of `QualityWatch.block`."""
BLOCK_NEW_USERS, BLOCK_NEW_TITLES, BLOCK_CONCENTRATION, BLOCK_GENRES = range(4)


class QualityWatch(NamedTuple):
    """Everything that detectors of quality remember.

    Residuals are standardised twice: by the bucket of the user's history, then by the scope.

    What is updated together lies together, as ``means`` and ``sums``; the properties are views of
    them by name.

    Attributes
    ----------
    bucket_mean, bucket_age : float64[statistics, buckets], int64[buckets]
        Slow means by length of history, and their age in judged events: less after an alarm.
    means : float64[scopes, 8]
        ``mean``, ``variance``, ``level``, ``n`` and ``age`` of a scope.
    sums : float64[scopes, detectors, 6]
        ``evidence``, ``onset``, ``onset_n``, ``n_since``, ``sum_since`` and ``before``.
    suspects, amounts : int32 and float64[scopes, detectors, N_SUSPECTS]
        Users behind the evidence, and how much of it each brought.
    latest_residual, latest_hit, latest_scopes : float32, uint8, int16 of N_LATEST
        The latest judged events, by their number modulo N_LATEST; a hit's bit says 1.
    alarm : int32[MAX_ALARMS, 2]
        Detector and scope of the alarms that the last event raised.
    alarm_values : float64[MAX_ALARMS, 5]
        Their onset, judged events so far at the onset, events since, before and after.
    counts : int64[2]
        Alarms raised by the last event; accepted events in the open block.
    block : float64[BLOCK_GENRES + N_GENRES]
        Sums over the open block.
    total : float64[2]
        Decayed views of all titles, and the time they were brought to.
    """

    bucket_mean: NDArray[np.float64]
    bucket_age: NDArray[np.int64]
    means: NDArray[np.float64]
    sums: NDArray[np.float64]
    suspects: NDArray[np.int32]
    amounts: NDArray[np.float64]
    latest_residual: NDArray[np.float32]
    latest_hit: NDArray[np.uint8]
    latest_scopes: NDArray[np.int16]
    alarm: NDArray[np.int32]
    alarm_values: NDArray[np.float64]
    counts: NDArray[np.int64]
    block: NDArray[np.float64]
    total: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Slow means of the residuals, float64[statistics, scopes]."""
        return self.means[:, MEAN : MEAN + N_STATISTICS].T

    @property
    def variance(self) -> NDArray[np.float64]:
        """Slow variances of the residuals, float64[statistics, scopes]."""
        return self.means[:, VARIANCE : VARIANCE + N_STATISTICS].T

    @property
    def level(self) -> NDArray[np.float64]:
        """Slow means of the statistics themselves, float64[statistics, scopes]."""
        return self.means[:, LEVEL : LEVEL + N_STATISTICS].T

    @property
    def n(self) -> NDArray[np.float64]:
        """Judged events of each scope."""
        return self.means[:, N]

    @property
    def age(self) -> NDArray[np.float64]:
        """Judged events of each scope's slow means: fewer after an alarm."""
        return self.means[:, AGE]

    @property
    def evidence(self) -> NDArray[np.float64]:
        """Cumulative sums, 0 while nothing is suspected; float64[detectors, scopes]."""
        return self.sums[:, :, EVIDENCE].T

    @property
    def onset(self) -> NDArray[np.float64]:
        """Event times at which the sums last were 0."""
        return self.sums[:, :, ONSET].T

    @property
    def onset_n(self) -> NDArray[np.float64]:
        """Judged events so far, when the sums last were 0."""
        return self.sums[:, :, ONSET_N].T

    @property
    def n_since(self) -> NDArray[np.float64]:
        """Events since then."""
        return self.sums[:, :, N_SINCE].T

    @property
    def sum_since(self) -> NDArray[np.float64]:
        """Sums of the statistics over these events."""
        return self.sums[:, :, SUM_SINCE].T

    @property
    def before(self) -> NDArray[np.float64]:
        """Levels as they were then."""
        return self.sums[:, :, BEFORE].T

    @property
    def suspect(self) -> NDArray[np.int32]:
        """Users behind the sums, int32[detectors, scopes, N_SUSPECTS]; -1 for none."""
        return self.suspects.transpose(1, 0, 2)

    @property
    def amount(self) -> NDArray[np.float64]:
        """How much each of them brought."""
        return self.amounts.transpose(1, 0, 2)


MEAN, VARIANCE, LEVEL, N, AGE = 0, 2, 4, 6, 7
N_MEANS = 8
EVIDENCE, ONSET, ONSET_N, N_SINCE, SUM_SINCE, BEFORE = range(6)
N_SUMS = 6
N_ALARMS, N_IN_BLOCK = range(2)


def new_quality_watch() -> QualityWatch:
    """Return the state of detectors that have seen nothing: about 300 kB."""
    means = np.zeros((N_SCOPES, N_MEANS))
    means[:, VARIANCE : VARIANCE + N_STATISTICS] = 1.0
    return QualityWatch(
        bucket_mean=np.zeros((N_STATISTICS, N_BUCKETS)),
        bucket_age=np.zeros(N_BUCKETS, np.int64),
        means=means,
        sums=np.zeros((N_SCOPES, N_DETECTORS, N_SUMS)),
        suspects=np.full((N_SCOPES, N_DETECTORS, N_SUSPECTS), -1, np.int32),
        amounts=np.zeros((N_SCOPES, N_DETECTORS, N_SUSPECTS)),
        latest_residual=np.zeros(N_LATEST, np.float32),
        latest_hit=np.zeros(N_LATEST, np.uint8),
        latest_scopes=np.full((N_LATEST, MAX_SCOPES), -1, np.int16),
        alarm=np.zeros((MAX_ALARMS, 2), np.int32),
        alarm_values=np.zeros((MAX_ALARMS, 5)),
        counts=np.zeros(2, np.int64),
        block=np.zeros(BLOCK_GENRES + N_GENRES),
        total=np.zeros(2),
    )
