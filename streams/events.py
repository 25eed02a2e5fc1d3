"""Events as driftline works with them, and every record as it travels.

`View` and `Content` are canonical: one spelling of an id, epoch seconds, no alternatives. The
other classes are wire types: what producers write and what driftline writes. Their JSON Schemas
in ``docs/schemas`` are generated from them by `streams.schemas`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

MAX_ID_BYTES = 256
MAX_SCOPE_BYTES = 64  # of a device or a source, of which a log has few
# Seconds above this lie after the year 5138, so a larger number can only be milliseconds.
MILLISECONDS_ABOVE = 1e11


class View(msgspec.Struct, frozen=True, gc=False):
    """One user watched one title.

    Parameters
    ----------
    user_id, content_id
        Canonical ids: text without surrounding blanks, 1 to 256 bytes of UTF-8.
    event_time
        Epoch seconds as given, not rounded.
    view_time, duration
        Watched time and length of the title, in the producer's common unit.
    rating
        Rating on the scale of the settings.
    event_type, event_id, session_id
        Labels of the producer; an ``event_id`` identifies duplicates.
    device, source
        What it was watched on and what led to it, at most 64 bytes of UTF-8 each.
    """

    user_id: str
    content_id: str
    event_time: float
    view_time: float | None = None
    rating: float | None = None
    duration: float | None = None
    event_type: str | None = None
    event_id: str | None = None
    session_id: str | None = None
    device: str | None = None
    source: str | None = None


class Content(msgspec.Struct, frozen=True):
    """What is known about one title.

    Parameters
    ----------
    content_id
        Canonical id, as in `View`.
    title
        Name for people.
    genres, creators
        Labels in the order given, without repetitions.
    released
        Epoch seconds of UTC midnight of the date, of 1 January for a bare year; negative before
        1970.
    duration
        Length, in the unit of the views.
    """

    content_id: str
    title: str | None = None
    genres: tuple[str, ...] = ()
    released: float | None = None
    duration: float | None = None
    creators: tuple[str, ...] = ()


class ViewEvent(msgspec.Struct, gc=False, omit_defaults=True):
    """View event as producers write it; one of `timestamp` and `timestamp_ms` is required."""

    user_id: Annotated[str | int, Meta(description="Who watched: at most 256 bytes of UTF-8.")]
    content_id: Annotated[
        str | int, Meta(description="What was watched: at most 256 bytes of UTF-8.")
    ]
    timestamp: Annotated[
        str | int | float | None,
        Meta(
            description="When: ISO 8601 date and time with T or a blank between them (UTC unless "
            "it has a zone), or epoch seconds; a number above 1e11 is milliseconds.",
            examples=["2022-01-01 12:00:00", "2022-01-01T12:00:00+01:00", 1641038400.25],
        ),
    ] = None
    timestamp_ms: Annotated[
        int | float | None, Meta(description="When, in epoch milliseconds; instead of timestamp.")
    ] = None
    view_time: Annotated[
        float | None, Meta(description="How long it was watched, not negative.")
    ] = None
    rating: Annotated[
        float | None, Meta(description="Rating on the scale of the settings, 0 to 10 by default.")
    ] = None
    duration: Annotated[
        float | None, Meta(description="Length of the title, in the unit of view_time.")
    ] = None
    event_type: Annotated[
        str | None, Meta(description="Kind of the event, such as play or like.")
    ] = None
    event_id: Annotated[
        str | int | None, Meta(description="Unique id of the event, to drop duplicates by.")
    ] = None
    session_id: Annotated[str | int | None, Meta(description="Session of the user.")] = None
    device: Annotated[
        str | int | None,
        Meta(description="What it was watched on, such as tv; 64 bytes of UTF-8 count."),
    ] = None
    source: Annotated[
        str | int | None,
        Meta(description="What led to it, such as search; 64 bytes of UTF-8 count."),
    ] = None


class ContentMetadata(msgspec.Struct, omit_defaults=True):
    """Content metadata as producers write it."""

    content_id: Annotated[
        str | int, Meta(description="Id of the title: at most 256 bytes of UTF-8.")
    ]
    title: Annotated[str | None, Meta(description="Name of the title for people.")] = None
    genres: Annotated[
        list[str | int] | str | int | None,
        Meta(description="Genres: an array, or text joined by |."),
    ] = None
    released: Annotated[
        str | int | float | None,
        Meta(
            description="Year or ISO 8601 date of release; release_year is an alias.",
            examples=[1977, "1977-05-25"],
        ),
    ] = None
    duration: Annotated[
        float | None, Meta(description="Length, in the unit of the views' view_time.")
    ] = None
    creators: Annotated[
        list[str | int] | str | int | None,
        Meta(description="Creators: an array, or text joined by |; creator is an alias."),
    ] = None


class Source(msgspec.Struct, frozen=True, gc=False):
    """Watched title behind a recommendation."""

    content_id: Annotated[str, Meta(description="Title that the user watched.")]
    share: Annotated[
        float, Meta(ge=0, le=1, description="Its exact share of the item's co-visitation mass.")
    ]


class BecauseYouWatched(
    msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="because_you_watched"
):
    """Reason: others who watched the same titles watched this one."""

    sources: Annotated[list[Source], Meta(description="Watched titles, largest share first.")]
    text: Annotated[str, Meta(description="The reason in words.")]


class PopularNow(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="popular_now"):
    """Reason: many users watch this title now."""

    text: Annotated[str, Meta(description="The reason in words.")]


class NewInGenre(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="new_in_genre"):
    """Reason: a new title in a genre that the user watches."""

    genre: Annotated[str, Meta(description="Genre that the user watches.")]
    text: Annotated[str, Meta(description="The reason in words.")]


Reason = BecauseYouWatched | PopularNow | NewInGenre


class RecommendedItem(msgspec.Struct, frozen=True, gc=False):
    """One item of a list."""

    content_id: Annotated[str, Meta(description="Recommended title.")]
    score: Annotated[float, Meta(description="Score of the ranker; comparable within one list.")]
    reason: Annotated[Reason, Meta(description="Why it is in the list.")]


class Origin(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Position of an event: a line of a log, or an offset of a topic."""

    line: Annotated[
        int | None, Meta(description="Record number in the log, from 1 without the header.")
    ] = None
    file: Annotated[str | None, Meta(description="Name of the log, when several are read.")] = None
    topic: Annotated[str | None, Meta(description="Topic of the event.")] = None
    partition: Annotated[int | None, Meta(description="Partition of the event.")] = None
    offset: Annotated[int | None, Meta(description="Offset of the event itself.")] = None


