"""Page-Hinkley's test, as River computes it, over many streams whose state is one array.

For observations x with running mean m (the current one included) two sums add up what lies above
and below it, less a tolerance δ::

    rise += x - m - δ        alarm when rise - min(rise) > λ
    fall += x - m + δ        alarm when max(fall) - fall > λ

River's ``PageHinkley`` is an object; its state would have to be pickled. The recursion here is the
same, number for number, with ``alpha=1``: River's default of .9999 lets the sums fade, so that on a
long calm stream they settle near -10,000 δ, where the fading gives back as much as δ takes.

References
----------
Page (1954), Continuous Inspection Schemes, Biometrika 41, 1/2, 100-115.
Hinkley (1971), Inference about the change-point from cumulative sum tests, Biometrika 58, 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.compiled import compiled

PAGE_HINKLEY_FIELDS = [
    ("tested", np.int64),
    ("centre", np.float64),
    ("rise", np.float64),
    ("fall", np.float64),
    ("least_rise", np.float64),
    ("most_fall", np.float64),
]
"""Fields of a record that holds the state of one test, beside others."""


@compiled
def restart_test(state: Any) -> None:  # noqa: ANN401 (a record, of a type that numba knows)
    """Forget all observations."""
    state.tested = 0
    state.centre = state.rise = state.fall = 0.0
    state.least_rise = np.inf
    state.most_fall = -1.0


@compiled
def update_test(state: Any, x: float, delta: float) -> None:  # noqa: ANN401 (as above)
    """Take in an observation."""
    state.tested += 1
    state.centre += (1.0 / state.tested) * (x - state.centre)
    deviation = x - state.centre
    # In River's order, to the last bit.
    state.rise = state.rise + deviation - delta
    state.fall = state.fall + deviation + delta
    state.least_rise = min(state.least_rise, state.rise)
    state.most_fall = max(state.most_fall, state.fall)
