"""The job that our loop and Faust both do: decode, count, answer.

It needs nothing but msgspec, as it also runs in Faust's own environment.
"""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, gc=False):
    """What of a view matters here."""

    user_id: str
    content_id: str


class Answer(msgspec.Struct, gc=False):
    """What goes out for each view."""

    user_id: str
    content_id: str
    n_views: int


class Job:
    """Counts the views of each user."""

    def __init__(self) -> None:
        self.n_views: dict[str, int] = {}
        self._decode = msgspec.json.Decoder(Event).decode
        self._encode = msgspec.json.Encoder().encode

    def step(self, value: bytes) -> tuple[bytes, bytes]:
        """Take one view and return the key and the value of the record for it."""
        event = self._decode(value)
        n = self.n_views[event.user_id] = self.n_views.get(event.user_id, 0) + 1
        answer = Answer(event.user_id, event.content_id, n)
        return event.user_id.encode(), self._encode(answer)
