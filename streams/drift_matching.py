"""Episodes held against the truth file of the log in which they were found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from models.drift_scores import Zone, match, score
from streams.drift_files import Story
from streams.errors import InputError
from streams.truth import PlantedChange

HORIZON = 5_000
"""Records after a change is complete in which an alarm still tells of it."""


class Matching(msgspec.Struct, frozen=True):
    """Episodes and planted changes side by side.

    Attributes
    ----------
    matches
        For each episode the planted change that it tells of: ``kind``, ``scope``, ``begin_line``,
        ``delay`` in records, and ``is_first``, whether no episode told of it before; else None.
    missed
        Changes of which no episode tells.
    scores
        See `models.drift_scores`.
    """

    matches: list[dict[str, Any] | None]
    missed: list[dict[str, Any]]
    scores: dict[str, Any]


def matching(
    stories: Sequence[Story], planted: Sequence[PlantedChange], horizon: int = HORIZON
) -> Matching:
    """Match episodes with planted changes by the lines of the log.

    Raises
    ------
    InputError
        An episode has no line: it is of a topic.
    """
    lines = [_line_of(story) for story in stories]
    zones = [_zone(change, stories, lines) for change in planted]
    order = sorted(range(len(lines)), key=lines.__getitem__)
    found = dict(zip(order, match(zones, [lines[n] for n in order], horizon), strict=True))
    told: set[int] = set()
    matches: dict[int, dict[str, Any] | None] = {}
    for n in order:
        place = found[n]
        matches[n] = None if place is None else _match(planted[place], lines[n], place not in told)
        told |= set() if place is None else {place}
    reached = max([*lines, *(zone.end for zone in zones)], default=0)
    scores = score(zones, sorted(lines), horizon=horizon, n_events=reached)
    return Matching(
        matches=[matches[n] for n in range(len(lines))],
        missed=[_named(change) for n, change in enumerate(planted) if n not in told],
        scores={
            "changes": scores.n_changes,
            "detected": scores.n_detected,
            "episodes": scores.n_alarms,
            "false": scores.n_false,
            "median_delay": None if math.isnan(scores.median_delay) else scores.median_delay,
        },
    )


def _line_of(story: Story) -> int:
    if story.line is None:
        raise InputError(
            f"episode {story.record.episode} has no line of a log: only what replay --drift writes"
            " can be held against a truth file"
        )
    return story.line


def _zone(change: PlantedChange, stories: Sequence[Story], lines: Sequence[int]) -> Zone:
    """Return where a change is, in lines; one that is gradual or ends is complete at its end."""
    if change.end_event_time is None:
        return Zone(change.begin_line, change.begin_line)
    if change.shape != "gradual":
        return Zone(change.begin_line, change.end_line)
    # It shows until the end of the log, so its lines do not tell when it was complete.
    within = [
        line
        for story, line in zip(stories, lines, strict=True)
        if story.record.detected <= change.end_event_time and line >= change.begin_line
    ]
    return Zone(change.begin_line, max(within, default=change.begin_line))


def _named(change: PlantedChange) -> dict[str, Any]:
    return {"kind": change.kind, "scope": change.scope, "begin_line": change.begin_line}


def _match(change: PlantedChange, line: int, is_first: bool) -> dict[str, Any]:  # noqa: FBT001
    return {**_named(change), "delay": line - change.begin_line, "is_first": is_first}
