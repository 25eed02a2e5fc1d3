"""What observers are told of pipelines, against what the pipelines themselves say."""

from collections import Counter

import pytest

from monitoring.watcher import Watcher
from streams.pipeline import Pipeline, Wanted
from streams.settings import EngineSettings, Settings
from streams.telling import Teller
from tests.replays import arrivals, simulated

SMALL = Settings(engine=EngineSettings(max_users=30, max_titles=60, n_neighbors=16))


class Noting(Watcher):
    """Adds up what it is told."""

    def __init__(self):
        self.counts = Counter()
        self.judged = Counter()
        self.stages = Counter()
        self.sizes = []
        self.n_with_judged = 0

    def processed(self, partition, counts, *, seconds, judged):
        assert partition == 3
        self.counts.update(counts)
        self.stages.update(seconds.keys())
        self.judged.update(judged.get("all", {}))
        self.n_with_judged += bool(judged)

    def measured(self, partition, sizes):
        assert partition == 3
        self.sizes.append(sizes)


class Clock:
    def __init__(self, step_s):
        self.now_s, self.step_s = 0.0, step_s

    def __call__(self):
        self.now_s += self.step_s
        return self.now_s


@pytest.fixture(scope="module")
def records():
    return arrivals([*simulated()[0][:1000], b"nonsense"])


def told(records, *, step_s, pipeline=None):
    noting, pipeline = Noting(), pipeline or Pipeline(SMALL)
    teller = Teller(noting, k=SMALL.engine.k, clock=Clock(step_s))
    teller.begin(3, pipeline)
    for begin in range(0, len(records), 100):
        handled = pipeline.process(records[begin : begin + 100], Wanted())
        teller.processed(3, pipeline, handled, decode_s=0.1, batch_s=0.2)
    teller.finish({3: pipeline})
    return noting, pipeline


@pytest.mark.parametrize("step_s", [0.0, 0.4, 2.0])
def test_all_is_told_however_time_goes(records, step_s):
    noting, pipeline = told(records, step_s=step_s)
    assert noting.counts == {name: n for name, n in pipeline.counts.items() if n}
    assert noting.counts["decode"] == 1
    skipped = sum(n for name, n in noting.judged.items() if name.startswith("skipped:"))
    assert noting.judged["judged"] + skipped == pipeline.counts["accepted"]
    assert noting.stages == dict.fromkeys(("decode", "learn", "recommend", "batch"), 11)


def test_sums_and_levels_come_about_once_a_second(records):
    noting, _ = told(records, step_s=0.34)
    assert (noting.n_with_judged, len(noting.sizes)) == (4, 4 + 1)


def test_what_a_partition_was_restored_to_is_not_told_again(records):
    _, pipeline = told(records[:500], step_s=1.0)
    noting, _ = told(records[500:], step_s=1.0, pipeline=pipeline)
    assert noting.counts["accepted"] < pipeline.counts["accepted"]
    assert sum(noting.counts[name] for name in ("accepted", "decode", "duplicate")) == 501


def test_levels_are_those_of_the_state(records):
    noting, pipeline = told(records, step_s=1.0)
    levels, engine = noting.sizes[-1], pipeline.engine
    assert levels["users"] == len(engine.users) <= 30
    assert levels["titles"] == len(engine.titles) <= 60
    assert levels["evicted:users"] > 0
    assert levels["evicted:titles"] > 0
    assert 0 < levels["neighbors"] <= 60 * 16
    assert levels["watermark"] == pipeline.gate.watermark.value
    assert 0 < levels["coverage"] <= 1
    assert levels["weight:forward"] == engine.model.weights[0][0] != 0


def test_watching_changes_nothing(records):
    _, watched = told(records, step_s=1.0)
    alone = Pipeline(SMALL)
    alone.process(records, Wanted())
    found, expected = watched.snapshot(), alone.snapshot()
    assert {k: v.tobytes() for k, v in found.items()} == {
        k: v.tobytes() for k, v in expected.items()
    }
