"""Error bounds of the fast logarithm and power."""

from __future__ import annotations

import numpy as np
import pytest

from models.numeric import exp2_f32, log2_f32

# Every binade between the normal extremes, 41 places in each, and what lies around its ends.
PLACES = np.exp2(np.arange(-126, 127)[:, None] + np.linspace(0, 1, 41)).astype(np.float32).ravel()
EDGES = np.nextafter(np.exp2(np.arange(-125, 127)).astype(np.float32), np.float32(0))


def logs(values: np.ndarray) -> np.ndarray:
    return np.array([log2_f32(value) for value in values], np.float64)


def powers(values: np.ndarray) -> np.ndarray:
    return np.array([exp2_f32(value) for value in values], np.float64)


def test_log2_near_one_has_an_absolute_error_below_two_millionths() -> None:
    values = np.linspace(0.5, 4.0, 5_001).astype(np.float32)
    assert np.abs(logs(values) - np.log2(values.astype(np.float64))).max() < 2e-6


@pytest.mark.parametrize("values", [PLACES, EDGES], ids=["places", "edges"])
def test_log2_is_as_good_as_single_precision_allows(values: np.ndarray) -> None:
    truth = np.log2(values.astype(np.float64))
    assert (np.abs(logs(values) - truth) < 2e-6 + np.spacing(np.abs(truth), dtype=np.float32)).all()


def test_log2_is_exact_at_powers_of_two() -> None:
    exponents = np.arange(-126, 127)
    assert logs(np.exp2(exponents).astype(np.float32)).tolist() == exponents.tolist()


def test_exp2_has_a_relative_error_below_three_ten_millionths() -> None:
    values = np.linspace(-126.0, 126.0, 20_011).astype(np.float32)
    truth = np.exp2(values.astype(np.float64))
    assert np.abs(powers(values) / truth - 1.0).max() < 3e-7


@pytest.mark.parametrize(
    ("value", "power"), [(200.0, 126), (np.inf, 126), (-200.0, -126), (-np.inf, -126)]
)
def test_exp2_stays_in_the_normal_range(value: float, power: int) -> None:
    assert exp2_f32(np.float32(value)) == pytest.approx(2.0**power, rel=3e-7)
