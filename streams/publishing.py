"""A recorded log into the topics, as live producers would write it.

In: batches of records of a log. Out: the views topic, keyed by user, and the content topic, keyed
by title, each in the order read; the partition is that of Java's clients. The producer is
idempotent and not transactional: what was sent before a crash stays, and publishing again writes
it again.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec

from streams.decoding import DelimitedDecoder, LongRecord
from streams.errors import InputError, RejectedEvent
from streams.events import Content, ContentMetadata, View, encode_view
from streams.kafka_records import Output
from streams.timebounds import possible_time

if TYPE_CHECKING:
    from streams.kafka import Producer
    from streams.logs import RecordBatch
    from streams.stop import Stop

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Longer than the delivery of a record may take, so that delivery fails first and says why.
_SEND_S = 600.0
_POLL_S = 0.1
_N_EXAMPLES = 3
STOPPING_S = 10.0
"""Seconds for what is on its way once it was asked to stop."""


class Pace(Protocol):
    """When records are due."""

    def due(self, n_before: int, event_time: float) -> float:
        """Give the seconds after the first record at which the next is due.

        The event time is that of the latest view that has one, else NaN.
        """
        ...


class Steady(msgspec.Struct, frozen=True):
    """So many records a second.

    >>> Steady(500.0).due(1_000, event_time=0.0)
    2.0
    """

    per_s: float

    def due(self, n_before: int, event_time: float) -> float:  # noqa: ARG002
        return n_before / self.per_s


class LogsOwn(msgspec.Struct):
    """The pace of the log's event times, made faster by a factor.

    >>> pace = LogsOwn(60.0)
    >>> [pace.due(n, event_time) for n, event_time in enumerate([1_000.0, 1_120.0])]
    [0.0, 2.0]
    """

    factor: float
    _first: float | None = None

    def due(self, n_before: int, event_time: float) -> float:  # noqa: ARG002
        if math.isnan(event_time):
            return 0.0
        if self._first is None:
            self._first = event_time
        return (event_time - self._first) / self.factor


class Tally(msgspec.Struct):
    """What became of the records that were read.

    Attributes
    ----------
    n_sent
        Records given to the producer.
    skipped
        Records that were not, by reason.
    examples
        The first of those, with place and error.
    event_time
        Time of the latest view, epoch seconds.
    """

    n_sent: int = 0
    skipped: Counter[str] = msgspec.field(default_factory=Counter)
    examples: list[str] = []
    event_time: float = float("nan")

    @property
    def n_read(self) -> int:
        """Records read."""
        return self.n_sent + self.skipped.total()

    def skip(self, rejected: RejectedEvent, place: str) -> None:
        """Count a record that is not published."""
        self.skipped[rejected.reason] += 1
        if len(self.examples) < _N_EXAMPLES:
            self.examples.append(f"{place}: {rejected.error}" if place else rejected.error)


class Publisher:
    """Sends records to one topic, in time.

    Parameters
    ----------
    producer, topic
        Where to.
    stop
        Looked at while waiting.
    pace
        When records are due; all at once without.
    clock
        Seconds that never go back.

    Attributes
    ----------
    tally : Tally
        What was sent and what was not.
    """

    def __init__(
        self,
        producer: Producer,
        topic: str,
        stop: Stop,
        *,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.producer = producer
        self.topic = topic
        self.stop = stop
        self.pace = pace
        self.tally = Tally()
        self._clock = clock
        self._began: float | None = None

    def take_views(self, batch: RecordBatch, *, is_raw: bool = False) -> None:
        """Send the records of a batch, decoded and written anew or as the bytes they are.

        Raises
        ------
        InputError
            Raw lines of a format that a worker does not read.
        KafkaCallError
            A record could not be delivered.
        """
        if is_raw and isinstance(batch.decoder, DelimitedDecoder):
            raise InputError("a worker reads JSON, so only a JSONL log can be published raw")
        self._send(self._views(batch, is_raw=is_raw))

    def take_content(self, found: Iterable[Content | RejectedEvent]) -> None:
        """Send titles, at full speed."""
        for content in found:
            if self.stop.is_asked:
                return
            if isinstance(content, RejectedEvent):
                self.tally.skip(content, "")
                continue
            key = content.content_id.encode()
            self._flush([Output(self.topic, key, encode_content(content))])

    def finish(self) -> None:
        """Wait for what is on its way, for ever unless a stop was asked for."""
        deadline = self._clock() + STOPPING_S
        while self.producer.n_waiting:
            self.producer.wait(_POLL_S)
            if self.stop.is_asked and self._clock() > deadline:
                return

    def _views(self, batch: RecordBatch, *, is_raw: bool) -> Iterable[Output]:
        for number, value in zip(batch.numbers, batch.values, strict=True):
            try:
                view = batch.decoder.decode_view(value)
            except RejectedEvent as rejected:
                # The rest of a record over the limit was not read.
                if is_raw and not isinstance(value, LongRecord):
                    yield Output(self.topic, None, value)
                else:
                    self.tally.skip(rejected, f"{batch.source or 'record'} {number}")
                continue
            self._note_time(view)
            yield Output(self.topic, view.user_id.encode(), value if is_raw else encode_view(view))

    def _note_time(self, view: View) -> None:
        event_time = possible_time(view)
        if event_time is not None:
            self.tally.event_time = event_time

    def _send(self, outputs: Iterable[Output]) -> None:
        """Send each when it is due; those that are late together."""
        if self.pace is None:
            self._flush(list(outputs))
            return
        late: list[Output] = []
        for output in outputs:
            due = self._due(self.pace, self.tally.n_sent + len(late))
            if due > self._clock():
                self._flush(late)
                late = []
                if not self._waited(due):
                    return
            late.append(output)
        self._flush(late)

    def _due(self, pace: Pace, n_before: int) -> float:
        if self._began is None:
            self._began = self._clock()
        return self._began + pace.due(n_before, self.tally.event_time)

    def _waited(self, due: float) -> bool:
        while (left_s := due - self._clock()) > 0:
            if self.stop.is_asked:
                return False
            self.producer.wait(min(left_s, _POLL_S))
        return True

    def _flush(self, outputs: list[Output]) -> None:
        self.producer.send(outputs, _SEND_S)
        self.tally.n_sent += len(outputs)
        self.producer.wait(0)


def encode_content(content: Content) -> bytes:
    """Return the title as canonical JSON, which decodes to the same content.

    >>> encode_content(Content("50", "Star Wars", ("Action",), released=233_366_400.0))
    b'{"content_id":"50","title":"Star Wars","genres":["Action"],"released":"1977-05-25"}'
    """
    released = content.released
    day = None if released is None else (_EPOCH + timedelta(seconds=released)).date().isoformat()
    return msgspec.json.encode(
        ContentMetadata(
            content_id=content.content_id,
            title=content.title,
            genres=list(content.genres) or None,
            released=day,
            duration=content.duration,
            creators=list(content.creators) or None,
        )
    )
