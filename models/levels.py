"""Levels of many statistics, each compared block by block with its own slow past.

A statistic's *block* is a fixed number of its observations, whatever else happens between them.
A block mean y is put in units of the larger of noise and the smallest change worth an alarm::

    z = clip((y - mean) / unit, ±largest)
    unit = max(noise (1 + 16 / n), √(spread / block), effect)
    noise² = max(V_1, 8 V_8)
    effect = max(least, ratio |mean|, deviations √spread)

with mean, V_1 and the spread within blocks learned slowly (rate max(1/n, 1/512) a block, from
deviations of at most 3 units), and V_8 the variance of means of 8 blocks: sessions and rhythms,
whose blocks resemble their neighbours, make 8 V_8 exceed V_1, and then count as noise. A block is
learned only when several more have come, so that a change cannot hide in its own noise.

z goes through Page-Hinkley's test (`models.page_hinkley`), δ = ½ and λ = 20. The largest z is less
than λ, so no single block raises an alarm; changes below half the effect never add up; and on
independent normal noise one test raises one in about e^20 blocks. An alarm is dropped, and the test
restarted, when the mean since its onset is not an effect away from the mean before. A restarted
test begins as if 16 blocks had been as usual.

Raised, a level keeps what was before until the mean of the last 4 blocks is back within half a
unit, or until it has lasted for its patience: then the new level is learned as usual, from nothing.
While it lasts, a move twice as far, or 2 units to the other side, is a further alarm.

References
----------
Page (1954) and Hinkley (1971), see `models.page_hinkley`.
Alexopoulos, Seila (1998), Output Data Analysis, in Handbook of Simulation, §7.3 (batch means).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.page_hinkley import PAGE_HINKLEY_FIELDS

DELTA, LAMBDA = 0.5, 20.0
SLOWEST_RATE = 1.0 / 512.0
FEW_BLOCKS = 16
"""Noise from so few blocks may be twice as large as it seems."""
LARGEST_STEP, LARGEST_SPREAD = 3.0, 4.0
LONG = 8
BACK, FURTHER = 0.5, 2.0
N_LATEST = 4
MOST_WAIT = 8

RULE = np.dtype(
    [
        ("block", np.int64),
        ("burn_in", np.int64),
        ("wait", np.int64),
        ("largest_z", np.float64),
        ("least", np.float64),
        ("ratio", np.float64),
        ("deviations", np.float64),
        ("least_spread", np.float64),
        ("only_up", np.bool_),
    ]
)
"""How a statistic is watched; a rule whose ``block`` is 0 watches nothing.

``wait``, at most ``MOST_WAIT``, is how many blocks pass before a block counts as usual, so that a
change cannot hide in the noise that it makes itself.
"""

UP, DOWN = 0, 1
_SIDED = [
    (name, kind, (2,))
    for name, kind in (
        ("onsets", np.float64),
        ("since_n", np.int64),
        ("since_blocks", np.int64),
        ("since_total", np.float64),
        ("since_spread", np.float64),
        ("since_first", np.float64),
        ("since_first_spread", np.float64),
    )
]
LEVEL = np.dtype(
    [
        ("ever_n", np.float64),
        ("ever_total", np.float64),
        ("n", np.int64),
        ("total", np.float64),
        ("squares", np.float64),
        ("n_blocks", np.int64),
        ("mean", np.float64),
        ("variance", np.float64),
        ("spread", np.float64),
        ("long_n", np.int64),
        ("long_total", np.float64),
        ("n_long", np.int64),
        ("long_variance", np.float64),
        *PAGE_HINKLEY_FIELDS,
        *_SIDED,
        ("is_raised", np.bool_),
        ("unit", np.float64),
        ("after", np.float64),
        ("after_spread", np.float64),
        ("onset", np.float64),
        ("raised_n", np.int64),
        ("raised_blocks", np.int64),
        ("patience", np.int64),
        ("latest", np.float64, (N_LATEST,)),
        ("n_waiting", np.int64),
        ("waiting", np.float64, (MOST_WAIT, 2)),
    ]
)
"""State of a level; ``mean`` and ``spread`` of a raised one are those of before."""

CALM, RAISED, IS_BACK, SETTLED = 0, 1, 2, 3


def new_levels(n: int) -> NDArray[Any]:
    """Return levels that have seen nothing."""
    levels = np.zeros(n, LEVEL)
    levels["least_rise"], levels["most_fall"] = np.inf, -1.0
    return levels
