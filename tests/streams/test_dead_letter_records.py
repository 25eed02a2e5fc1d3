"""Dead letters keep what was refused, byte for byte, and say why."""

from __future__ import annotations

import base64
import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.dead_letter_records import (
    DeadLetterRecord,
    Truncated,
    dead_letter_output,
    read_dead_letter,
    replay_output,
    shrunk,
)
from streams.errors import RejectedEvent
from streams.events import Origin
from streams.kafka_records import Output
from tests.records import Headers, StoredRecord, view_record

TOPIC = "views.dead-letter"
LATE = RejectedEvent("late", "older than 86400 s behind the watermark")
BYTES = st.none() | st.binary(max_size=20)
HEADERS = st.lists(
    st.tuples(
        st.text(max_size=5) | st.sampled_from(["driftline.reason", "__connect.errors.topic"]), BYTES
    ),
    max_size=4,
)


def letter_of(record: StoredRecord, rejected: RejectedEvent = LATE) -> Output:
    return dead_letter_output(record, rejected, TOPIC)


def read(output: Output, at: int = 0) -> DeadLetterRecord:
    letter = read_dead_letter(StoredRecord(output, at))
    assert letter is not None
    return letter


@given(BYTES, BYTES, HEADERS)
def test_the_original_is_kept_byte_for_byte(
    key: bytes | None, value: bytes | None, headers: Headers
) -> None:
    output = letter_of(view_record(value, key=key, headers=headers, offset=17))
    assert (output.topic, output.partition) == (TOPIC, 3)
    assert (output.key, output.value, output.timestamp_ms) == (key, value, 1_641_038_400_123)
    assert output.headers[: len(headers)] == headers
    letter = read(output, 4)
    assert (letter.key, letter.value, letter.headers) == (key, value, headers)
    assert letter.timestamp_ms == 1_641_038_400_123
    assert letter.origin == Origin(topic="views", partition=3, offset=17)
    assert letter.place == Origin(topic=TOPIC, partition=3, offset=4)
    assert (letter.reason, letter.error) == (LATE.reason, LATE.error)
    assert not letter.is_truncated


def test_its_headers_have_the_names_of_kafka_connect() -> None:
    assert letter_of(view_record(b"x", headers=[("a", b"b")], offset=17)).headers == [
        ("a", b"b"),
        ("__connect.errors.topic", b"views"),
        ("__connect.errors.partition", b"3"),
        ("__connect.errors.offset", b"17"),
        ("__connect.errors.stage", b"TRANSFORMATION"),
        ("__connect.errors.exception.class.name", b"driftline.RejectedEvent"),
        ("__connect.errors.exception.message", LATE.error.encode()),
        ("driftline.reason", b"late"),
        ("driftline.error", LATE.error.encode()),
    ]


@pytest.mark.parametrize(
    ("reason", "stage"),
    [
        ("decode", b"VALUE_CONVERTER"),
        ("schema", b"VALUE_CONVERTER"),
        ("key", b"VALUE_CONVERTER"),
        ("range", b"TRANSFORMATION"),
        ("late", b"TRANSFORMATION"),
    ],
)
def test_the_stage_says_how_far_it_came(reason: str, stage: bytes) -> None:
    headers = dict(letter_of(view_record(b"x"), RejectedEvent(reason, "why")).headers)
    assert headers["__connect.errors.stage"] == stage


def test_a_record_without_a_timestamp_gets_the_time_of_sending() -> None:
    record = StoredRecord(Output("views", b"7", b"x", [], -1, 0), 0, timestamp_type=0)
    assert letter_of(record).timestamp_ms == 0


def test_of_one_too_large_hash_and_beginning_are_kept() -> None:
    value = b"x" * 5_000_000
    output = shrunk(letter_of(view_record(value, headers=[("a", b"b")], offset=17)))
    assert output.key == b"7"
    assert len(output.value or b"") < 2_000
    kept = msgspec.json.decode(output.value or b"", type=Truncated)
    assert kept.sha256 == hashlib.sha256(value).hexdigest()
    assert kept.n_bytes == len(value)
    assert base64.b64decode(kept.beginning_base64) == b"x" * 1024
    assert output.headers[-1] == ("driftline.truncated", b"1")
    letter = read(output)
    assert letter.is_truncated
    assert letter.headers == [("a", b"b")]
    assert letter.origin.offset == 17


def test_a_key_or_headers_too_large_to_keep_go() -> None:
    record = view_record(b"x", key=b"k" * 70_000, headers=[("a", b"b" * 70_000)])
    output = shrunk(letter_of(record))
    assert output.key is None
    assert [name for name, _ in output.headers if name == "a"] == []
    assert read(output).origin.topic == "views"


@pytest.mark.parametrize(
    "headers", [[], [("a", b"b")], [("driftline.reason", b"late")], [("driftline.truncated", b"1")]]
)
def test_what_somebody_else_wrote_is_no_dead_letter(headers: Headers) -> None:
    assert read_dead_letter(view_record(b"x", headers=headers)) is None


def test_foreign_headers_of_our_names_are_no_dead_letter_either() -> None:
    output = letter_of(view_record(b"x"))
    wrong = [(n, b"?" if n.endswith("offset") else text) for n, text in output.headers]
    assert read_dead_letter(StoredRecord(msgspec.structs.replace(output, headers=wrong))) is None


def test_a_replay_is_the_original_with_the_mark_of_what_it_replays() -> None:
    headers: Headers = [("a", b"1"), ("driftline-schema", b"1"), ("driftline.forget", b"1")]
    output = replay_output(read(letter_of(view_record(b"x", headers=headers, offset=17))), "views")
    assert output == Output(
        "views",
        b"7",
        b"x",
        [("a", b"1"), ("driftline-schema", b"1"), ("driftline.replay-of", b"views/3/17")],
        1_641_038_400_123,
        3,
    )


def test_what_was_replayed_and_refused_again_replays_the_first() -> None:
    first = replay_output(read(letter_of(view_record(b"x", offset=17))), "views")
    second = read(letter_of(StoredRecord(first, 99)))
    assert second.origin.offset == 99
    assert second.replay_of == "views/3/17"
    assert replay_output(second, "views").headers == [("driftline.replay-of", b"views/3/17")]


def test_to_another_topic_a_replay_goes_by_its_key() -> None:
    assert replay_output(read(letter_of(view_record(b"x"))), "views.new").partition == -1