class Recommendation(msgspec.Struct, frozen=True, gc=False):
    """Recommendation record: a user's list right after one of the user's events was learned."""

    user_id: Annotated[str, Meta(description="For whom; the key of the record.")]
    items: Annotated[list[RecommendedItem], Meta(description="The list, best first.")]
    event_time: Annotated[float, Meta(description="Epoch seconds of the event it is based on.")]
    based_on: Annotated[
        Origin,
        Meta(
            description="The event it is based on.",
            extra_json_schema={
                "oneOf": [{"required": ["line"]}, {"required": ["topic", "partition", "offset"]}]
            },
        ),
    ]


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Dead-letter line: a refused record and why; exactly one of the two values is there."""

    line: Annotated[int, Meta(description="Record number in the log, from 1 without the header.")]
    reason: Annotated[str, Meta(description="Class of the refusal: decode, schema, range, late.")]
    error: Annotated[str, Meta(description="What is wrong, in one sentence.")]
    file: Annotated[str | None, Meta(description="Name of the log, when several are read.")] = None
    value: Annotated[
        str | None,
        Meta(description="The record as it was read; only its first kilobyte if it is too long."),
    ] = None
    value_base64: Annotated[
        str | None, Meta(description="The record in base64, when it is not UTF-8.")
    ] = None


class TraceLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Trace line: how one accepted event was judged."""

    line: Annotated[int, Meta(description="Record number in the log, from 1 without the header.")]
    user_id: Annotated[str, Meta(description="Who watched.")]
    content_id: Annotated[str, Meta(description="What was watched.")]
    items: Annotated[
        list[str] | None,
        Meta(description="The judged list, best first; null in a user's first tie group."),
    ]
    skipped: Annotated[
        str | None,
        Meta(description="Why the event was not judged: cold, repeat or not positive; or null."),
    ]
    rank: Annotated[
        int | None, Meta(description="Place of the watched title in items from 1; null for a miss.")
    ]
    file: Annotated[str | None, Meta(description="Name of the log, when several are read.")] = None


_encoder = msgspec.json.Encoder()


def encode_view(view: View) -> bytes:
    """Return the view as canonical JSON, which decodes to the same view.

    Times above 1e11 s, which no quality gate admits, are written as milliseconds.

    >>> encode_view(View("7", "50", 1641038400.0, rating=4.0))
    b'{"user_id":"7","content_id":"50","timestamp":1641038400.0,"rating":4.0}'
    """
    in_seconds = view.event_time <= MILLISECONDS_ABOVE
    event = ViewEvent(
        view.user_id,
        view.content_id,
        timestamp=view.event_time if in_seconds else None,
        timestamp_ms=None if in_seconds else view.event_time * 1000,
        view_time=view.view_time,
        rating=view.rating,
        duration=view.duration,
        event_type=view.event_type,
        event_id=view.event_id,
        session_id=view.session_id,
        device=view.device,
        source=view.source,
    )
    return _encoder.encode(event)
