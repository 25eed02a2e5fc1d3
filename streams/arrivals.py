"""Records as they arrive at a pipeline: decoded, refused with a reason, or a wish to be forgotten.

In: a line of a log, or a record of ``views`` with the user id as its key and, in its headers, the
version of its schema, the dead letter that it replays, or that its user is to be forgotten. The
answer depends on the record alone, so whoever reads it again gets the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from streams.canonical import canonical_id
from streams.decoding import Decoder
from streams.errors import RejectedEvent
from streams.events import Origin, View
from streams.kafka_records import Record
from streams.recommendations import NEW_USERS

SCHEMA_HEADER = "driftline-schema"
SCHEMA_VERSION = b"1"
FORGET_HEADER = "driftline.forget"
REPLAY_HEADER = "driftline.replay-of"
_REPLAYED = re.compile(rb"[A-Za-z0-9._-]{1,249}/\d{1,10}/\d{1,19}")
_NEW_USERS_KEY = NEW_USERS.encode()
_OURS = frozenset({SCHEMA_HEADER, FORGET_HEADER, REPLAY_HEADER})


class Forget(msgspec.Struct, frozen=True):
    """A user is to be forgotten: nothing that came before counts for them any more."""

    user_id: str


class Arrival(NamedTuple):
    """One record and what decoding made of it.

    Attributes
    ----------
    origin
        Where it stood.
    value
        Its bytes; none in a record without a value.
    view
        What it is.
    replay_of
        ``topic/partition/offset`` of the record that became the dead letter that this replays.
    """

    origin: Origin
    value: bytes
    view: View | RejectedEvent | Forget
    replay_of: str | None = None

    @property
    def line(self) -> int:
        """Record number in a log, 0 for a record of a topic."""
        return self.origin.line or 0


def arrive(line: int, file: str | None, value: bytes, decoder: Decoder) -> Arrival:
    """Decode one record of a log; what cannot be decoded arrives with the reason."""
    try:
        return Arrival(Origin(line, file), value, decoder.decode_view(value))
    except RejectedEvent as rejected:
        return Arrival(Origin(line, file), value, rejected)


def arrival_of(record: Record, decoder: Decoder, origin: Origin | None = None) -> Arrival:
    """Decode one record of a topic; what cannot be taken arrives with the reason.

    Where nobody will see what came of it, any ``origin`` will do, and saves making its own.

    1. An unknown version or a malformed mark in the headers is a dead letter ``schema``.
    2. A record without a value that asks to forget its key is a `Forget`, any other ``decode``.
    3. A value that is no event is ``decode`` or ``schema``.
    4. A key that is not the canonical ``user_id`` in UTF-8, or that driftline writes itself, is
       ``key``: the user's other events may be in another partition.
    """
    value, headers = record.value(), record.headers()
    if origin is None:
        origin = Origin(None, None, record.topic(), record.partition(), record.offset())
    replay_of = None
    try:
        if headers:
            ours = {name: text for name, text in headers if name in _OURS}
            if ours:
                replay_of = _replay_of(ours, value)  # 1
                if value is None and ours.get(FORGET_HEADER) == b"1":
                    return Arrival(origin, b"", Forget(_user_of(record.key())))  # 2
        view = decoder.decode_view(_present(value))  # 3
        key = record.key()
        if key != view.user_id.encode() or key == _NEW_USERS_KEY:  # 4
            raise _wrong_key(key)
    except RejectedEvent as rejected:
        return Arrival(origin, value or b"", rejected, replay_of)
    return Arrival(origin, value or b"", view, replay_of)


def _present(value: bytes | None) -> bytes:
    if value is None:
        raise RejectedEvent("decode", "the record has no value")
    return value


def _replay_of(ours: dict[str, bytes | None], value: bytes | None) -> str | None:
    """Check our headers, of which the last of a name counts; return what the record replays."""
    if ours.get(SCHEMA_HEADER, SCHEMA_VERSION) != SCHEMA_VERSION:
        raise RejectedEvent("schema", f"header {SCHEMA_HEADER} is not 1")
    if ours.get(FORGET_HEADER) == b"1" and value is not None:
        raise RejectedEvent("schema", f"a record with header {FORGET_HEADER} has a value")
    if REPLAY_HEADER not in ours:
        return None
    replayed = ours[REPLAY_HEADER] or b""
    if not _REPLAYED.fullmatch(replayed):
        raise RejectedEvent("schema", f"header {REPLAY_HEADER} is not topic/partition/offset")
    return replayed.decode()


def _user_of(key: bytes | None) -> str:
    """Return the user whose key it is."""
    try:
        user_id = (key or b"").decode()
        is_canonical = canonical_id(user_id, "key") == user_id
    except (UnicodeDecodeError, RejectedEvent):
        is_canonical = False
    if not is_canonical or key == _NEW_USERS_KEY:
        raise _wrong_key(key)
    return user_id


def _wrong_key(key: bytes | None) -> RejectedEvent:
    if not key:
        return RejectedEvent("key", "the record has no key")
    if key == _NEW_USERS_KEY:
        return RejectedEvent("key", f"{NEW_USERS} is reserved")
    return RejectedEvent("key", "the key is not the user_id in its canonical form")
