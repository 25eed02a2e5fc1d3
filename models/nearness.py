"""How near detectors are to an alarm, and how good lists are by scope: numbers to be shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models import mix_watch, raw_statistics
from models.input_watch import InputWatch
from models.level_watch import LevelWatch
from models.levels import LAMBDA
from models.mix_watch import MixWatch
from models.names import Names
from models.quality_alarms import STATISTICS as BY_DETECTOR
from models.quality_alarms import QualityAlarms
from models.quality_state import ALL_EVENTS, HIT, QualityWatch
from models.quality_watch import BURN_IN_SCOPE, MOST, THRESHOLD_ALL, THRESHOLD_SCOPE

STATISTICS = (*dict.fromkeys(BY_DETECTOR), *raw_statistics.NAMES, *mix_watch.NAMES)
"""Everything that is watched: quality of lists, raw records, accepted events."""
MOST_SCOPES = 32


def quality_nearness(quality: QualityWatch) -> dict[str, float]:
    """Return the largest sum of evidence over its threshold, by statistic.

    Examples
    --------
    >>> from models.quality_state import EVIDENCE, RANK_FAST, new_quality_watch
    >>> quality = new_quality_watch()
    >>> quality.n[ALL_EVENTS], quality.sums[ALL_EVENTS, RANK_FAST, EVIDENCE] = 1.0, 5.0
    >>> quality_nearness(quality)
    {'rank': 0.25, 'hit': 0.0}
    """
    is_most = quality.n > MOST * quality.n[ALL_EVENTS]
    thresholds = np.where(is_most, THRESHOLD_ALL[:, None], THRESHOLD_SCOPE[:, None])
    shares = (quality.evidence / thresholds).max(axis=1).tolist()
    return {
        statistic: max(
            share for name, share in zip(BY_DETECTOR, shares, strict=True) if name == statistic
        )
        for statistic in dict.fromkeys(BY_DETECTOR)
    }


def input_nearness(inputs: InputWatch) -> dict[str, float]:
    """Return how near the statistics of raw records are, each the nearest of its scopes."""
    names = raw_statistics.NAMES
    nearest = level_nearness(inputs.watch).reshape(len(names), -1).max(axis=1)
    return dict(zip(names, nearest.tolist(), strict=True))


def mix_nearness(mix: MixWatch) -> dict[str, float]:
    """Return how near the statistics of accepted events are; of genres the nearest."""
    nearness = level_nearness(mix.watch)
    first = mix_watch.FIRST_GENRE
    nearest = [*nearness[:first].tolist(), float(nearness[first:].max())]
    return dict(zip(mix_watch.NAMES, nearest, strict=True))


def level_nearness(watch: LevelWatch) -> NDArray[np.float64]:
    """Return each level's test over its threshold, at most 1, and 1 while it is raised."""
    levels = watch.levels
    up = levels["rise"] - levels["least_rise"]
    down = np.where(watch.rules["only_up"], 0.0, levels["most_fall"] - levels["fall"])
    nearness = np.clip(np.maximum(up, down) / LAMBDA, 0.0, 1.0)
    return np.where(levels["is_raised"], 1.0, nearness)


def scope_recalls(quality: QualityAlarms, genres: Names) -> dict[str, float]:
    """Return the slow mean of the hit rate by name, of scopes that have enough judged events.

    The `MOST_SCOPES` with most of them. After an alarm a mean begins anew: then it soon tells how
    things are since the change.
    """
    state = quality.state
    known = np.flatnonzero(state.n > BURN_IN_SCOPE)
    most = known[np.argsort(-state.n[known], kind="stable")][:MOST_SCOPES].tolist()
    hits = state.level[HIT]
    return {quality.scope_name(scope, genres): float(hits[scope]) for scope in most}
