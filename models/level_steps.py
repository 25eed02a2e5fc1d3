"""Kernels that take blocks of observations into levels; `models.levels` says what they compute."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.levels import (
    BACK,
    CALM,
    DELTA,
    DOWN,
    FEW_BLOCKS,
    FURTHER,
    IS_BACK,
    LAMBDA,
    LARGEST_SPREAD,
    LARGEST_STEP,
    LONG,
    N_LATEST,
    RAISED,
    SETTLED,
    SLOWEST_RATE,
    UP,
)
from models.page_hinkley import restart_test, update_test


@compiled
def effect(level: Any, rule: Any) -> float:  # noqa: ANN401 (records, of types that numba knows)
    """Return the smallest change of a level that is worth an alarm."""
    spread = max(level.spread, rule.least_spread)
    return max(rule.least, rule.ratio * abs(level.mean), rule.deviations * np.sqrt(spread))


@compiled
def unit(level: Any, rule: Any) -> float:  # noqa: ANN401
    """Return what the changes of a level are measured in."""
    spread = max(level.spread, rule.least_spread)
    noise = np.sqrt(max(level.variance, LONG * level.long_variance))
    noise *= 1.0 + FEW_BLOCKS / max(level.n_blocks, 1)
    return max(noise, np.sqrt(spread / rule.block), effect(level, rule))


@compiled
def learn_usual(level: Any, rule: Any, y: float, spread: float) -> None:  # noqa: ANN401
    """Let a block move what is usual."""
    rate = max(1.0 / (level.n_blocks + 1), SLOWEST_RATE)
    deviation = y - level.mean
    if level.n_blocks >= FEW_BLOCKS:
        limit = LARGEST_STEP * unit(level, rule)
        deviation = min(max(deviation, -limit), limit)
    if level.n_blocks == 0:
        level.mean, deviation = y, 0.0
    level.n_blocks += 1
    level.mean += rate * deviation
    level.variance = (1.0 - rate) * (level.variance + rate * deviation * deviation)
    if level.n_blocks > LONG:
        spread = min(spread, LARGEST_SPREAD * max(level.spread, rule.least_spread))
    level.spread += rate * (spread - level.spread)
    level.long_n += 1
    level.long_total += deviation
    if level.long_n == LONG:
        mean = level.long_total / LONG
        level.n_long += 1
        rate = max(1.0 / level.n_long, LONG * SLOWEST_RATE)
        level.long_variance += rate * (mean * mean - level.long_variance)
        level.long_n, level.long_total = 0, 0.0


@compiled
def learn_later(level: Any, rule: Any, y: float, spread: float) -> None:  # noqa: ANN401
    """Let a block wait, and the one that has waited longest move what is usual."""
    place = level.n_waiting % rule.wait
    if level.n_waiting >= rule.wait:
        learn_usual(level, rule, level.waiting[place, 0], level.waiting[place, 1])
    level.waiting[place, 0], level.waiting[place, 1] = y, spread
    level.n_waiting += 1


@compiled
def follow(level: Any, n: int, y: float, spread: float, time: float) -> None:  # noqa: ANN401
    """Keep count of what came since each sum of the test was at its extreme."""
    is_extreme = (level.rise == level.least_rise, level.fall == level.most_fall)
    for side in (UP, DOWN):
        if is_extreme[side]:
            level.onsets[side], level.since_n[side], level.since_blocks[side] = time, 0, 0
            level.since_total[side] = level.since_spread[side] = 0.0
            continue
        if level.since_blocks[side] == 0:
            level.since_first[side], level.since_first_spread[side] = y, spread
        level.since_n[side] += n
        level.since_blocks[side] += 1
        level.since_total[side] += y
        level.since_spread[side] += spread


@compiled
def mean_since(total: float, first: float, blocks: int) -> float:
    """Return the mean of blocks without the first, in which the change may have begun midway."""
    return total if blocks <= 1 else (total - first) / (blocks - 1)


@compiled
def restart(level: Any) -> None:  # noqa: ANN401
    """Restart the test as if some blocks had been as usual.

    River's test takes its first values for usual: alone, it would miss a change that comes at once.
    """
    restart_test(level)
    for _ in range(FEW_BLOCKS):
        update_test(level, 0.0, DELTA)


@compiled
def raise_alarm(level: Any, rule: Any) -> int:  # noqa: ANN401
    """Raise the level if the test is sure and the change is worth it; else restart a sure test."""
    is_up = level.rise - level.least_rise > LAMBDA
    is_down = level.most_fall - level.fall > LAMBDA and not rule.only_up
    if not is_up and not is_down:
        return CALM
    side = UP if is_up else DOWN
    blocks, n, level.onset = level.since_blocks[side], level.since_n[side], level.onsets[side]
    after = mean_since(level.since_total[side], level.since_first[side], blocks)
    spread = mean_since(level.since_spread[side], level.since_first_spread[side], blocks)
    restart(level)
    if (after - level.mean if is_up else level.mean - after) < effect(level, rule):
        return CALM
    level.is_raised, level.unit = True, unit(level, rule)
    level.after, level.after_spread = after, spread
    level.raised_n, level.raised_blocks = n, 0
    level.latest[:] = after
    level.n_waiting = 0
    return RAISED


@compiled
def watch_raised(level: Any, n: int, y: float, spread: float, time: float) -> int:  # noqa: ANN401
    """See whether a raised level is back, has settled, or has moved on."""
    level.raised_n += n
    level.raised_blocks += 1
    level.latest[level.raised_blocks % N_LATEST] = y
    latest = level.latest.mean()
    if level.raised_blocks < N_LATEST:
        return CALM
    if abs(latest - level.mean) <= BACK * level.unit:
        level.is_raised = False
        restart(level)
        return IS_BACK
    if level.raised_n >= level.patience:
        return SETTLED
    way = 1.0 if level.after > level.mean else -1.0
    moved, former = way * (latest - level.mean), way * (level.after - level.mean)
    if moved >= FURTHER * former or moved <= -FURTHER * level.unit:
        level.after, level.after_spread, level.onset = latest, spread, time
        level.raised_blocks = 0
        return RAISED
    return CALM


@compiled
def forget_level(level: Any) -> None:  # noqa: ANN401
    """Begin anew."""
    level.n_blocks = level.long_n = level.n_long = level.n_waiting = 0
    level.mean = level.variance = level.spread = 0.0
    level.long_total = level.long_variance = 0.0
    level.is_raised = False
    restart_test(level)


@compiled
def close_block(level: Any, rule: Any, time: float) -> int:  # noqa: ANN401
    """Compare a full block with what is usual; return what came of it."""
    n, y = level.n, level.total / level.n
    spread = max(level.squares / level.n - y * y, 0.0)
    level.n, level.total, level.squares = 0, 0.0, 0.0
    if level.is_raised:
        found = watch_raised(level, n, y, spread, time)
        if found == SETTLED:
            forget_level(level)
        return found
    if level.n_blocks >= rule.burn_in:
        if level.tested == 0:
            restart(level)
        z = (y - level.mean) / unit(level, rule)
        update_test(level, min(max(z, -rule.largest_z), rule.largest_z), DELTA)
        follow(level, n, y, spread, time)
        if raise_alarm(level, rule) == RAISED:
            return RAISED
    learn_later(level, rule, y, spread)
    return CALM


@compiled
def add_shares(added: NDArray[np.float64], n: int, sums: NDArray[np.float64]) -> None:
    """Set what is added to levels to ``n`` observations each, of 0 or 1 with these sums."""
    for s in range(len(sums)):
        added[s, 0] = n
        added[s, 1] = added[s, 2] = sums[s]


@compiled
def observe(
    levels: NDArray[Any],
    rules: NDArray[Any],
    added: NDArray[np.float64],
    time: float,
    patience: int,
    found: NDArray[np.int8],
) -> int:
    """Add observations to levels; write and count what came of blocks that are full.

    ``added`` is float64[n, 3]: number, sum, and sum of squares of each level's observations; it is
    all zero afterwards.
    A level that is raised gets ``patience``.
    """
    n_found = 0
    for s in range(len(added)):
        found[s] = CALM
        if added[s, 0] == 0.0 or rules[s].block == 0:
            continue
        level = levels[s]
        level.ever_n += added[s, 0]
        level.ever_total += added[s, 1]
        level.n += np.int64(added[s, 0])
        level.total += added[s, 1]
        level.squares += added[s, 2]
        if level.n >= rules[s].block:
            found[s] = close_block(level, rules[s], time)
            if found[s] == RAISED:
                level.patience = patience
            n_found += found[s] != CALM
    added[:] = 0.0
    return n_found
