"""Bounds of --from and --to."""

from __future__ import annotations

import re

import pytest

from streams.errors import SettingsError
from streams.timebounds import TimeBound, parse_time_bound


@pytest.mark.parametrize(
    ("text", "epoch_s"),
    [
        ("2022-01-01", 1640995200.0),
        ("2022-01-01T12:00", 1641038400.0),
        (" 2022-01-01 12:00:00 ", 1641038400.0),
        ("2022-01-01T12:00:00+01:00", 1641034800.0),
        ("1641038400", 1641038400.0),
        ("1641038400.5", 1641038400.5),
        ("1641038400000", 1641038400.0),
    ],
)
def test_absolute_bounds(text: str, epoch_s: float) -> None:
    assert parse_time_bound(text) == TimeBound(epoch_s)
    assert parse_time_bound(text).resolve(5.0) == epoch_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("+45s", 45),
        ("+30m", 1800),
        ("+12h", 43200),
        ("+2d", 172800),
        ("+1w", 604800),
        ("+1.5d", 129600),
    ],
)
def test_bounds_relative_to_the_first_event(text: str, seconds: float) -> None:
    assert parse_time_bound(text).resolve(1000.0) == 1000.0 + seconds


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2022-13-01", "2022-02-30", "+2y", "+", "nan", "inf", "2d", "+.5d", "12:00"],
)
def test_anything_else_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(repr(text))):
        parse_time_bound(text)
