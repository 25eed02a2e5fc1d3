"""Decoding does not depend on what was decoded before."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import layouts
from streams.decoding import JsonDecoder
from streams.errors import RejectedEvent
from streams.events import View

keys = st.sampled_from(
    [
        *("user_id", "User ID", "content_id", "contentId", "timestamp", "timestamp_ms"),
        *("view_time", "View Time", "rating", "x", "é", 'odd " key', "user_id\\"),
    ]
)
values = st.sampled_from([1, 2.5, "a", "é", None, True, "2022-01-01 12:00:00", [1], {"x": [2]}])
records = st.dictionaries(keys, values) | st.builds(
    lambda rest: {"user_id": 1, "content_id": 2, "timestamp": 3, **rest},
    st.dictionaries(keys, values),
)


def outcome(decoder: JsonDecoder, value: bytes) -> View | str:
    try:
        return decoder.decode_view(value)
    except RejectedEvent as rejected:
        return f"{rejected.reason}: {rejected.error}"


@given(st.lists(records, min_size=1, max_size=12), st.sampled_from([{}, {"view_time": "rating"}]))
def test_a_used_decoder_answers_as_a_new_one(
    stream: list[dict[str, Any]], column_map: dict[str, str]
) -> None:
    used = JsonDecoder(column_map)
    for record in stream:
        value = json.dumps(record, ensure_ascii=False).encode()
        assert outcome(used, value) == outcome(JsonDecoder(column_map), value)


hostile = st.sampled_from(
    [
        b'{"user_id":1,"content_id":2,"timestamp":3,"x":"\xff"}',
        b'{"user_id":1,"content_id":2,"timestamp":3,"x":1e400}',
        b'{"user_id":1,"content_id":2,"timestamp":3,"x":%b%b}' % (b"[" * 100, b"]" * 100),
        b'{"user_id":true,"user_id":1,"content_id":2,"timestamp":3}',
        b'{"user_id":1,"user_id":"","content_id":2,"timestamp":3}',
        b'{"user_id":1,"content_id":2,"timestamp":3,"x":NaN}',
        b'{"user\\u005fid":1,"content_id":2,"timestamp":3,"x":{}}',
        b'{"User ID":1,"content_id":2,"timestamp":3}',
    ]
)


@given(st.lists(hostile, max_size=8))
def test_nor_does_hostile_input_make_a_difference(stream: list[bytes]) -> None:
    used = JsonDecoder()
    for value in stream:
        assert outcome(used, value) == outcome(JsonDecoder(), value)


def test_a_new_key_a_record_does_not_make_a_struct_a_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    original = msgspec.defstruct

    def counted(*args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return original(*args, **kwargs)

    monkeypatch.setattr(msgspec, "defstruct", counted)
    decoder = JsonDecoder()
    for n in range(500):
        value = b'{"user_id":%d,"content_id":2,"timestamp":3,"key %d":null}' % (n, n)
        assert decoder.decode_view(value) == View(str(n), "2", 3.0)
    assert len(made) <= 2 * layouts.MAX_LAYOUTS


def test_records_of_two_producers_may_alternate() -> None:
    decoder = JsonDecoder()
    draw = random.Random(7)
    for n in range(200):
        names = draw.choice([("user_id", "rating"), ("User ID", "Rating")])
        record = {names[0]: n, "content_id": 2, "timestamp": 3, names[1]: 4}
        assert decoder.decode_view(json.dumps(record).encode()) == View(
            str(n), "2", 3.0, rating=4.0
        )
