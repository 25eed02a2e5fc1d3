"""Text for people at the edges of its range."""

from __future__ import annotations

import pytest

from monitoring.formats import duration, fraction, moment, percent, printable


@pytest.mark.parametrize("value", [0.0, 0.00004, 0.12345, 0.99999, 1.0])
def test_fractions_take_five_characters(value: float) -> None:
    text = fraction(value)
    assert len(text) == 5
    assert float(text) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100 %"), (0.1, "10 %"), (0.0999, "10 %"), (0.013, "1.3 %"), (1e-5, "0.001 %")],
)
def test_shares_keep_two_digits(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize("time", [float("nan"), float("-inf"), 1e18, -1e18])
def test_what_is_no_time_is_not_written(time: float) -> None:
    assert moment(time) == "–"


def test_times_before_1970_are_times() -> None:
    assert moment(-60.0) == "1969-12-31 23:59"


def test_seconds_carry_over() -> None:
    assert duration(59.6) == "1:00"
    assert duration(3599.9) == "1:00:00"


def test_letters_of_all_scripts_are_printable() -> None:
    assert printable("千と千尋 – Спирин 🎬") == "千と千尋 – Спирин 🎬"
