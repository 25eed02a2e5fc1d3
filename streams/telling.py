"""Tells observers what pipelines do: each batch at once, sums and levels about once a second.

Levels are ``watermark`` (epoch seconds), ``users``, ``titles``, ``neighbors``, ``coverage`` and
``concentration`` (of recent lists), ``evicted:users`` and ``evicted:titles`` (since the partition
is here), ``weight:FEATURE``, and those of `streams.drift_telling`; a worker adds ``lag_events`` and
``lag_seconds``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from models.feature_names import FEATURES
from models.outcomes import Outcomes, Skip
from models.spread import Spread
from models.state import POPULARITY_NAMES
from streams.drift_telling import changes_of, levels_of_drift, open_episodes
from streams.judged import JudgedSums
from streams.observer import Observer
from streams.pipeline import Handled, Pipeline

EVERY_S = 1.0
MAX_KEPT = 8_192
"""Judged events that are kept before they are summed up, for batches larger than a second."""


class _Told:
    """What was told of a partition."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts
        self.spread = Spread()
        self.measured_at_s = -math.inf


class Teller:
    """Looks at pipelines after each batch; changes nothing in them.

    Parameters
    ----------
    observer
        Who is told.
    k
        Length of the lists.
    clock
        Seconds that never go back.
    """

    def __init__(
        self, observer: Observer, *, k: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.observer = observer
        self._clock = clock
        self._judged = JudgedSums(POPULARITY_NAMES, k=k)
        self._judged_at_s = -math.inf
        self._told: dict[int, _Told] = {}

    def begin(self, partition: int, pipeline: Pipeline) -> None:
        """Count what a partition does from here on: what it is restored to was told before.

        But for the episodes that are open in it: they last.
        """
        self._told[partition] = _Told(pipeline.counts)
        for change in open_episodes(partition, pipeline):
            self.observer.drifted(change)

    def processed(
        self,
        partition: int,
        pipeline: Pipeline,
        handled: Handled,
        *,
        decode_s: float,
        batch_s: float,
    ) -> None:
        """Tell of a batch, and of its partition when that is due.

        Parameters
        ----------
        decode_s, batch_s
            Seconds that decoding took, and all of it until its records were held.
        """
        told = self._told[partition]
        before, told.counts = told.counts, pipeline.counts
        counts = {name: m for name, n in told.counts.items() if (m := n - before.get(name, 0))}
        self._judged.add(handled.outcomes)
        for outcomes in handled.outcomes:
            _spread(told.spread, outcomes)
        now_s = self._clock()
        is_due = now_s - self._judged_at_s >= EVERY_S or self._judged.n_kept >= MAX_KEPT
        self._judged_at_s = now_s if is_due else self._judged_at_s
        self.observer.processed(
            partition,
            counts,
            seconds={
                "decode": decode_s,
                "learn": pipeline.learn_s,
                "recommend": pipeline.recommend_s,
                "batch": batch_s,
            },
            judged=self._judged.take() if is_due else {},
        )
        for change in changes_of(partition, handled):
            self.observer.drifted(change)
        if now_s - told.measured_at_s >= EVERY_S:
            told.measured_at_s = now_s
            self.observer.measured(partition, levels_of(pipeline, told.spread))

    def finish(self, pipelines: dict[int, Pipeline]) -> None:
        """Tell what is left, before the run ends or a moment is written down."""
        for partition, pipeline in pipelines.items():
            levels = levels_of(pipeline, self._told[partition].spread)
            self.observer.measured(partition, levels)
        if self._judged.n_kept and pipelines:
            some = next(iter(pipelines))
            self.observer.processed(some, {}, seconds={}, judged=self._judged.take())


def levels_of(pipeline: Pipeline, spread: Spread) -> dict[str, float]:
    """Give the levels of a partition by name."""
    engine, watermark = pipeline.engine, pipeline.gate.watermark.value
    weights = engine.model.weights[0].tolist()
    return {
        **({"watermark": watermark} if math.isfinite(watermark) else {}),
        "users": len(engine.users),
        "titles": len(engine.titles),
        "neighbors": int(engine.model.titles.length[: engine.titles.n_rows].sum()),
        "evicted:users": engine.n_evicted_users,
        "evicted:titles": engine.n_evicted_titles,
        "coverage": spread.coverage(engine.titles.n_rows),
        "concentration": spread.concentration(),
        **{f"weight:{name}": weight for name, weight in zip(FEATURES, weights, strict=True)},
        **levels_of_drift(pipeline),
    }


def _spread(spread: Spread, outcomes: Outcomes) -> None:
    lists = outcomes.lists[outcomes.skip == Skip.JUDGED]
    if len(lists):
        spread.update_many(lists)
