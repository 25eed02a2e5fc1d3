"""Records of a topic without a broker, as a client gives them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.arrivals import Arrival, arrival_of
from streams.decoding import JsonDecoder
from streams.kafka_records import Output

Headers = list[tuple[str, bytes | None]]


class StoredRecord(msgspec.Struct, frozen=True):
    """A record that was written to a topic; it gives its fields by methods, as a client does."""

    stored: Output
    at: int = 0
    timestamp_type: int = 1

    def topic(self) -> str:
        return self.stored.topic

    def partition(self) -> int:
        return max(self.stored.partition, 0)

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes | None:
        return self.stored.key

    def value(self) -> bytes | None:
        return self.stored.value

    def headers(self) -> Headers | None:
        return self.stored.headers or None

    def timestamp(self) -> tuple[int, int]:
        return self.timestamp_type, self.stored.timestamp_ms

    def leader_epoch(self) -> int | None:
        return None


def view_record(
    value: bytes | None,
    *,
    key: bytes | None = b"7",
    headers: Headers | None = None,
    offset: int = 0,
    timestamp_ms: int = 1_641_038_400_123,
) -> StoredRecord:
    """Return a record of partition 3 of ``views``."""
    return StoredRecord(Output("views", key, value, headers or [], timestamp_ms, 3), offset)


def keyed(lines: Sequence[bytes], first: int = 0) -> list[StoredRecord]:
    """Return lines of a log as records of a topic, each under its user's key."""
    decoder = JsonDecoder()
    return [
        view_record(line.rstrip(), key=decoder.decode_view(line).user_id.encode(), offset=offset)
        for offset, line in enumerate(lines, start=first)
    ]


def forget_record(user_id: str, offset: int = 0) -> StoredRecord:
    """Return the record that makes a worker forget a user."""
    headers: Headers = [("driftline.forget", b"1")]
    return view_record(None, key=user_id.encode(), headers=headers, offset=offset)


def arrived(records: Sequence[StoredRecord]) -> list[Arrival]:
    """Decode records into what a pipeline takes."""
    decoder = JsonDecoder()
    return [arrival_of(record, decoder) for record in records]
