"""From wire types to the canonical `View` and `Content`: ids, times, years and lists."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

from streams.errors import RejectedEvent
from streams.events import (
    MAX_ID_BYTES,
    MAX_SCOPE_BYTES,
    MILLISECONDS_ABOVE,
    Content,
    ContentMetadata,
    View,
    ViewEvent,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_DAY_S = 86400.0
_DATE_LENGTH = len("2022-01-01")
_YEAR_LENGTH = len("2022")


def view_of(event: ViewEvent) -> View:
    """Return the canonical view of an event as its producer wrote it.

    Raises
    ------
    RejectedEvent
        With reason ``schema``, when an id or the time is missing or malformed.
    """
    return View(
        canonical_id(event.user_id, "user_id"),
        canonical_id(event.content_id, "content_id"),
        _event_time(event),
        event.view_time,
        event.rating,
        event.duration,
        _label(event.event_type, "event_type"),
        _label(event.event_id, "event_id"),
        _label(event.session_id, "session_id"),
        None if event.device is None else _scope_label(event.device),
        None if event.source is None else _scope_label(event.source),
    )


def content_of(metadata: ContentMetadata) -> Content:
    """Return the canonical content of metadata as its producer wrote it.

    Raises
    ------
    RejectedEvent
        With reason ``schema``, when the id, the release or a list is malformed.
    """
    return Content(
        content_id=canonical_id(metadata.content_id, "content_id"),
        title=(metadata.title or "").strip() or None,
        genres=_labels(metadata.genres, "genres"),
        released=_released(metadata.released),
        duration=metadata.duration,
        creators=_labels(metadata.creators, "creators"),
    )


def canonical_id(value: str | int, field: str) -> str:
    """Return the one form of an id: an integer's decimal text, text without outer blanks.

    >>> canonical_id(50, "content_id"), canonical_id(" 50 ", "content_id")
    ('50', '50')
    """
    text = str(value).strip()
    if not text:
        raise RejectedEvent("schema", f"{field} is empty")
    # Four bytes hold any character, so only longer texts need to be encoded to be measured.
    if len(text) * 4 > MAX_ID_BYTES and len(text.encode()) > MAX_ID_BYTES:
        raise RejectedEvent("schema", f"{field} is longer than {MAX_ID_BYTES} bytes")
    return text


def epoch_of_text(text: str) -> float:
    """Return the epoch seconds of an ISO 8601 time, or of a number in text.

    >>> epoch_of_text("2022-01-01 12:00:00"), epoch_of_text("2022-01-01T13:00:00+01:00")
    (1641038400.0, 1641038400.0)
    >>> epoch_of_text("1641038400.25"), epoch_of_text("1641038400250")
    (1641038400.25, 1641038400.25)
    """
    text = text.strip()
    if text[4:5] == "-":
        return _epoch_of_iso(text)
    return _epoch_of_number(number_of(text, "timestamp"))


def number_of(text: str, field: str) -> float:
    """Return the finite number that the text writes in decimal digits.

    >>> number_of("34.5", "view_time")
    34.5
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    # float() also takes "1_000" and the digits of other scripts.
    if not math.isfinite(number) or "_" in text or not text.isascii():
        raise RejectedEvent("schema", f"{field} is not a finite number")
    return number


def _event_time(event: ViewEvent) -> float:
    timestamp = event.timestamp
    if timestamp is None:
        if event.timestamp_ms is None:
            raise RejectedEvent("schema", "timestamp is missing")
        return _finite(event.timestamp_ms) / 1000
    if isinstance(timestamp, str):
        return _epoch_of_iso(timestamp)
    return _epoch_of_number(timestamp)


def _epoch_of_number(number: int | float) -> float:
    seconds = _finite(number)
    return seconds / 1000 if seconds > MILLISECONDS_ABOVE else seconds


def _finite(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise RejectedEvent("schema", "timestamp is too large for a number") from None


def _epoch_of_iso(text: str) -> float:
    text = text.strip()
    if len(text) <= _DATE_LENGTH or text[_DATE_LENGTH] not in "T " or text[4] + text[7] != "--":
        raise RejectedEvent("schema", "timestamp is not an ISO 8601 date and time")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RejectedEvent("schema", "timestamp is not an ISO 8601 date and time") from None
    epoch = _EPOCH if moment.tzinfo else _NAIVE_EPOCH
    return (moment - epoch).total_seconds()


def _label(value: str | int | None, field: str) -> str | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return canonical_id(value, field)


def _scope_label(value: str | int) -> str | None:
    """Return the text, cut at 64 bytes: a long referrer is no reason to refuse an event."""
    text = str(value).strip()
    if len(text) * 4 > MAX_SCOPE_BYTES:
        text = text.encode()[:MAX_SCOPE_BYTES].decode(errors="ignore").rstrip()
    return text or None


def _labels(value: list[str | int] | str | int | None, field: str) -> tuple[str, ...]:
    if value is None:
        return ()
    parts: list[str] | list[str | int] = value if isinstance(value, list) else str(value).split("|")
    texts = (str(part).strip() for part in parts)
    return tuple(dict.fromkeys(canonical_id(text, field) for text in texts if text))


def _released(value: str | int | float | None) -> float | None:
    """Return midnight of the release, also of a year that pandas made a float: ``1994.0``."""
    text = value.strip() if isinstance(value, str) else value
    if text is None or text == "":
        return None
    try:
        released = _release_date(text)
    except (ValueError, OverflowError):
        raise RejectedEvent("schema", "released is neither a year nor an ISO 8601 date") from None
    return (released.toordinal() - _EPOCH_ORDINAL) * _DAY_S


def _release_date(value: str | int | float) -> date:
    if isinstance(value, str) and len(value) > _YEAR_LENGTH + len(".0"):
        return datetime.fromisoformat(value).date()
    year = number_of(value, "released") if isinstance(value, str) else float(value)
    if not year.is_integer():
        raise ValueError("a fraction of a year")
    return date(int(year), 1, 1)
