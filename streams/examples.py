"""Users of a replay as examples: what they watched, and the list that they would get now."""

from __future__ import annotations

import math

import msgspec

from models.names import ABSENT
from streams.answers import contributions_of
from streams.events import RecommendedItem
from streams.partitioning import partition_for
from streams.pipeline import Pipeline
from streams.replay import Replay

N_LATELY = 6


class Example(msgspec.Struct, frozen=True):
    """A user and a list as of the latest event.

    Attributes
    ----------
    n_watched
        Distinct titles that the state remembers; 0 for a user without history.
    lately
        Names of the titles watched last, latest first.
    items, titles
        The list, best first, and the titles' names.
    contributions
        By title: features and what each adds to the score, largest first.
    """

    user_id: str
    n_watched: int
    lately: list[str]
    items: list[RecommendedItem]
    titles: list[str]
    contributions: dict[str, dict[str, float]]


def latest_users(replay: Replay, n: int) -> list[str]:
    """Return the users seen last, who are the ones that a list would be made for."""
    found: list[tuple[float, int, str]] = []
    for pipeline in replay.pipelines:
        engine = pipeline.engine
        users, n_rows = engine.model.users, engine.users.n_rows
        order = users.last_event[:n_rows].argsort(kind="stable")[::-1][:n]
        found += (
            (float(users.last_time[row]), int(users.last_event[row]), engine.users.name(row))
            for row in order.tolist()
            if users.last_event[row] >= 0
        )
    if len(replay.pipelines) > 1:
        found.sort(reverse=True)
    return [user_id for _, _, user_id in found[:n]]


def example_of(replay: Replay, user_id: str) -> Example:
    """Return a user, known or not, with the list as of the latest event; changes nothing."""
    n_partitions = len(replay.pipelines)
    place = partition_for(user_id, n_partitions) if n_partitions > 1 else 0
    pipeline = replay.pipelines[place]
    # Nothing that was read may have had a time.
    time = replay.latest if math.isfinite(replay.latest) else pipeline.engine.latest_time
    explanation = pipeline.engine.explain(user_id, time)
    items = pipeline.recommender.items(explanation.lists, 0)
    watched = _watched(pipeline, user_id)
    name = pipeline.recommender.title_of
    return Example(
        user_id=user_id,
        n_watched=len(watched),
        lately=[name(title) for title in watched[: -N_LATELY - 1 : -1]],
        items=items,
        titles=[name(item.content_id) for item in items],
        contributions=contributions_of(items, explanation.contributions),
    )


def _watched(pipeline: Pipeline, user_id: str) -> list[str]:
    """Return the distinct titles of a user, oldest first."""
    engine = pipeline.engine
    row = engine.users.row(user_id)
    if row == ABSENT:
        return []
    begin, length = int(engine.model.users.start[row]), int(engine.model.users.length[row])
    rows = engine.model.history[begin : begin + length].tolist()
    return [engine.titles.name(title) for title in rows]
