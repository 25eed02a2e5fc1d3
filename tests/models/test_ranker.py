"""AdaGrad by its formula, and a snapshot that continues it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.feature_names import N_FEATURES
from models.ranker import Ranker
from models.ranking import N_CONTEXTS


def gradients(n: int) -> list[NDArray[np.float64]]:
    rng = np.random.default_rng(4)
    return [rng.normal(size=(N_CONTEXTS, N_FEATURES)) for _ in range(n)]


def test_steps_are_adagrad() -> None:
    ranker = Ranker(0.1)
    weights = squares = np.zeros((N_CONTEXTS, N_FEATURES))
    for gradient in gradients(5):
        ranker.step(gradient)
        squares = squares + gradient**2
        weights = weights - 0.1 * gradient / np.sqrt(squares + 1e-8)
        np.testing.assert_allclose(ranker.weights, weights, rtol=1e-9)


def test_a_step_does_not_touch_or_keep_its_gradient() -> None:
    ranker, (gradient,) = Ranker(0.1), gradients(1)
    kept = gradient.copy()
    ranker.step(gradient)
    assert (gradient == kept).all()
    saved = ranker.snapshot()
    gradient[:] = 9.0
    assert all((saved[name] == array).all() for name, array in ranker.snapshot().items())


def test_a_restored_ranker_takes_the_same_steps() -> None:
    one, other = Ranker(0.1), Ranker(0.1)
    for gradient in gradients(3):
        one.step(gradient)
    other.restore(one.snapshot())
    for gradient in gradients(6):
        one.step(gradient)
        other.step(gradient)
        assert one.weights.tobytes() == other.weights.tobytes()


def test_a_new_ranker_restored_from_a_new_one_is_new() -> None:
    one, other = Ranker(0.1), Ranker(0.1)
    other.restore(one.snapshot())
    for gradient in gradients(2):
        one.step(gradient)
        other.step(gradient)
    assert one.weights.tobytes() == other.weights.tobytes()
