"""Dead letters as records of their topic: written by workers, read by tools.

Out: ``views.dead-letter``, in the partition of the input. Key, value, headers and timestamp are
those of the refused record, byte for byte; behind its headers come those that say where it stood
and why it was refused, under Kafka Connect's names where there are any, so that its tools can read
them. A header of the same name before them is the record's own.

References
----------
KIP-298, error handling in Connect: the names ``__connect.errors.*``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

import msgspec

from streams.arrivals import REPLAY_HEADER
from streams.errors import RejectedEvent
from streams.events import Origin
from streams.kafka_records import Output, Record

CONNECT_PREFIX, OWN_PREFIX = "__connect.errors.", "driftline."
TOPIC, PARTITION, OFFSET = (f"{CONNECT_PREFIX}{n}" for n in ("topic", "partition", "offset"))
STAGE = f"{CONNECT_PREFIX}stage"
CLASS = f"{CONNECT_PREFIX}exception.class.name"
MESSAGE = f"{CONNECT_PREFIX}exception.message"
REASON, ERROR = f"{OWN_PREFIX}reason", f"{OWN_PREFIX}error"
TRUNCATED = f"{OWN_PREFIX}truncated"
STABLE_CLASS = b"driftline.RejectedEvent"
"""Named for those who read the header: it outlives a move of the Python class."""

KEPT_BYTES = 1024
MAX_KEY_BYTES = 65_536
Headers = list[tuple[str, bytes | None]]
_BY_CHECK = frozenset({"range", "late"})
_ADDED = frozenset({TOPIC, PARTITION, OFFSET, STAGE, CLASS, MESSAGE, REASON, ERROR})


class Truncated(msgspec.Struct, frozen=True):
    """Value of a dead letter whose record is too large for the topic."""

    sha256: str
    n_bytes: int
    beginning_base64: str


class DeadLetterRecord(msgspec.Struct, frozen=True):
    """A dead letter as it was read back.

    Attributes
    ----------
    place
        Where it is in the dead-letter topic.
    origin
        Where the refused record stood.
    reason, error
        Why it was refused.
    key, value, headers, timestamp_ms
        Of the refused record.
    is_truncated
        Whether the value is a `Truncated` in JSON instead.
    """

    place: Origin
    origin: Origin
    reason: str
    error: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int
    is_truncated: bool

    @property
    def replay_of(self) -> str:
        """Id that is the same for this record and whatever it replays."""
        earlier = [text for name, text in self.headers if name == REPLAY_HEADER and text]
        if earlier:
            return earlier[-1].decode(errors="replace")
        return f"{self.origin.topic}/{self.origin.partition}/{self.origin.offset}"


def dead_letter_output(record: Record, rejected: RejectedEvent, topic: str) -> Output:
    """Return the dead letter of a refused record."""
    stage = b"TRANSFORMATION" if rejected.reason in _BY_CHECK else b"VALUE_CONVERTER"
    error = rejected.error.encode(errors="replace")
    added: Headers = [
        (TOPIC, record.topic().encode()),
        (PARTITION, b"%d" % record.partition()),
        (OFFSET, b"%d" % record.offset()),
        (STAGE, stage),
        (CLASS, STABLE_CLASS),
        (MESSAGE, error),
        (REASON, rejected.reason.encode()),
        (ERROR, error),
    ]
    return Output(
        topic,
        record.key(),
        record.value(),
        [*(record.headers() or ()), *added],
        max(record.timestamp()[1], 0),
        record.partition(),
    )


def shrunk(output: Output) -> Output:
    """Return a dead letter that the topic takes: hash and beginning instead of the value.

    A key or own headers of more than 64 kB go as well: what is left says where the record stood.
    """
    value, n_added = output.value or b"", len(_ADDED)
    kept = Truncated(
        hashlib.sha256(value).hexdigest(),
        len(value),
        base64.b64encode(value[:KEPT_BYTES]).decode(),
    )
    own, added = output.headers[:-n_added], output.headers[-n_added:]
    is_key_kept = output.key is None or len(output.key) <= MAX_KEY_BYTES
    return msgspec.structs.replace(
        output,
        key=output.key if is_key_kept else None,
        value=msgspec.json.encode(kept),
        headers=[*(own if _n_bytes(own) <= MAX_KEY_BYTES else ()), *added, (TRUNCATED, b"1")],
    )


def read_dead_letter(record: Record) -> DeadLetterRecord | None:
    """Return the dead letter that a record of the topic is; None for one of somebody else's."""
    headers = record.headers() or []
    is_truncated = bool(headers) and headers[-1] == (TRUNCATED, b"1")
    if is_truncated:
        headers = headers[:-1]
    own, added = headers[: -len(_ADDED)], dict(headers[-len(_ADDED) :])
    if added.keys() != _ADDED:
        return None
    text = {name: (value or b"").decode(errors="replace") for name, value in added.items()}
    if not (text[PARTITION].isdecimal() and text[OFFSET].isdecimal()):
        return None
    origin = Origin(topic=text[TOPIC], partition=int(text[PARTITION]), offset=int(text[OFFSET]))
    return DeadLetterRecord(
        place=Origin(topic=record.topic(), partition=record.partition(), offset=record.offset()),
        origin=origin,
        reason=text[REASON],
        error=text[ERROR],
        key=record.key(),
        value=record.value(),
        headers=own,
        timestamp_ms=record.timestamp()[1],
        is_truncated=is_truncated,
    )


def replay_output(letter: DeadLetterRecord, views: str) -> Output:
    """Return the record that replays a dead letter: the original, marked as what it replays.

    It goes to the partition where the original was, whose state knows what was replayed; to
    another topic than the original's it goes by its key.
    """
    headers: Headers = [
        (name, text)
        for name, text in letter.headers
        if not name.startswith((CONNECT_PREFIX, OWN_PREFIX))
    ]
    is_same = letter.origin.topic == views and letter.origin.partition is not None
    return Output(
        views,
        letter.key,
        letter.value,
        [*headers, (REPLAY_HEADER, letter.replay_of.encode())],
        letter.timestamp_ms,
        letter.origin.partition if is_same and letter.origin.partition is not None else -1,
    )


def _n_bytes(headers: Iterable[tuple[str, bytes | None]]) -> int:
    return sum(len(name) + len(text or b"") for name, text in headers)
