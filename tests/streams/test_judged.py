import numpy as np
import pytest

from models.evaluation import Evaluation
from models.outcomes import SEGMENTS, Outcomes, Skip
from streams.judged import ALL, JudgedSums, models_of

K = 5
POPULARITIES = ("30d", "all")


def outcomes(seed, n=200):
    """Draw outcomes of every kind, with ranks beyond the list and few candidates."""
    draw = np.random.default_rng(seed)
    return Outcomes(
        skip=draw.choice(np.array(Skip, np.int8), n, p=[0.7, 0.1, 0.1, 0.1]),
        rank=draw.integers(0, K + 3, n),
        segment_bits=draw.integers(0, 16, n),
        popularity_rank=draw.integers(-1, K + 3, (n, len(POPULARITIES))),
        random_n=draw.integers(0, 3 * K, n),
        lists=draw.integers(-1, 9, (n, K)),
        event_time=np.arange(n, dtype=np.float64),
    )


@pytest.fixture
def chunks():
    return [outcomes(seed) for seed in range(3)]


@pytest.fixture
def summary(chunks):
    evaluation = Evaluation(POPULARITIES, k=K)
    for chunk in chunks:
        evaluation.update(chunk)
    return evaluation.summary()


def taken(chunks):
    sums = JudgedSums(POPULARITIES, k=K)
    sums.add(chunks)
    return sums.take()


def test_over_judged_events_the_sums_are_the_means_of_the_evaluation(chunks, summary):
    found = taken(chunks)
    for segment, expected in {ALL: summary, **summary["segments"]}.items():
        judged = found[segment]["judged"]
        assert judged == expected["judged"]
        for model in models_of(POPULARITIES):
            means = expected if model == "driftline" else expected["baselines"][model]
            for gain, metric in (("hits", "recall"), ("ndcg", "ndcg"), ("mrr", "mrr")):
                value = found[segment][f"{gain}:{model}"] / judged
                assert value == pytest.approx(means[f"{metric}@{K}"], abs=1e-9)


def test_every_segment_is_there_and_skipped_events_are_counted_by_reason(chunks, summary):
    found = taken(chunks)
    assert list(found) == [ALL, *SEGMENTS]
    skipped = [found[ALL][f"skipped:{name}"] for name in ("cold", "repeat", "not_positive")]
    assert skipped == [summary["cold"], summary["repeats"], summary["not_positive"]]


def test_how_outcomes_are_cut_changes_nothing(chunks):
    sums, total = JudgedSums(POPULARITIES, k=K), 0.0
    for chunk in chunks:
        sums.add([chunk])
        total += sums.take()[ALL]["hits:driftline"]
    assert total == taken(chunks)[ALL]["hits:driftline"]


def test_what_is_taken_is_gone(chunks):
    sums = JudgedSums(POPULARITIES, k=K)
    assert sums.take() == {}
    sums.add(chunks)
    assert sums.n_kept == 600
    sums.take()
    assert (sums.n_kept, sums.take()) == (0, {})
