"""Settings that results depend on: data quality, the engine, how a log is split.

All but one are part of the fingerprint that a snapshot carries.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from streams.errors import SettingsError
from streams.rules import parse_positive
from streams.worker_settings import DAY_S, NEUTRAL


class QualitySettings(msgspec.Struct, frozen=True):
    """Which events are refused, repaired or taken as they are."""

    rating_min: Annotated[
        float,
        Meta(description="Lowest rating of the scale; below is a dead letter `range`."),
    ] = 0.0
    rating_max: Annotated[
        float,
        Meta(description="Highest rating of the scale; above is a dead letter `range`."),
    ] = 10.0
    allowed_lateness_s: Annotated[
        float,
        Meta(
            ge=0,
            description="An event further behind the watermark is a dead letter `late`.",
            extra={"unit": "s"},
        ),
    ] = DAY_S
    allowed_future_s: Annotated[
        float,
        Meta(
            ge=0,
            description="The time of an event further ahead of the watermark is clipped to it.",
            extra={"unit": "s"},
        ),
    ] = DAY_S
    dedup_window: Annotated[
        int,
        Meta(
            ge=1,
            description="Recent events among which a repeated event is found and dropped.",
            extra={"unit": "events"},
        ),
    ] = 65_536
    max_event_bytes: Annotated[
        int,
        Meta(
            ge=1,
            description="A longer record is a dead letter `decode`.",
            extra={"unit": "bytes"},
        ),
    ] = 65_536
    max_titles: Annotated[
        int,
        Meta(
            ge=1,
            description="Titles whose metadata and usual watched share are remembered.",
            extra={"unit": "titles"},
        ),
    ] = 200_000

    def __post_init__(self) -> None:
        """Refuse an empty rating scale."""
        if not self.rating_min < self.rating_max:
            raise SettingsError(
                f"quality.rating_min ({self.rating_min:g}) must be below"
                f" quality.rating_max ({self.rating_max:g})"
            )


class EngineSettings(msgspec.Struct, frozen=True):
    """What the engine remembers, how long its lists are and how they are judged."""

    k: Annotated[
        int,
        Meta(ge=1, le=100, description="Length of a list.", extra={"unit": "titles"}),
    ] = 10
    max_users: Annotated[
        int,
        Meta(
            ge=1,
            description="Users remembered; the least recently seen make room for new ones.",
            extra={"unit": "users"},
        ),
    ] = 2_000_000
    max_titles: Annotated[
        int,
        Meta(
            ge=1,
            description="Titles remembered; the least recently seen make room for new ones.",
            extra={"unit": "titles"},
        ),
    ] = 200_000
    n_neighbors: Annotated[
        int,
        Meta(
            ge=8,
            le=16_384,
            description="Neighbours of a title in co-visitation, a power of two.",
            extra={"unit": "titles"},
        ),
    ] = 256
    slow_half_life_events: Annotated[
        float,
        Meta(gt=0, description="Half-life of co-visitation.", extra={"unit": "events"}),
    ] = 15_000.0
    fast_half_life_events: Annotated[
        float,
        Meta(gt=0, description="Half-life of its fast side.", extra={"unit": "events"}),
    ] = 5_000.0
    events_per_title: Annotated[
        float,
        Meta(
            ge=0,
            description="The slow half-life is at least this many events for each title seen; the"
            " fast one grows in proportion.",
            extra={"unit": "events"},
        ),
    ] = 9.0
    learning_rate: Annotated[
        float,
        Meta(gt=0, description="Step size of the ranker's optimiser."),
    ] = 0.035
    step_every: Annotated[
        int,
        Meta(
            ge=1,
            le=4_096,
            description="Watched titles in one step of the ranker.",
            extra={"unit": "events"},
        ),
    ] = 8
    weak_strength: Annotated[
        float,
        Meta(ge=0, le=1, description="How much a view that is not positive counts."),
    ] = 0.25
    weigh_by_strength: Annotated[
        bool,
        Meta(
            description="Let a view count by its strength (watched share, rating) instead of 1;"
            " costs recall where lists are judged by every view."
        ),
    ] = False
    positive: Annotated[
        str,
        Meta(
            description="Rule for the views that count as a success, such as `rating >= 4`,"
            " `watch_ratio >= 0.5` or `event_type in click,like`; empty: every view."
        ),
    ] = ""
    protocol: Annotated[
        Literal["fresh", "served"],
        Meta(
            description="Judged is the list made just before the event (`fresh`) or right after"
            " the user's preceding events (`served`)."
        ),
    ] = "fresh"

    def __post_init__(self) -> None:
        """Refuse a rule that cannot be read and a row that is no block."""
        if self.n_neighbors & (self.n_neighbors - 1):
            message = f"engine.n_neighbors ({self.n_neighbors}) must be a power of two"
            raise SettingsError(message)
        if self.positive:
            try:
                parse_positive(self.positive)
            except SettingsError as error:
                raise SettingsError(f"engine.positive: {error}") from error


class ReplaySettings(msgspec.Struct, frozen=True):
    """How a recorded log is read."""

    batch_size: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Records read at a time: more is faster and takes more memory.",
            extra={"unit": "records", NEUTRAL: True},
        ),
    ] = 2_048
    partitions: Annotated[
        int,
        Meta(
            ge=1,
            le=4_096,
            description="Partitions a log is split into by user, each with its own state.",
            extra={"unit": "partitions"},
        ),
    ] = 1
