"""Looking at dead letters and replaying them, outside any group.

In: committed records of ``views.dead-letter``. Out, when it is asked for: ``views``, the originals
marked as replayed. A crash in between leaves some of them written; to replay all of them again
is safe, for a worker takes each once.
"""

from __future__ import annotations

import base64
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import Protocol

import msgspec

from streams.dead_letter_records import DeadLetterRecord, read_dead_letter, replay_output
from streams.errors import InputError
from streams.kafka_records import Bounds, Output, Partition, Record

_N_RECORDS = 500
_WAIT_S = 0.1
_SENT_AT_A_TIME = 500
_YEAR_10000_MS = 253_402_300_800_000


class Reader(Protocol):
    """What the tools need of `streams.kafka.Consumer`."""

    def assign(self, starts: dict[Partition, int]) -> None: ...
    def bounds(self, partition: Partition, timeout_s: float) -> Bounds: ...
    def consume(self, n_records: int, timeout_s: float) -> list[Record]: ...
    def position(self, partition: Partition) -> int | None: ...


class Writer(Protocol):
    """What the tools need of `streams.kafka.Producer`."""

    @property
    def n_waiting(self) -> int: ...
    def send(self, records: Iterable[Output], timeout_s: float) -> None: ...
    def wait(self, timeout_s: float) -> None: ...


class Chosen(msgspec.Struct, frozen=True):
    """Which dead letters are meant.

    Attributes
    ----------
    reason
        Only those refused for it.
    since_s
        Only those whose record has a later timestamp, or the same, in epoch seconds.
    """

    reason: str | None = None
    since_s: float | None = None

    def has(self, letter: DeadLetterRecord) -> bool:
        """Say whether a dead letter is one of them."""
        is_reason = self.reason is None or letter.reason == self.reason
        return is_reason and (self.since_s is None or letter.timestamp_ms >= 1000 * self.since_s)


class Listing(msgspec.Struct):
    """What is in the topic: dead letters by reason, foreign records, the latest by timestamp."""

    by_reason: Counter[str]
    n_foreign: int
    latest: list[DeadLetterRecord]


class Replaying(msgspec.Struct):
    """What was or would be replayed: by reason; truncated ones cannot be."""

    by_reason: Counter[str]
    n_truncated: int = 0


def records_of(reader: Reader, partition: Partition, timeout_s: float) -> Iterator[Record]:
    """Yield what is in a partition now, in order."""
    bounds = reader.bounds(partition, timeout_s)
    if bounds.first == bounds.end:
        return
    reader.assign({partition: bounds.first})
    while True:
        for record in reader.consume(_N_RECORDS, _WAIT_S):
            if record.offset() >= bounds.end:
                return
            yield record
        if (reader.position(partition) or 0) >= bounds.end:
            return


def listing(records: Iterable[Record], chosen: Chosen, n_latest: int) -> Listing:
    """Count dead letters by reason and keep the latest."""
    found = Listing(Counter(), 0, [])

    def counted() -> Iterator[DeadLetterRecord]:
        for record in records:
            letter = read_dead_letter(record)
            if letter is None:
                found.n_foreign += 1
            elif chosen.has(letter):
                found.by_reason[letter.reason] += 1
                yield letter

    found.latest = heapq.nlargest(n_latest, counted(), key=attrgetter("timestamp_ms"))
    return found


def letter_at(
    reader: Reader, partition: Partition, offset: int, timeout_s: float
) -> DeadLetterRecord:
    """Return the dead letter at an offset of the dead-letter topic.

    Raises
    ------
    InputError
        There is none.
    """
    bounds = reader.bounds(partition, timeout_s)
    if bounds.first <= offset < bounds.end:
        reader.assign({partition: offset})
        while (reader.position(partition) or offset) <= offset:
            for record in reader.consume(1, _WAIT_S):
                letter = read_dead_letter(record) if record.offset() == offset else None
                if letter is not None:
                    return letter
    topic, number = partition
    held = f"it has the offsets {bounds.first} to {bounds.end - 1}"
    raise InputError(
        f"no dead letter at offset {offset} of {topic}[{number}]:"
        f" {held if bounds.first < bounds.end else 'it is empty'}"
    )


def letters_in(records: Iterable[Record], chosen: Chosen) -> Iterator[DeadLetterRecord]:
    """Yield the dead letters that are meant."""
    for record in records:
        letter = read_dead_letter(record)
        if letter is not None and chosen.has(letter):
            yield letter


def replay(
    letters: Iterable[DeadLetterRecord], views: str, *, writer: Writer | None, timeout_s: float
) -> Replaying:
    """Write the originals of dead letters to the views topic; without a writer only count them."""
    done = Replaying(Counter())
    outputs: list[Output] = []
    for letter in letters:
        if letter.is_truncated:
            done.n_truncated += 1
            continue
        done.by_reason[letter.reason] += 1
        outputs.append(replay_output(letter, views))
        if len(outputs) == _SENT_AT_A_TIME:
            _send(outputs, writer, timeout_s)
            outputs = []
    _send(outputs, writer, timeout_s)
    return done


def _send(outputs: list[Output], writer: Writer | None, timeout_s: float) -> None:
    """Send records and wait until all are acknowledged."""
    if writer is None:
        return
    writer.send(outputs, timeout_s)
    while writer.n_waiting:
        writer.wait(timeout_s)


def line_of(letter: DeadLetterRecord) -> str:
    """Return where a dead letter is, where it came from and why it is one."""
    place, origin = letter.place, letter.origin
    return (
        f"{time_of(letter):23}  {place.partition} {place.offset}  {letter.reason}: {letter.error}"
        f"  ({origin.topic}[{origin.partition}] {origin.offset})"
    )


def time_of(letter: DeadLetterRecord) -> str:
    """Return the timestamp of the refused record."""
    if not 0 <= letter.timestamp_ms < _YEAR_10000_MS:
        return f"{letter.timestamp_ms} ms"
    return datetime.fromtimestamp(letter.timestamp_ms / 1000, UTC).isoformat(" ", "milliseconds")[
        :23
    ]


def text_of(value: bytes | None) -> str:
    r"""Return bytes as text that a terminal shows, else in base64.

    >>> text_of(b'{"user_id": 7}'), text_of(b"\xff\x1b"), text_of(None)
    ('{"user_id": 7}', 'base64:/xs=', 'null')
    """
    if value is None:
        return "null"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if all(character.isprintable() or character in "\n\t" for character in text):
        return text
    return f"base64:{base64.b64encode(value).decode()}"


def shown(letter: DeadLetterRecord) -> list[str]:
    """Return all that is known of a dead letter, line by line."""
    origin = letter.origin
    return [
        f"reason     {letter.reason}: {letter.error}",
        f"from       {origin.topic}[{origin.partition}] {origin.offset}",
        f"timestamp  {time_of(letter)}",
        f"replay of  {letter.replay_of}",
        f"key        {text_of(letter.key)}",
        *(f"header     {name}: {text_of(text)}" for name, text in letter.headers),
        f"value      {len(letter.value or b''):,} bytes{_cut(letter)}",
        text_of(letter.value),
    ]


def _cut(letter: DeadLetterRecord) -> str:
    return ", in the place of one too large to keep" if letter.is_truncated else ""
