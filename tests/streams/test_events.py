"""Canonical events and the records as they travel."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.decoding import JsonDecoder
from streams.events import (
    MAX_SCOPE_BYTES,
    BecauseYouWatched,
    DeadLetter,
    NewInGenre,
    Origin,
    Recommendation,
    RecommendedItem,
    Source,
    TraceLine,
    View,
    encode_view,
)

ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64).filter(
    lambda text: text == text.strip()
)
scopes = ids.filter(lambda text: len(text.encode()) <= MAX_SCOPE_BYTES)
numbers = st.floats(allow_nan=False, allow_infinity=False)
times = st.floats(min_value=-1e11, max_value=1e11)
views = st.builds(
    View,
    user_id=ids,
    content_id=ids,
    event_time=times,
    view_time=st.none() | numbers,
    rating=st.none() | numbers,
    duration=st.none() | numbers,
    event_type=st.none() | ids,
    event_id=st.none() | ids,
    session_id=st.none() | ids,
    device=st.none() | scopes,
    source=st.none() | scopes,
)


@given(views)
def test_a_decoded_view_is_the_encoded_one(view: View) -> None:
    assert JsonDecoder().decode_view(encode_view(view)) == view


def test_a_time_that_looks_like_milliseconds_survives_encoding() -> None:
    view = View("1", "2", 2.5e11)
    assert JsonDecoder().decode_view(encode_view(view)) == view


def test_a_canonical_view_cannot_be_changed() -> None:
    view = View("1", "2", 0.0)
    with pytest.raises(AttributeError):
        view.rating = 5.0  # type: ignore[misc]


def test_a_trace_line_has_its_nulls_and_names_a_file_only_among_several() -> None:
    line = TraceLine(17, "7", "50", items=None, skipped="cold", rank=None)
    assert msgspec.json.decode(msgspec.json.encode(line)) == {
        "line": 17,
        "user_id": "7",
        "content_id": "50",
        "items": None,
        "skipped": "cold",
        "rank": None,
    }
    assert b'"file":"a.csv"' in msgspec.json.encode(msgspec.structs.replace(line, file="a.csv"))


def test_a_dead_letter_has_one_value() -> None:
    line = DeadLetter(3, "decode", "not UTF-8", value_base64="/w==")
    assert msgspec.json.decode(msgspec.json.encode(line)) == {
        "line": 3,
        "reason": "decode",
        "error": "not UTF-8",
        "value_base64": "/w==",
    }


def test_a_recommendation_survives_the_wire() -> None:
    record = Recommendation(
        user_id="7",
        items=[
            RecommendedItem("50", 1.5, BecauseYouWatched([Source("1", 0.41)], "because …")),
            RecommendedItem("51", 0.5, NewInGenre("Drama", "new in Drama")),
        ],
        event_time=0.25,
        based_on=Origin(line=17),
    )
    wire = msgspec.json.encode(record)
    assert msgspec.json.decode(wire, type=Recommendation) == record
    assert b'"based_on":{"line":17}' in wire
    assert b'"kind":"because_you_watched"' in wire
