"""Evaluation against recomputing every number from the list of all events."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation import Evaluation
from models.exposure import Exposure
from models.outcomes import SEGMENTS, Outcomes, Segment, Skip

K = 5
NAMES = ["2d", "all"]


def stream(n: int, seed: int = 0, *, with_exposure: bool = False) -> Outcomes:
    rng = np.random.default_rng(seed)
    lists = rng.integers(-1, 60, (n, K)).astype(np.int32)
    exposure = Exposure(
        list_views=np.where(lists < 0, -1, lists * 3),
        target_views=rng.integers(0, 90, n).astype(np.int32),
        n_views=np.arange(1000, 1000 + n),
    )
    return Outcomes(
        skip=rng.choice(4, n, p=[0.7, 0.1, 0.1, 0.1]).astype(np.int8),
        rank=rng.integers(0, K + 1, n).astype(np.int16),
        segment_bits=rng.integers(0, 16, n).astype(np.int32),
        popularity_rank=rng.integers(0, 3 * K, (n, len(NAMES))).astype(np.int32),
        random_n=rng.integers(0, 40, n).astype(np.int32),
        lists=lists,
        event_time=1e9 + np.cumsum(rng.random(n)),
        exposure=exposure if with_exposure else None,
    )


def cut(rows: Any, start: int, stop: int) -> Any:
    """Cut the arrays of a dataclass."""
    values = {field.name: getattr(rows, field.name) for field in fields(rows)}
    exposure = values.pop("exposure", None)
    if exposure is not None:
        values["exposure"] = cut(exposure, start, stop)
    return type(rows)(
        **{name: v if name == "exposure" else v[start:stop] for name, v in values.items()}
    )


def fed(outcomes: Outcomes, cuts: list[int], evaluation: Evaluation | None = None) -> Evaluation:
    evaluation = evaluation or Evaluation(NAMES, k=K, window=50, n_recent=5000)
    n = len(outcomes.skip)
    edges = [0, *sorted(min(c, n) for c in cuts), n]
    for start, stop in pairwise(edges):
        evaluation.update(cut(outcomes, start, stop))
    return evaluation


class Oracle:
    """All events, scored by definition."""

    def __init__(self, outcomes: Outcomes) -> None:
        self.outcomes = outcomes
        self.judged = [i for i, s in enumerate(outcomes.skip) if s == Skip.JUDGED]

    def scores(self, events: list[int]) -> dict[str, Any]:
        out = self.outcomes
        baselines = {
            f"popularity_{name}": self.of_ranks([int(out.popularity_rank[i, h]) for i in events])
            for h, name in enumerate(NAMES)
        }
        baselines["random"] = self.of_chance([int(out.random_n[i]) for i in events])
        ours = self.of_ranks([int(out.rank[i]) for i in events])
        return {"judged": len(events), **ours, "baselines": baselines}

    @staticmethod
    def gains(rank: int) -> tuple[float, float, float]:
        return (1.0, 1 / math.log2(rank + 1), 1 / rank) if 1 <= rank <= K else (0.0, 0.0, 0.0)

    def of_ranks(self, ranks: list[int]) -> dict[str, Any]:
        gains = np.array([self.gains(rank) for rank in ranks]).reshape(-1, 3)
        values: dict[str, Any] = {}
        for column, name in enumerate((f"recall@{K}", f"ndcg@{K}", f"mrr@{K}")):
            values[name] = gains[:, column].mean() if ranks else None
            error = gains[:, column].std() / math.sqrt(len(ranks)) if ranks else None
            values[f"{name}_se"] = error
        return values

    def of_chance(self, sizes: list[int]) -> dict[str, Any]:
        names = f"recall@{K}", f"ndcg@{K}", f"mrr@{K}"
        if not sizes:
            return dict.fromkeys(names)
        expected = [
            np.mean([self.gains(rank) for rank in range(1, n + 1)], axis=0) if n else np.zeros(3)
            for n in sizes
        ]
        return dict(zip(names, np.mean(expected, axis=0).tolist(), strict=True))

    def in_segment(self, name: str) -> list[int]:
        bit, is_set = SEGMENTS[name]
        return [i for i in self.judged if bool(self.outcomes.segment_bits[i] & bit) is is_set]


def assert_close(actual: Any, expected: Any, path: str = "") -> None:
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys(), path
        for name, value in expected.items():
            assert_close(actual[name], value, f"{path}.{name}")
    elif expected is None:
        assert actual is None, path
    else:
        assert actual == pytest.approx(expected, abs=1e-8), path


@given(seed=st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_every_prefix_equals_brute_force(seed: int) -> None:
    outcomes = stream(40, seed)
    evaluation = Evaluation(NAMES, k=K)
    for end in range(1, 41):
        evaluation.update(cut(outcomes, end - 1, end))
        oracle = Oracle(cut(outcomes, 0, end))
        summary = evaluation.summary()
        middle = len(oracle.judged) // 2
        total = oracle.scores(oracle.judged)
        assert_close({name: summary[name] for name in total}, total)
        assert_close(summary["halves"]["first"], oracle.scores(oracle.judged[:middle]))
        assert_close(summary["halves"]["second"], oracle.scores(oracle.judged[middle:]))
        for name in SEGMENTS:
            assert_close(summary["segments"][name], oracle.scores(oracle.in_segment(name)))


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(0, 700),
    cuts=st.lists(st.integers(0, 700), max_size=9),
)
@settings(max_examples=40, deadline=None)
def test_chunks_change_nothing(seed: int, n: int, cuts: list[int]) -> None:
    outcomes = stream(n, seed, with_exposure=True)
    whole, parts = fed(outcomes, []), fed(outcomes, cuts)
    assert parts.summary(n_titles=100) == whole.summary(n_titles=100)
    assert parts.series() == whole.series()
    assert_same_state(parts, whole)


@given(seed=st.integers(0, 10_000), n=st.integers(0, 700), at=st.integers(0, 700))
@settings(max_examples=40, deadline=None)
def test_a_restored_evaluation_continues_exactly(seed: int, n: int, at: int) -> None:
    outcomes, at = stream(n, seed, with_exposure=True), min(n, at)
    interrupted = fed(cut(outcomes, 0, at), [])
    resumed = Evaluation(NAMES, k=K, window=50, n_recent=5000)
    resumed.restore(interrupted.snapshot())
    assert_same_state(fed(cut(outcomes, at, n), [], resumed), fed(outcomes, []))


def assert_same_state(one: Evaluation, other: Evaluation) -> None:
    a, b = one.snapshot(), other.snapshot()
    assert a.keys() == b.keys()
    for name, array in a.items():
        assert array.dtype == b[name].dtype, name
        assert array.tobytes() == b[name].tobytes(), name


def test_a_snapshot_is_not_changed_by_what_follows() -> None:
    outcomes = stream(300, with_exposure=True)
    evaluation = fed(outcomes, [])
    saved = evaluation.snapshot()
    before = {name: array.tobytes() for name, array in saved.items()}
    fed(outcomes, [], evaluation)
    assert {name: array.tobytes() for name, array in saved.items()} == before


def test_reporting_changes_nothing() -> None:
    evaluation, silent = (fed(stream(500), []) for _ in range(2))
    evaluation.summary(10), evaluation.series(), evaluation.recall(1000), evaluation.recall()
    assert_same_state(evaluation, silent)


def test_events_are_counted_by_why_they_were_skipped() -> None:
    outcomes = stream(2000)
    summary = fed(outcomes, [700]).summary()
    is_judged = outcomes.skip == Skip.JUDGED
    never_seen = is_judged & ((outcomes.segment_bits & Segment.NEVER_SEEN) > 0)
    assert summary["cold"] == (outcomes.skip == Skip.COLD).sum()
    assert summary["repeats"] == (outcomes.skip == Skip.REPEAT).sum()
    assert summary["not_positive"] == (outcomes.skip == Skip.NOT_POSITIVE).sum()
    assert (summary["events"], summary["judged"]) == (2000, is_judged.sum())
    assert summary["never_seen"] == never_seen.sum()


def test_sliding_windows_look_at_the_last_judged_events() -> None:
    outcomes = stream(9000)
    evaluation, oracle = fed(outcomes, [100, 5003]), Oracle(outcomes)
    for n in (1000, 5000):
        expected = oracle.scores(oracle.judged[-n:])
        assert_close(evaluation.summary()["sliding"][str(n)], expected)
        assert evaluation.recall(n) == pytest.approx(expected[f"recall@{K}"])
    assert evaluation.recall() == evaluation.summary()[f"recall@{K}"]


def test_only_judged_lists_cover_the_catalogue() -> None:
    outcomes = stream(40)
    listed = set(outcomes.lists[outcomes.skip == Skip.JUDGED].ravel().tolist()) - {-1}
    summary = fed(outcomes, []).summary(n_titles=80)
    assert summary["titles_listed"] == len(listed)
    assert summary["catalog_coverage"] == len(listed) / 80


def test_views_give_novelty_and_popularity_bias_of_judged_lists() -> None:
    outcomes = stream(200, with_exposure=True)
    exposure = outcomes.exposure
    assert exposure is not None
    judged = outcomes.skip == Skip.JUDGED
    is_listed = exposure.list_views[judged] >= 0
    views = exposure.list_views[judged][is_listed]
    totals = np.broadcast_to(exposure.n_views[judged][:, None], is_listed.shape)[is_listed]
    summary = fed(outcomes, [77]).summary()
    assert summary["novelty"] == pytest.approx(np.log2((1 + totals) / (1 + views)).mean(), abs=1e-5)
    bias = views.mean() / exposure.target_views[judged].mean()
    assert summary["popularity_bias"] == pytest.approx(bias)


def test_without_views_neither_is_reported() -> None:
    assert not {"novelty", "popularity_bias"} & fed(stream(50), []).summary().keys()


def test_halves_of_a_long_stream_meet_within_half_a_window_of_the_middle() -> None:
    outcomes = stream(20_000)
    evaluation = fed(outcomes, list(range(0, 20_000, 512)))
    oracle = Oracle(outcomes)
    halves = evaluation.summary()["halves"]
    met = halves["first"]["judged"]
    assert abs(met - len(oracle.judged) / 2) <= 25
    assert_close(halves["first"], oracle.scores(oracle.judged[:met]))
    assert_close(halves["second"], oracle.scores(oracle.judged[met:]))


def test_series_has_a_row_a_window_and_ends_with_the_last_judged_event() -> None:
    outcomes = stream(400)
    evaluation, oracle = fed(outcomes, [33, 210]), Oracle(outcomes)
    rows = evaluation.series()
    best = evaluation.summary()["best_popularity"]
    for start, row in zip(range(0, 400, 50), rows, strict=False):
        events = oracle.judged[start : start + 50]
        scores = oracle.scores(events)
        baselines = scores["baselines"]
        assert row.pop("events") == events[-1] + 1
        assert row.pop("event_time") == outcomes.event_time[events[-1]]
        assert row.pop("judged") == start + len(events)
        assert row.pop("popularity_recall@5") == baselines[best]["recall@5"]
        assert row.pop("random_recall@5") == pytest.approx(baselines["random"]["recall@5"])
        assert_close(row, {name: scores[name] for name in ("recall@5", "ndcg@5", "mrr@5")})
    assert len(rows) == math.ceil(len(oracle.judged) / 50)


def test_the_best_popularity_is_named() -> None:
    outcomes = stream(100)
    outcomes.popularity_rank[:] = [0, 1]
    assert fed(outcomes, []).summary()["best_popularity"] == "popularity_all"


def test_ranks_outside_the_list_are_misses() -> None:
    outcomes = stream(100)
    outcomes.skip[:] = Skip.JUDGED
    outcomes.rank[:] = K + 1
    outcomes.popularity_rank[:] = -1
    summary = fed(outcomes, []).summary()
    assert summary[f"recall@{K}"] == 0
    assert summary["baselines"]["popularity_2d"][f"recall@{K}"] == 0


def test_a_summary_of_nothing_is_json() -> None:
    text = json.dumps(Evaluation(NAMES, k=K).summary(n_titles=0), allow_nan=False)
    assert json.loads(text)["judged"] == 0
    assert Evaluation(NAMES).series() == []


def test_inputs_are_left_alone() -> None:
    outcomes, expected = stream(100), stream(100)
    fed(outcomes, [])
    for name in ("skip", "rank", "segment_bits", "popularity_rank", "random_n", "lists"):
        np.testing.assert_array_equal(getattr(outcomes, name), getattr(expected, name))


@pytest.mark.parametrize("parameters", [{"k": 0}, {"k": 256}, {"n_recent": 4999}])
def test_impossible_parameters_are_refused(parameters: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"not {next(iter(parameters.values()))}"):
        Evaluation(NAMES, **parameters)


def test_a_snapshot_of_other_baselines_is_refused() -> None:
    with pytest.raises(ValueError, match="baselines"):
        Evaluation(NAMES).restore(Evaluation(["all"]).snapshot())
