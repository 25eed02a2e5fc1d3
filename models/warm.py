"""Compiling the kernels ahead of the first event: ``python -m models.warm``."""

from __future__ import annotations

import numpy as np

from models.covisitation import fade_rows
from models.engine import Engine, EngineConfig, View
from models.input_watch import InputWatch
from models.state import N_GENRES, N_TITLES


def warm() -> None:
    """Run every kernel once, so that all are compiled and cached on disk.

    Takes half a minute on one core where nothing is cached yet, a second where everything is.
    """
    engine = Engine(EngineConfig(k=10, max_users=4, max_titles=8))
    engine.describe("0", year=1999.0, genres=["drama"], creators=["somebody"])
    views = [
        View(str(n % 7), str(n * n % 13), float(n), float(n // 2), is_emitted=True)
        for n in range(200)
    ]
    for _ in engine.learn(views):
        engine.explain("0", 200.0)
    model, is_resting = engine.model, np.zeros(N_GENRES, np.bool_)
    inputs = InputWatch(patience=1, fault_patience=1, protects=True)
    inputs.columns[:] = 1.0
    inputs.end_block()
    fade_rows(model.titles, model.neighbors, model.counts[N_TITLES], 0, is_resting, 1.0)


if __name__ == "__main__":
    warm()
