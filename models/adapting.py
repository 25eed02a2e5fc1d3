"""What an engine does when lists have become worse: it trusts the recent past more, for a while.

Two boosts, each bounded, and each fading by itself as new events come in:

- the *ranker's* step size: AdaGrad's sums of squares are cut to `KEPT_SQUARES`, so that weights
  move towards the features that foretell best now (on undrifted logs this costs nothing);
- *forgetting*: co-visitation forgets at once what it would in `FORGOTTEN` half-lives. When one
  genre has drifted only the rows of its titles do; when everything has, or a part of the people,
  all rows do, in proportion to the part.

Nothing is wiped: a boost takes at most half of a weight. However many alarms a change raises,
`REST_EVENTS` judged events pass before the same scope is boosted again, before the ranker is, and
before a title's row fades again for another of its genres.

What it gains and costs: ``benchmarks/results/drift.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.alarms import Alarm, Reaction, Severity
from models.covisitation import fade_rows
from models.quality_state import ALL_EVENTS, FIRST_GENRE, N_SCOPES, QualityWatch
from models.ranker import Ranker
from models.state import N_TITLES, Model

KEPT_SQUARES = 0.1
FORGOTTEN = 1.0
REST_EVENTS = 5_000
BOOSTED = "fast_side_boosted"
_LONG_AGO = -(1 << 60)


class Adapting:
    """Boosts the fast side of an engine, and remembers when it did.

    Attributes
    ----------
    boosted_n : int64[N_SCOPES]
        Judged events at the latest boost of each scope.
    """

    def __init__(self) -> None:
        self.boosted_n = np.full(N_SCOPES, _LONG_AGO, np.int64)

    def to(
        self, alarm: Alarm, scope: int, *, quality: QualityWatch, model: Model, ranker: Ranker
    ) -> Iterator[Reaction]:
        """Answer an alarm about a scope; return what was done."""
        n = int(quality.n[ALL_EVENTS])
        is_resting = n - self.boosted_n < REST_EVENTS
        if alarm.severity is not Severity.DRIFT or is_resting[scope] or is_resting[ALL_EVENTS]:
            return
        self.boosted_n[scope] = n
        if not is_resting.any():
            ranker.boost(KEPT_SQUARES)
        if scope >= FIRST_GENRE:
            n_titles, resting = model.counts[N_TITLES], is_resting[FIRST_GENRE:]
            genre = scope - FIRST_GENRE
            fade_rows(model.titles, model.neighbors, n_titles, genre, resting, FORGOTTEN)
        else:
            model.clock[:] += FORGOTTEN * quality.n[scope] / n
        name = alarm.blames[0].scope if alarm.blames else alarm.scope
        yield Reaction(BOOSTED, alarm.statistic, name, is_on=True, at=alarm.detected)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the state as arrays."""
        return {"boosted_n": self.boosted_n.copy()}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Continue from a snapshot."""
        self.boosted_n = arrays["boosted_n"].copy()
