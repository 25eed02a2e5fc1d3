"""A user's list from a snapshot, for people who ask why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from models.feature_names import FEATURES
from streams.errors import SnapshotError
from streams.events import RecommendedItem
from streams.partitioning import partition_for
from streams.pipeline import Pipeline
from streams.settings import Settings
from streams.snapshots import Manifest, newest_snapshot, owner_of
from streams.stores import SnapshotStore
from streams.timebounds import parse_time_bound


class Answer(msgspec.Struct, frozen=True):
    """A list with names and, if asked for, what each score is made of.

    Attributes
    ----------
    user_id
        For whom.
    is_known
        Whether the state has a history of the user.
    event_time
        As of when, in epoch seconds.
    items, titles
        The list, best first, and the titles' names.
    contributions
        By title: the ranker's features and what each adds to the score, largest first.
    base_score
        Mean score of the candidates; a title's contributions add up to its score minus this.
    notes
        Such as a damaged snapshot that was passed over.
    """

    user_id: str
    is_known: bool
    event_time: float
    items: list[RecommendedItem]
    titles: list[str]
    contributions: dict[str, dict[str, float]] = {}
    base_score: float = 0.0
    notes: list[str] = []


def answer(
    folder: SnapshotStore,
    user_id: str,
    *,
    at: str | None = None,
    is_explained: bool = False,
) -> Answer:
    """Return the list of a user from the newest valid snapshot below a folder.

    Raises
    ------
    SnapshotError
        There is none.
    """
    pipeline, notes = _pipeline(folder, user_id)
    engine = pipeline.engine
    time = engine.latest_time
    if at is not None:
        time = parse_time_bound(at).resolve(time)
    explanation = engine.explain(user_id, time)
    items = pipeline.recommender.items(explanation.lists, 0)
    return Answer(
        user_id=user_id,
        is_known=engine.knows(user_id),
        event_time=time,
        items=items,
        titles=[pipeline.recommender.title_of(item.content_id) for item in items],
        contributions=contributions_of(items, explanation.contributions) if is_explained else {},
        base_score=explanation.base,
        notes=notes,
    )


def _pipeline(folder: SnapshotStore, user_id: str) -> tuple[Pipeline, list[str]]:
    """Restore the partition of a user, under the settings that it was made with."""
    owners = {name.partition("/")[0] for name in folder.files()}
    n_partitions = sum(owner.startswith("partition-") for owner in owners)
    if not n_partitions:
        raise SnapshotError(f"{folder}: no snapshots; make some with replay --snapshot-to")
    snapshot, problems = newest_snapshot(folder / owner_of(partition_for(user_id, n_partitions)))
    if snapshot is None:
        raise SnapshotError(f"{folder}: no valid snapshot: {'; '.join(problems)}")
    pipeline = Pipeline(_settings(snapshot.manifest))
    try:
        pipeline.restore(snapshot.arrays)
    except SnapshotError as error:
        raise SnapshotError(f"{folder}: {snapshot.manifest.next_offset}: {error}") from error
    return pipeline, [f"passed over: {problem}" for problem in problems]


def _settings(manifest: Manifest) -> Settings:
    sections: dict[str, dict[str, Any]] = {}
    for name, value in manifest.settings.items():
        section, _, field = name.partition(".")
        sections.setdefault(section, {})[field] = value
    return msgspec.convert(sections, type=Settings)


def contributions_of(
    items: Sequence[RecommendedItem], parts: np.ndarray
) -> dict[str, dict[str, float]]:
    """Name the contributions, the largest in size first; those of zero are left out."""
    return {
        item.content_id: {
            FEATURES[f]: float(part[f]) for f in np.argsort(-abs(part), kind="stable") if part[f]
        }
        for item, part in zip(items, parts, strict=False)
    }
