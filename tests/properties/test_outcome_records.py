"""Aggregated outcomes do not depend on where a call ended or a run was interrupted."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.metrics import mrr_gain, ndcg_gain
from models.outcomes import Skip
from models.state import POPULARITY_NAMES
from streams.arrivals import Arrival, Forget
from streams.events import Origin
from streams.outcome_records import OutcomeRecord
from streams.pipeline import Pipeline, Wanted
from streams.settings import EngineSettings, Settings
from tests.replays import arrivals, simulated, tied

N_RECORDS = 260
WANTED = Wanted(is_aggregated=True)
SETTINGS = Settings(engine=EngineSettings(max_users=16, max_titles=32, n_neighbors=8))


@cache
def log() -> list[Arrival]:
    """Return a log with ties, duplicates, refused records, people who are forgotten and replays."""
    lines = simulated()[0]
    late = b'{"user_id": 1, "content_id": 2, "timestamp": "2021-12-01 12:00"}'
    found = arrivals([*lines[:80], *tied(lines[80:160], 3_600), b"?", lines[150], late])
    found += arrivals(lines[160:N_RECORDS])
    user = next(a.view.user_id for a in found[40:] if hasattr(a.view, "user_id"))
    found[60] = Arrival(Origin(line=0), b"", Forget(user))
    (replayed,) = arrivals([late])
    found[200:202] = [replayed._replace(replay_of="views/0/1")] * 2
    return found[:N_RECORDS]


def aggregated(cuts: list[int], restart_at: int | None = None) -> list[OutcomeRecord]:
    pipeline, records = Pipeline(SETTINGS, partition=4), []
    for begin, end in pairwise([0, *cuts, N_RECORDS]):
        records += pipeline.process(log()[begin:end], WANTED).aggregates
        if end == restart_at:
            restored = Pipeline(SETTINGS, partition=4)
            restored.restore(pipeline.snapshot())
            pipeline = restored
    return records


@cache
def whole() -> list[OutcomeRecord]:
    return aggregated([])


@given(st.lists(st.integers(0, N_RECORDS), max_size=12).map(sorted))
@settings(max_examples=20, deadline=None)
def test_any_cut_gives_the_same_records(cuts: list[int]) -> None:
    assert aggregated(cuts) == whole()


def test_one_record_at_a_time_gives_the_same_records() -> None:
    assert aggregated(list(range(1, N_RECORDS))) == whole()


@given(st.integers(0, N_RECORDS))
@settings(max_examples=10, deadline=None)
def test_an_interrupted_run_gives_the_same_records(at: int) -> None:
    assert aggregated([at], restart_at=at) == whole()


def test_they_add_up_to_what_came_of_every_event() -> None:
    """Nothing is left out or counted twice: an oracle event by event."""
    pipeline = Pipeline(SETTINGS)
    sums, quality = Counter[str](), Counter[str]()
    second, expected = None, []
    for arrival in log():
        counts = pipeline.counts
        handled = pipeline.process([arrival], Wanted())
        quality += Counter({n: m - counts[n] for n, m in pipeline.counts.items() if m > counts[n]})
        for chunk in handled.outcomes:
            is_judged = chunk.skip[0] == Skip.JUDGED
            rank = int(chunk.rank[0]) if is_judged else 0
            sums += Counter(
                events=1,
                judged=int(is_judged),
                hits=int(rank > 0),
                ndcg=round(ndcg_gain(rank) * 2**32),
                reciprocal=round(mrr_gain(rank) * 2**32),
            )
        watermark = pipeline.gate.watermark.value
        if np.isfinite(watermark) and int(watermark) != second:
            if second is not None:
                expected.append((second, sums, quality))
                sums, quality = Counter(), Counter()
            second = int(watermark)
    assert len(expected) == len(whole()) > 50
    for (number, totals, made), record in zip(expected, whole(), strict=True):
        assert (record.partition, record.second) == (4, number)
        assert (record.events, record.judged, record.hits) == tuple(
            totals[name] for name in ("events", "judged", "hits")
        )
        assert record.ndcg_sum == totals["ndcg"] / 2**32
        assert record.reciprocal_rank_sum == totals["reciprocal"] / 2**32
        assert record.quality == dict(made)
        assert record.judged + sum(record.skipped.values()) == record.events
        assert record.popularity_hits.keys() == set(POPULARITY_NAMES)


def test_the_log_has_what_it_is_meant_to_have() -> None:
    quality = Counter[str]()
    for record in whole():
        quality.update(record.quality)
    assert {"decode", "late", "duplicate", "accepted"} <= quality.keys()
    assert sum(record.hits for record in whole()) > 0
    assert sum(record.random_expected for record in whole()) == pytest.approx(
        sum(record.random_expected for record in aggregated([100])), abs=0
    )
