r"""Kernels that watch the quality of lists: sums of evidence that a scope has become worse.

Each judged event gives two observations: how deep in the shortlist the watched title was,
``-log2(1 + rank)``, and whether it was in the list. How hard a user is to foretell depends on how
long their history is, so an observation is taken relative to the slow mean of its bucket of
log2(history), and then to slow mean and variance of each of its scopes. For such a residual z,
one-sided in the direction of worse,

.. math:: S \leftarrow \max(0, S + \min(-z - \delta, \text{what the user may still add}))

and an alarm is raised when S exceeds the threshold. No user may bring more than a share of the
threshold to one sum: a change of one person is no drift, and people come in sessions, so that one
odd visitor is worth dozens of correlated observations.

Two allowances stand side by side: ``RANK_FAST`` (delta 0.5) for abrupt changes, ``RANK_SLOW`` and
``HIT_SLOW`` (delta 0.2, more users) for small and gradual ones.

References
----------
Page (1954), Continuous Inspection Schemes, Biometrika 41. Hinkley (1971), Inference about the
change-point from cumulative sum tests, Biometrika 58. Thresholds: ``benchmarks/results/drift.md``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.batch import Batch, Judged
from models.compiled import uncounted
from models.quality_state import (
    AGE,
    ALL_EVENTS,
    BEFORE,
    BLOCK_CONCENTRATION,
    BLOCK_GENRES,
    BLOCK_NEW_TITLES,
    BLOCK_NEW_USERS,
    EVIDENCE,
    FIRST_DEVICE,
    FIRST_GENRE,
    FIRST_SOURCE,
    HIT,
    HIT_SLOW,
    KNOWN_USERS,
    LEVEL,
    MAX_SCOPES,
    MEAN,
    N_ALARMS,
    N_BUCKETS,
    N_DETECTORS,
    N_IN_BLOCK,
    N_LATEST,
    N_SINCE,
    N_STATISTICS,
    N_SUSPECTS,
    NEW_USERS,
    ONSET,
    ONSET_N,
    RANK,
    SUM_SINCE,
    VARIANCE,
    N,
    QualityWatch,
)
from models.state import MAX_GENRES, Titles

Pair = tuple[float, float]
"""A number for each statistic."""
Event = tuple[int, float, Pair, Pair, bool]
"""User, event time, values, residuals, and whether the scope is everything."""
SLOW_RATE = 5e-5
"""Means and variances reach back about 20,000 events, further than a gradual change takes."""
BURN_IN_ALL, BURN_IN_SCOPE = 1_000, 200
"""Judged events before a scope may raise an alarm."""
BUCKET_BURN_IN = 20
# by detector: RANK_FAST, RANK_SLOW, HIT_SLOW
ALLOWANCE = np.array([0.5, 0.2, 0.2])
THRESHOLD_ALL = np.array([20.0, 64.0, 64.0])
THRESHOLD_SCOPE = np.array([16.0, 64.0, 64.0])
MOST = 0.5
"""A scope with a larger share of the events has the threshold of all."""
USER_SHARE = np.array([2 / 3, 0.2, 0.2])
"""Most of a threshold that one user may bring."""
POPULARITY_COLUMN = 3
"""The popularity with a half-life of 12 hours, for concentration."""
POPULARITY_RATE = 1.0 / (12 * 3600.0)
NEW_USER_BIT, NEVER_SEEN_BIT = 1, 8


@uncounted
def scopes_of(
    titles: Titles, batch: Batch, e: int, segment: int, scopes: NDArray[np.int16]
) -> None:
    """Write the scopes of an event, padded with -1."""
    for p in range(MAX_SCOPES):
        scopes[p] = -1
    scopes[0] = ALL_EVENTS
    scopes[1] = NEW_USERS if segment & NEW_USER_BIT else KNOWN_USERS
    if batch.device[e] >= 0:
        scopes[2] = FIRST_DEVICE + batch.device[e]
    if batch.source[e] >= 0:
        scopes[3] = FIRST_SOURCE + batch.source[e]
    for g in range(MAX_GENRES):
        genre = titles.genres[batch.title[e], g]
        if genre < 0:
            break
        scopes[4 + g] = FIRST_GENRE + genre


@uncounted
def watch_quality(
    quality: QualityWatch,
    titles: Titles,
    batch: Batch,
    e: int,
    judged: Judged,
    n_events: int,
    n_listed: int,
) -> None:
    """Take a judged event whose title could have been listed into every sum it belongs to.

    ``n_events`` is the length of the user's history, ``n_listed`` that of the shortlist. What
    counts is the shortlist that learning draws, never the list that was shown: learning may not
    depend on the protocol, and alarms make it adapt.
    """
    depth = judged.depth[e] if judged.depth[e] > 0 else n_listed + 1
    is_hit = 0 < depth <= judged.listed.shape[1]
    value = (-np.log2(1.0 + depth), 1.0 if is_hit else 0.0)
    bucket = min(int(np.log2(1.0 + n_events)), N_BUCKETS - 1)
    quality.bucket_age[bucket] += 1
    rate = max(SLOW_RATE, 1.0 / quality.bucket_age[bucket])
    means = quality.bucket_mean
    residual = (value[RANK] - means[RANK, bucket], value[HIT] - means[HIT, bucket])
    means[RANK, bucket] += rate * residual[RANK]
    means[HIT, bucket] += rate * residual[HIT]
    if quality.bucket_age[bucket] <= BUCKET_BURN_IN:
        return
    n_all = int(quality.means[ALL_EVENTS, N])
    slot = n_all % N_LATEST
    scopes = quality.latest_scopes[slot]
    scopes_of(titles, batch, e, judged.segment[e], scopes)
    quality.latest_residual[slot] = residual[RANK] - quality.means[ALL_EVENTS, MEAN + RANK]
    quality.latest_hit[slot] = is_hit
    user, time = batch.user[e], batch.time[e]
    means, sums, suspects, amounts = (
        quality.means,
        quality.sums,
        quality.suspects,
        quality.amounts,
    )
    for p in range(MAX_SCOPES):
        s = scopes[p]
        if s < 0:
            continue
        event = (user, time, value, residual, s == ALL_EVENTS)
        raised = _observe(means[s], sums[s], suspects[s], amounts[s], n_all + 1, event)
        for detector in range(N_DETECTORS if raised else 0):
            if raised & (1 << detector):
                _raise_alarm(quality, detector, s, time)
        _follow(means[s], value, residual)


@uncounted
def _observe(
    mean: NDArray[np.float64],
    sums: NDArray[np.float64],
    suspects: NDArray[np.int32],
    amounts: NDArray[np.float64],
    n_all: int,
    event: Event,
) -> int:
    """Let every detector of a scope see an event.

    All arrays are the scope's own. Return the bits of the detectors that raise an alarm.
    """
    user, time, value, residual, is_all = event
    mean[N] += 1.0
    mean[AGE] += 1.0
    raised = 0
    is_ready = mean[N] > (BURN_IN_ALL if is_all else BURN_IN_SCOPE)
    is_most = mean[N] > MOST * n_all
    worse = (
        (mean[MEAN + RANK] - residual[RANK]) / np.sqrt(mean[VARIANCE + RANK]),
        (mean[MEAN + HIT] - residual[HIT]) / np.sqrt(mean[VARIANCE + HIT]),
    )
    for detector in range(N_DETECTORS):
        statistic = HIT if detector == HIT_SLOW else RANK
        threshold = THRESHOLD_ALL[detector] if is_most else THRESHOLD_SCOPE[detector]
        total = 0.0
        if is_ready:
            more = worse[statistic] - ALLOWANCE[detector]
            if more > 0.0:
                most = USER_SHARE[detector] * threshold
                more = _within_share(suspects[detector], amounts[detector], user, more, most)
            total = sums[detector, EVIDENCE] + more
        if total > 0.0:
            sums[detector, EVIDENCE] = total
            sums[detector, N_SINCE] += 1.0
            sums[detector, SUM_SINCE] += value[statistic]
            raised |= int(total > threshold) << detector
        else:
            if sums[detector, N_SINCE] > 0.0:
                _begin(sums[detector], suspects[detector], amounts[detector])
            sums[detector, ONSET] = time
            sums[detector, ONSET_N] = n_all
            sums[detector, BEFORE] = mean[LEVEL + statistic]
    return raised


@uncounted
def _follow(mean: NDArray[np.float64], value: Pair, residual: Pair) -> None:
    """Let the slow means of a scope follow an event."""
    rate = max(SLOW_RATE, 1.0 / mean[AGE])
    for s in range(N_STATISTICS):
        difference = residual[s] - mean[MEAN + s]
        variance = mean[VARIANCE + s]
        mean[VARIANCE + s] = max(variance + rate * (difference * difference - variance), 1e-6)
        mean[MEAN + s] += rate * difference
        mean[LEVEL + s] += rate * (value[s] - mean[LEVEL + s])


@uncounted
def _begin(
    sums: NDArray[np.float64], suspects: NDArray[np.int32], amounts: NDArray[np.float64]
) -> None:
    """Suspect nothing."""
    sums[EVIDENCE] = sums[N_SINCE] = sums[SUM_SINCE] = 0.0
    for p in range(N_SUSPECTS):
        suspects[p], amounts[p] = -1, 0.0


@uncounted
def _within_share(
    suspects: NDArray[np.int32],
    amounts: NDArray[np.float64],
    user: int,
    more: float,
    most: float,
) -> float:
    """Return how much of ``more`` a user may still add to a sum, and note it.

    The eight who brought most are remembered; the least of them makes room for another.
    """
    place = 0
    for p in range(N_SUSPECTS):
        if suspects[p] == user:
            place = p
            break
        if amounts[p] < amounts[place]:
            place = p
    if suspects[place] != user:
        suspects[place], amounts[place] = user, 0.0
    added = max(min(more, most - amounts[place]), 0.0)  # a scope's threshold may have fallen
    amounts[place] += added
    return added


@uncounted
def _raise_alarm(quality: QualityWatch, detector: int, scope: int, time: float) -> None:
    """Note an alarm; what is suspected later began after this event."""
    at, sums = quality.counts[N_ALARMS], quality.sums[scope, detector]
    quality.alarm[at, 0], quality.alarm[at, 1] = detector, scope
    values = quality.alarm_values[at]
    values[0], values[1], values[2] = sums[ONSET], sums[ONSET_N], sums[N_SINCE]
    values[3], values[4] = sums[BEFORE], sums[SUM_SINCE] / sums[N_SINCE]
    quality.counts[N_ALARMS] += 1
    _begin(sums, quality.suspects[scope, detector], quality.amounts[scope, detector])
    sums[ONSET], sums[ONSET_N] = time, quality.means[ALL_EVENTS, N]
    statistic = HIT if detector == HIT_SLOW else RANK
    sums[BEFORE] = quality.means[scope, LEVEL + statistic]


@uncounted
def sum_block(
    quality: QualityWatch, titles: Titles, batch: Batch, e: int, segment: int, n_events: int
) -> None:
    """Add an accepted event, before it is learned, to the sums of the open block.

    ``n_events`` is the length of the user's history.
    """
    title, block, total = batch.title[e], quality.block, quality.total
    time = max(batch.time[e], total[1])
    total[0] *= np.exp2((total[1] - time) * POPULARITY_RATE)
    total[1] = time
    idle = max(time - titles.popularity_time[title], 0.0)
    share = titles.popularity[title, POPULARITY_COLUMN] * np.exp2(-idle * POPULARITY_RATE)
    block[BLOCK_CONCENTRATION] += -np.log2(1e-4 + min(share / max(total[0], 1.0), 1.0))
    total[0] += 1.0
    block[BLOCK_NEW_USERS] += n_events == 0
    block[BLOCK_NEW_TITLES] += (segment & NEVER_SEEN_BIT) > 0
    n_genres = 0
    for g in range(MAX_GENRES):
        n_genres += titles.genres[title, g] >= 0
    for g in range(n_genres):
        block[BLOCK_GENRES + titles.genres[title, g]] += 1.0 / n_genres
    quality.counts[N_IN_BLOCK] += 1


assert HIT_SLOW == N_DETECTORS - 1  # noqa: S101 (the tables above have a column each)
