"""Listing, showing and replaying dead letters, with a topic in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import pytest

from streams.dead_letter_records import dead_letter_output, read_dead_letter, shrunk
from streams.dead_letter_tools import (
    Chosen,
    letter_at,
    letters_in,
    line_of,
    listing,
    records_of,
    replay,
    shown,
    text_of,
    time_of,
)
from streams.errors import InputError, RejectedEvent
from streams.kafka_records import Bounds, Output, Partition
from tests.records import StoredRecord, view_record

PLACE = Partition("views.dead-letter", 3)
DAY_MS = 86_400_000


def letter(reason: str, at: int, **more: object) -> StoredRecord:
    record = view_record(b"{}", offset=100 + at, timestamp_ms=at * DAY_MS, **more)  # type: ignore[arg-type]
    return StoredRecord(dead_letter_output(record, RejectedEvent(reason, "why"), PLACE.topic), at)


class Topic:
    """One partition whose odd offsets are marks of transactions."""

    def __init__(self, records: Iterable[StoredRecord], first: int = 0) -> None:
        self.records = sorted(records, key=StoredRecord.offset)
        self.end = self.records[-1].offset() + 2 if self.records else first
        self.first = first
        self.next = -1

    def assign(self, starts: Mapping[Partition, int]) -> None:
        self.next = starts[PLACE]

    def bounds(self, partition: Partition, timeout_s: float) -> Bounds:
        assert (partition, timeout_s) == (PLACE, 1.0)
        return Bounds(self.first, self.end)

    def consume(self, n_records: int, timeout_s: float) -> list[StoredRecord]:
        assert timeout_s < 1.0
        found = [r for r in self.records if r.offset() >= self.next][:n_records]
        self.next = found[-1].offset() + 1 if found else max(self.next, self.end)
        return found

    def position(self, partition: Partition) -> int | None:
        assert partition == PLACE
        return self.next


class Writer:
    def __init__(self) -> None:
        self.sent: list[Output] = []
        self.n_waiting = 0

    def send(self, records: Iterable[Output], timeout_s: float) -> None:
        assert not self.n_waiting
        assert timeout_s == 1.0
        before = len(self.sent)
        self.sent += records
        self.n_waiting = len(self.sent) - before

    def wait(self, timeout_s: float) -> None:
        assert timeout_s == 1.0
        self.n_waiting -= 1


@pytest.fixture
def topic() -> Topic:
    reasons = ["late", "decode", "late", "key", "late"]
    letters = [letter(reason, 2 * at) for at, reason in enumerate(reasons)]
    return Topic([*letters, StoredRecord(view_record(b"foreign").stored, 10)])


def test_all_that_is_there_is_read_and_nothing_after(topic: Topic) -> None:
    assert [r.offset() for r in records_of(topic, PLACE, 1.0)] == [0, 2, 4, 6, 8, 10]
    topic.end = 7
    assert [r.offset() for r in records_of(topic, PLACE, 1.0)] == [0, 2, 4, 6]


def test_an_empty_partition_is_not_waited_for() -> None:
    assert list(records_of(Topic([]), PLACE, 1.0)) == []


def test_a_list_counts_by_reason_and_has_the_latest_first(topic: Topic) -> None:
    found = listing(topic.records, Chosen(), 2)
    assert found.by_reason == Counter(late=3, decode=1, key=1)
    assert found.n_foreign == 1
    assert [x.place.offset for x in found.latest] == [8, 6]


@pytest.mark.parametrize(
    ("chosen", "offsets"),
    [
        (Chosen(), [0, 2, 4, 6, 8]),
        (Chosen("late"), [0, 4, 8]),
        (Chosen(since_s=4 * 86_400.0), [4, 6, 8]),
        (Chosen("late", 4.5 * 86_400.0), [8]),
        (Chosen("range"), []),
    ],
)
def test_they_are_chosen_by_reason_and_time(
    topic: Topic, chosen: Chosen, offsets: list[int]
) -> None:
    assert [x.place.offset for x in letters_in(topic.records, chosen)] == offsets
    assert listing(topic.records, chosen, 9).by_reason.total() == len(offsets)


def test_one_is_found_by_its_offset(topic: Topic) -> None:
    assert letter_at(topic, PLACE, 6, 1.0).reason == "key"


@pytest.mark.parametrize("offset", [3, 10, 11, 12, 99])
def test_where_none_is_the_offsets_are_said(topic: Topic, offset: int) -> None:
    with pytest.raises(InputError, match=rf"offset {offset} of .*it has the offsets 0 to 11"):
        letter_at(topic, PLACE, offset, 1.0)


def test_an_empty_topic_says_so() -> None:
    with pytest.raises(InputError, match="it is empty"):
        letter_at(Topic([]), PLACE, 0, 1.0)


def test_a_replay_writes_the_originals_and_waits(topic: Topic) -> None:
    writer = Writer()
    done = replay(letters_in(topic.records, Chosen("late")), "views", writer=writer, timeout_s=1.0)
    assert done.by_reason == Counter(late=3)
    assert [out.headers for out in writer.sent] == [
        [("driftline.replay-of", f"views/3/{offset}".encode())] for offset in (100, 104, 108)
    ]
    assert {(o.topic, o.partition, o.key, o.value) for o in writer.sent} == {
        ("views", 3, b"7", b"{}")
    }
    assert writer.n_waiting == 0


def test_many_are_sent_a_part_at_a_time() -> None:
    writer = Writer()
    letters = letters_in([letter("late", at) for at in range(1_201)], Chosen())
    assert replay(letters, "views", writer=writer, timeout_s=1.0).by_reason["late"] == 1_201
    assert len(writer.sent) == 1_201


def test_without_a_writer_they_are_only_counted(topic: Topic) -> None:
    done = replay(letters_in(topic.records, Chosen()), "views", writer=None, timeout_s=1.0)
    assert done.by_reason.total() == 5


def test_a_truncated_one_cannot_be_replayed() -> None:
    cut = StoredRecord(shrunk(letter("decode", 0).stored))
    writer = Writer()
    done = replay(letters_in([cut], Chosen()), "views", writer=writer, timeout_s=1.0)
    assert (done.n_truncated, done.by_reason.total(), writer.sent) == (1, 0, [])


def test_a_line_says_where_why_and_from_where() -> None:
    found = read_dead_letter(letter("late", 2))
    assert found is not None
    assert line_of(found) == "1970-01-03 00:00:00.000  3 2  late: why  (views[3] 102)"


def test_all_of_one_is_shown() -> None:
    record = view_record(b"\xff", headers=[("a", None), ("b", b"\x1b[2J")], offset=5)
    output = dead_letter_output(record, RejectedEvent("decode", "not UTF-8"), PLACE.topic)
    found = read_dead_letter(StoredRecord(output))
    assert found is not None
    assert shown(found) == [
        "reason     decode: not UTF-8",
        "from       views[3] 5",
        "timestamp  2022-01-01 12:00:00.123",
        "replay of  views/3/5",
        "key        7",
        "header     a: null",
        "header     b: base64:G1sySg==",
        "value      1 bytes",
        "base64:/w==",
    ]


def test_a_terminal_gets_nothing_it_would_act_on() -> None:
    assert text_of("né\n\t7".encode()) == "né\n\t7"
    assert text_of(b"\x1b[31m").startswith("base64:")
    assert text_of("\u202e".encode()).startswith("base64:")


def test_a_time_beyond_the_calendar_is_a_number() -> None:
    found = read_dead_letter(letter("late", 10**9))
    assert found is not None
    assert time_of(found) == f"{DAY_MS * 10**9} ms"
