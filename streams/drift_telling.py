"""Alarms, reactions and episodes of drift as observers hear of them, and levels of detectors.

Levels are ``level:STATISTIC``, how near a detector is to an alarm (1 while its input alarm lasts),
and ``recall:SCOPE``.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.adapting import BOOSTED
from models.alarms import Alarm, Reaction
from models.distrust import REACTIONS as PROTECTIONS
from models.episodes import Episode
from models.nearness import (
    STATISTICS,
    input_nearness,
    mix_nearness,
    quality_nearness,
    scope_recalls,
)
from streams.drift_records import DriftRecord
from streams.pipeline import Handled, Pipeline

__all__ = ["REACTIONS", "STATISTICS", "changes_of", "levels_of_drift", "open_episodes"]

REACTIONS = (BOOSTED, *PROTECTIONS.values())
Change = dict[str, str | float | None]


def changes_of(partition: int, handled: Handled) -> Iterator[Change]:
    """Yield what a call of a pipeline brought about: alarms and reactions, then episodes."""
    for _, notice in handled.noticed:
        if isinstance(notice, Alarm):
            yield {"partition": partition, "state": "alarm", **_described(notice)}
        elif isinstance(notice, Reaction) and notice.is_on:
            yield {
                "partition": partition,
                "state": "reaction",
                "reaction": notice.name,
                "statistic": notice.statistic,
                "scope": notice.scope,
                "detected": notice.at,
            }
    for _, record in handled.drift:
        yield _named(partition, record.episode, record.state) | _described(record)


def open_episodes(partition: int, pipeline: Pipeline) -> Iterator[Change]:
    """Yield the episodes that were open when a partition came here, as updates of them."""
    for episode in pipeline.drift.episodes.open:
        name = pipeline.drift.name_of(episode)
        yield _named(partition, name, "updated") | _described(episode)


def levels_of_drift(pipeline: Pipeline) -> dict[str, float]:
    """Return the levels of a partition's detectors by name; none where nothing is watched."""
    engine, guard = pipeline.engine, pipeline.guard
    if guard is None:
        return {}
    near = (
        quality_nearness(engine.quality.state)
        | input_nearness(guard.watch)
        | mix_nearness(engine.mix)
    )
    recalls = scope_recalls(engine.quality, engine.genres)
    return {
        **{f"level:{statistic}": value for statistic, value in near.items()},
        **{f"recall:{scope}": value for scope, value in recalls.items()},
    }


def _named(partition: int, episode: str, state: str) -> Change:
    return {"partition": partition, "episode": episode, "state": state}


def _described(source: Alarm | DriftRecord | Episode) -> Change:
    return {
        "kind": source.kind.value,
        "severity": source.severity.value,
        "statistic": source.statistic,
        "scope": source.scopes[0].scope if isinstance(source, DriftRecord) else source.scope,
        "detector": source.detector,
        "onset": source.onset,
        "detected": source.detected,
        "before": source.before,
        "after": source.after,
    }
