"""Ids, times and numbers in their one form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.canonical import canonical_id, epoch_of_text, number_of
from streams.errors import RejectedEvent


@given(st.integers(min_value=-(10**200), max_value=10**200))
def test_an_integer_and_its_text_are_one_id(number: int) -> None:
    assert canonical_id(number, "user_id") == canonical_id(f" {number} ", "user_id")


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_an_id_is_stripped_and_bounded_in_bytes(text: str) -> None:
    n_bytes = len(text.strip().encode())
    if 0 < n_bytes <= 256:
        assert canonical_id(text, "user_id") == text.strip()
    else:
        with pytest.raises(RejectedEvent):
            canonical_id(text, "user_id")


offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(
    st.datetimes(
        datetime.fromisoformat("1970-01-02"),
        datetime.fromisoformat("2200-01-01"),
        timezones=offsets,
    )
)
def test_a_zone_moves_a_time_by_its_offset(moment: datetime) -> None:
    epoch_s = (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    assert epoch_of_text(moment.isoformat(" ")) == epoch_s


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_it_was_written(number: float) -> None:
    assert number_of(repr(number), "rating") == number
