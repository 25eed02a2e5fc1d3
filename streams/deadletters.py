"""Dead-letter lines: what becomes of a refused record."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from streams.decoding import LongRecord
from streams.events import DeadLetter

if TYPE_CHECKING:
    from streams.errors import RejectedEvent

KEPT_BYTES = 1024


def dead_letter(
    value: bytes, rejected: RejectedEvent, *, line: int, file: str | None = None
) -> DeadLetter:
    r"""Return the dead-letter line of a refused record, with its bytes.

    Of a record over the size limit it keeps the first kilobyte; the error says its length.

    >>> from streams.errors import RejectedEvent
    >>> dead_letter(b"\xff", RejectedEvent("decode", "not UTF-8 at byte 0"), line=3).value_base64
    '/w=='
    """
    kept = bytes(value[:KEPT_BYTES]) if isinstance(value, LongRecord) else value
    text = _text(kept)
    return DeadLetter(
        line=line,
        reason=rejected.reason,
        error=rejected.error,
        file=file,
        value=text,
        value_base64=base64.b64encode(kept).decode() if text is None else None,
    )


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
