"""Co-visitation in the engine against dictionaries in double precision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.engine import Engine, EngineConfig
from tests.models.covisit_oracle import CovisitOracle
from tests.models.samples import SMALL, candidates, learned, sample_views

CHANNELS = ("forward", "backward", "fast", "last_step")
FLOOR = 1e-4
WIDE = replace(SMALL, n_neighbors=64)
FORGETFUL = replace(WIDE, slow_half_life=30.0, fast_half_life=9.0, events_per_title=0.5)
NARROW = replace(SMALL, n_neighbors=8, slow_half_life=53.0, fast_half_life=17.0)


def check_shares(engine: Engine, oracle: CovisitOracle, user_id: str, time: float) -> int:
    """Fail unless the features of every candidate are the oracle's; return how many are."""
    expected, n = oracle.shares(user_id), 0
    for title, features in candidates(engine, user_id, time).items():
        shares = [2.0 ** features[name] - FLOOR for name in CHANNELS]
        truth = expected.get(title, [0.0] * 4)
        assert shares == pytest.approx(truth, rel=1e-4, abs=1e-8)
        n += title in expected
    return n


@pytest.mark.parametrize("config", [WIDE, FORGETFUL, NARROW], ids=["wide", "forgetful", "narrow"])
def test_scores_are_those_of_the_equations(config: EngineConfig) -> None:
    engine, oracle = Engine(config), CovisitOracle(config)
    views = sample_views(300, n_titles=45)
    n_compared = 0
    for at in range(0, len(views), 25):
        list(engine.learn(views[at : at + 25]))
        oracle.learn(views[at : at + 25])
        for user_id in sorted(oracle.watched):
            n_compared += check_shares(engine, oracle, user_id, views[at].time)
    assert n_compared > 500


def test_a_row_holds_no_more_neighbors_than_allowed() -> None:
    engine = learned(NARROW, sample_views(300, n_titles=45))
    oracle = CovisitOracle(NARROW)
    oracle.learn(sample_views(300, n_titles=45))
    lengths = {
        engine.titles.name(row): int(engine.model.titles.length[row])
        for row in range(len(engine.titles))
    }
    assert lengths == {title: len(oracle.rows.get(title, {})) for title in lengths}
    assert max(lengths.values()) == NARROW.n_neighbors


def test_a_repeat_teaches_nothing_about_pairs() -> None:
    views = sample_views(60)
    engine = learned(SMALL, views)
    before = engine.snapshot()
    repeats = [view for view in views if view.user_id == views[-1].user_id]
    list(engine.learn(repeats))
    after = engine.snapshot()
    for name in ("neighbors.title", "neighbors.weight", "titles.mass"):
        assert after[name].tobytes() == before[name].tobytes()
