"""What a record of the topic is to a pipeline, by its key, headers and value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.arrivals import Arrival, Forget, arrival_of, arrive
from streams.decoding import JsonDecoder
from streams.errors import RejectedEvent
from streams.events import Origin, View
from tests.records import Headers, forget_record, view_record

LINE = b'{"user_id": 7, "content_id": 2, "timestamp": 1641038400}'
VIEW = View("7", "2", 1_641_038_400.0)


def arrival(
    value: bytes | None = LINE, key: bytes | None = b"7", headers: Headers | None = None
) -> Arrival:
    return arrival_of(view_record(value, key=key, headers=headers, offset=5), JsonDecoder())


def reason(found: Arrival) -> str:
    assert isinstance(found.view, RejectedEvent), found
    return found.view.reason


def test_a_record_is_a_view_and_where_it_stood() -> None:
    found = arrival()
    assert found == Arrival(Origin(topic="views", partition=3, offset=5), LINE, VIEW)
    assert found.line == 0


def test_a_line_of_a_log_arrives_with_its_number() -> None:
    found = arrive(9, "a.jsonl", LINE, JsonDecoder())
    assert found == Arrival(Origin(line=9, file="a.jsonl"), LINE, VIEW)
    assert found.line == 9


@pytest.mark.parametrize(
    ("key", "user_id"),
    [
        (b"7", "7"),
        (b"7", 7),
        (b"7", " 7 "),
        ("é".encode(), "é"),
    ],
)
def test_the_key_is_the_canonical_id(key: bytes, user_id: object) -> None:
    text = f'"{user_id}"' if isinstance(user_id, str) else user_id
    line = f'{{"user_id": {text}, "content_id": 2, "timestamp": 1641038400}}'.encode()
    assert isinstance(arrival(line, key).view, View)


@pytest.mark.parametrize("key", [None, b"", b" 7", b"8", b"07", b"\xff", b'"7"', b"\0\0\0\x07"])
def test_another_key_is_a_dead_letter(key: bytes | None) -> None:
    found = arrival(key=key)
    assert reason(found) == "key"
    assert found.value == LINE


def test_the_key_of_the_list_for_new_users_is_nobodys() -> None:
    line = LINE.replace(b"7", b'"__new_users__"')
    assert reason(arrival(line, b"__new_users__")) == "key"
    assert reason(arrival_of(forget_record("__new_users__"), JsonDecoder())) == "key"


@pytest.mark.parametrize("version", [b"2", b"", b"1 ", b"one", None])
def test_an_unknown_version_of_the_schema_is_a_dead_letter(version: bytes | None) -> None:
    assert reason(arrival(headers=[("driftline-schema", version)])) == "schema"


def test_no_version_is_the_first_and_other_headers_mean_nothing() -> None:
    headers: Headers = [("trace", b"\xff"), ("none", None), ("Driftline-Schema", b"9")]
    assert arrival(headers=headers).view == VIEW
    assert arrival(headers=[("driftline-schema", b"1")]).view == VIEW


def test_of_headers_with_one_name_the_last_counts() -> None:
    headers: Headers = [("driftline-schema", b"2"), ("driftline-schema", b"1")]
    assert arrival(headers=headers).view == VIEW
    assert reason(arrival(headers=headers[::-1])) == "schema"


def test_without_a_value_it_is_a_dead_letter() -> None:
    found = arrival(None)
    assert reason(found) == "decode"
    assert found.value == b""


def test_what_cannot_be_decoded_keeps_its_own_reason_whatever_the_key() -> None:
    assert reason(arrival(b"?", None)) == "decode"
    assert reason(arrival(b"{}", None)) == "schema"


def test_a_user_is_forgotten_by_key_and_header() -> None:
    found = arrival_of(forget_record("né 7", 4), JsonDecoder())
    assert found.view == Forget("né 7")
    assert found.origin.offset == 4


@pytest.mark.parametrize("key", [None, b"", b" 7", b"\xff", b"x" * 257])
def test_nobody_is_forgotten_by_a_key_that_is_no_id(key: bytes | None) -> None:
    assert reason(arrival(None, key, [("driftline.forget", b"1")])) == "key"


def test_nobody_is_forgotten_by_accident() -> None:
    assert reason(arrival(None, headers=[("driftline.forget", b"0")])) == "decode"
    assert reason(arrival(None, headers=[("driftline.forget", None)])) == "decode"
    assert reason(arrival(LINE, headers=[("driftline.forget", b"1")])) == "schema"


def test_a_replayed_dead_letter_says_which() -> None:
    headers: Headers = [("driftline.replay-of", b"old.views/12/345")]
    assert arrival(headers=headers).replay_of == "old.views/12/345"
    refused_again = arrival(b"?", headers=headers)
    assert (reason(refused_again), refused_again.replay_of) == ("decode", "old.views/12/345")
    assert arrival().replay_of is None


@pytest.mark.parametrize(
    "origin",
    [None, b"", b"views", b"views/0", b"views/0/x", b"a/b/0/1", b"/0/1", b"v" * 250 + b"/0/1"],
)
def test_a_mark_that_is_no_place_is_a_dead_letter(origin: bytes | None) -> None:
    found = arrival(headers=[("driftline.replay-of", origin)])
    assert (reason(found), found.replay_of) == ("schema", None)


HEADER_NAMES = ("driftline-schema", "driftline.forget", "driftline.replay-of", "x")


@given(
    st.none() | st.binary(max_size=30) | st.just(LINE),
    st.none() | st.binary(max_size=10) | st.just(b"7"),
    st.none()
    | st.lists(
        st.tuples(
            st.sampled_from(HEADER_NAMES), st.none() | st.sampled_from([b"1", b"\xff", b"v/0/1"])
        )
    ),
)
def test_whatever_comes_is_a_view_a_refusal_or_a_forget(
    value: bytes | None, key: bytes | None, headers: Headers | None
) -> None:
    found = arrival(value, key, headers)
    assert isinstance(found.view, View | RejectedEvent | Forget)
    assert found.value == (value or b"")
