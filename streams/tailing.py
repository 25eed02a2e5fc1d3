"""Records of an output topic as they come, as text for people or as JSON.

Only committed records are read, without a group: nothing is committed and no worker notices.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from streams.decoding import JsonDecoder
from streams.drift_records import DriftRecord
from streams.errors import RejectedEvent
from streams.events import Recommendation
from streams.kafka_records import Partition
from streams.recommendations import NEW_USERS

if TYPE_CHECKING:
    from streams.kafka import Consumer
    from streams.kafka_records import Record
    from streams.stop import Stop

_WAIT_S = 0.1
_N_RECORDS = 500
_REASON, _ERROR = "driftline.reason", "driftline.error"
_ORIGIN = tuple(f"__connect.errors.{name}" for name in ("topic", "partition", "offset"))
Titles = Mapping[str, str]


def followed(
    consumer: Consumer,
    partitions: Iterable[Partition],
    stop: Stop,
    *,
    is_from_beginning: bool,
    timeout_s: float,
) -> Iterator[Record]:
    """Yield the records of partitions until it is stopped, those of one partition in order.

    Parameters
    ----------
    consumer
        Without a group.
    is_from_beginning
        Whether to start with the oldest records instead of the next to come.
    timeout_s
        How long the brokers may take to name where that is.
    """
    bounds = {partition: consumer.bounds(partition, timeout_s) for partition in partitions}
    consumer.assign({p: b.first if is_from_beginning else b.end for p, b in bounds.items()})
    while not stop.is_asked:
        yield from consumer.consume(_N_RECORDS, _WAIT_S)


def titles_in(
    consumer: Consumer, partitions: Iterable[Partition], *, timeout_s: float
) -> dict[str, str]:
    """Read a content topic to its end and return the titles' names by id."""
    bounds = {partition: consumer.bounds(partition, timeout_s) for partition in partitions}
    consumer.assign({partition: bound.first for partition, bound in bounds.items()})
    decoder, titles = JsonDecoder(), dict[str, str]()
    waiting = {
        partition: bound.end for partition, bound in bounds.items() if bound.first < bound.end
    }
    while waiting:
        for record in consumer.consume(_N_RECORDS, _WAIT_S):
            _take_title(record, decoder, titles)
        waiting = {p: end for p, end in waiting.items() if (consumer.position(p) or 0) < end}
    return titles


def _take_title(record: Record, decoder: JsonDecoder, titles: dict[str, str]) -> None:
    key, value = record.key(), record.value()
    if value is None:
        titles.pop((key or b"").decode(errors="replace"), None)
        return
    try:
        content = decoder.decode_content(value)
    except RejectedEvent:
        return
    if content.title is not None:
        titles[content.content_id] = content.title


def recommendation_lines(record: Record, titles: Titles) -> list[str]:
    """Return a list of titles as lines, or that there is none any more."""
    user, value = _text(record.key()), record.value()
    whose = "users unknown so far" if user == NEW_USERS else f"user {user}"
    if value is None:
        return [f"{whose}: deleted"]
    try:
        found = msgspec.json.decode(value, type=Recommendation)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        place = f"{record.topic()}[{record.partition()}] {record.offset()}"
        return [f"{whose}: {place} is no recommendation: {error}"]
    origin = found.based_on
    lines = [f"{whose}, after {origin.topic}[{origin.partition}] {origin.offset}"]
    for rank, item in enumerate(found.items, start=1):
        title = titles.get(item.content_id, item.content_id)
        lines.append(f"{rank:4}  {title}  ({item.reason.text})")
    return lines


def outcome_lines(record: Record, titles: Titles) -> list[str]:  # noqa: ARG001
    """Return an aggregate of judged lists as the JSON it is."""
    return [f"partition {_text(record.key())}  {_text(record.value())}"]


def drift_lines(record: Record, titles: Titles) -> list[str]:  # noqa: ARG001
    """Return what has become of an episode."""
    value = record.value()
    try:
        found = msgspec.json.decode(value or b"", type=DriftRecord)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        place = f"{record.topic()}[{record.partition()}] {record.offset()}"
        return [f"episode {_text(record.key())}: {place} is no drift record: {error}"]
    kind = found.kind.replace("_", " ")
    return [f"episode {found.episode} {found.state}: {kind}, {found.severity}: {found.what}"]


def dead_letter_lines(record: Record, titles: Titles) -> list[str]:  # noqa: ARG001
    """Return where a dead letter came from and why it is one; not what it says."""
    headers = dict(record.headers() or [])
    topic, partition, offset = (_text(headers.get(name)) for name in _ORIGIN)
    reason, error = _text(headers.get(_REASON)), _text(headers.get(_ERROR))
    n_bytes = len(record.value() or b"")
    return [f"{topic}[{partition}] {offset}  {reason}: {error}  ({n_bytes:,} bytes)"]


def as_json(record: Record, titles: Titles) -> bytes:
    """Return a record as one JSON object; JSON in its value stays JSON."""
    value = _value(record.value())
    plain: dict[str, Any] = {
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": record.offset(),
        "timestamp_ms": record.timestamp()[1],
        "key": None if record.key() is None else _text(record.key()),
        **value,
    }
    headers = record.headers()
    if headers:
        plain["headers"] = {name: None if text is None else _text(text) for name, text in headers}
    names = _names(value.get("value"), titles)
    return msgspec.json.encode({**plain, "titles": names} if names else plain)


def _value(value: bytes | None) -> dict[str, Any]:
    if value is None:
        return {"value": None}
    try:
        return {"value": msgspec.json.decode(value)}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {"value_base64": base64.b64encode(value).decode()}


def _names(value: object, titles: Titles) -> dict[str, str]:
    """Return the titles' names that a recommendation mentions."""
    items = value.get("items") if isinstance(value, dict) else None
    listed = items if isinstance(items, list) else []
    ids = [str(item.get("content_id")) for item in listed if isinstance(item, dict)]
    return {content_id: titles[content_id] for content_id in ids if content_id in titles}


def _text(value: bytes | None) -> str:
    return "?" if value is None else value.decode(errors="replace")
