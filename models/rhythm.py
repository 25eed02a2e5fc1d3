"""When simulated people watch: the clock of a world, with its hours and days of the week."""

from __future__ import annotations

import numpy as np

from models.drawing import Floats, cumulated

DAY_S = 86_400.0
START_S = 1_640_995_200.0  # 1 January 2022, UTC, a Saturday: a world has no wall clock
# Views an hour of the day (UTC), relative to one another: a quiet night, a busy evening.
HOURLY = (3, 2, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 6, 5, 5, 6, 7, 9, 11, 12, 11, 8, 5)
# Likewise a day of the week, from the first day of a world: Saturday, Sunday, Monday, ...
WEEKLY = (14, 13, 9, 9, 9, 10, 11)

_HOUR_SUMS = cumulated(np.array(HOURLY, np.float64)) / sum(HOURLY)


def event_clock(share: Floats | float, days: int) -> Floats:
    """Return the event time at which a share of all sessions has started, by the rhythm.

    Examples
    --------
    >>> (event_clock(np.array([0.0, 0.5, 1.0]), days=1) - START_S) / 3600
    array([ 0.        , 17.28571429, 24.        ])
    >>> event_clock(0.5, days=7).item() - START_S - 3 * DAY_S  # on Tuesday morning
    34500.0
    """
    day_sums = cumulated(np.resize(np.array(WEEKLY, np.float64), days))
    passed = np.interp(np.asarray(share) * day_sums[-1], day_sums, np.arange(days + 1.0))
    day = np.floor(passed)
    within = np.interp(passed - day, _HOUR_SUMS, np.linspace(0, 1, 25))
    event_time: Floats = START_S + (day + within) * DAY_S
    return event_time
