"""Small logs into which a change was planted, so that detectors have something to say."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import msgspec

from streams.drift_records import DriftRecord
from streams.truth import PlantedChange


def permuted(lines: Sequence[bytes], begin: int, seed: int = 0) -> list[bytes]:
    """Let titles swap their ids from a line on: lists become worse at once."""
    events = [json.loads(line) for line in lines]
    ids = sorted({event["content_id"] for event in events})
    new = dict(zip(ids, random.Random(seed).sample(ids, len(ids)), strict=True))
    for event in events[begin:]:
        event["content_id"] = new[event["content_id"]]
    return [json.dumps(event).encode() for event in events]


def lacking(lines: Sequence[bytes], field: str, begin: int, end: int) -> list[bytes]:
    """Let a field go missing from one line to before another: an input fault."""
    events = [json.loads(line) for line in lines]
    for event in events[begin:end]:
        event.pop(field, None)
    return [json.dumps(event).encode() for event in events]


def drift_record(episode: str = "0-1", state: str = "opened", **given: object) -> DriftRecord:
    """Return a record of an episode in which lists of Horror became worse at 10:00."""
    fields = {
        "episode": episode,
        "state": state,
        "kind": "concept",
        "severity": "drift",
        "statistic": "rank",
        "scopes": [{"scope": "genre:Horror", "share": 0.71, "events": 40}],
        "onset": 1_641_031_200.0,
        "detected": 1_641_033_000.0,
        "before": 4.0,
        "after": 19.0,
        "detector": "cusum_fast",
        "alarms": 1,
        "what": "genre:Horror: recall@10 0.210 -> 0.060 over 40 events; 71% of the loss",
        "line": 120,
        **given,
    }
    return msgspec.convert(fields, DriftRecord)


def change(begin: int, **given: object) -> PlantedChange:
    """Return the truth of a change of taste that begins at a line, and second, of a log."""
    fields = {
        "kind": "taste",
        "begin_event_time": float(begin),
        "begin_line": begin,
        "end_line": 9_000,
        "n_lines": 10,
        **given,
    }
    return msgspec.convert(fields, PlantedChange)
