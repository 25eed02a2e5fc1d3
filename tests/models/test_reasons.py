"""Reasons against the terms of the sum that they claim to be shares of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.engine import Engine, View
from models.reasons import BECAUSE_YOU_WATCHED, NEW_IN_GENRE, POPULAR_NOW
from tests.models.covisit_oracle import CovisitOracle, blend
from tests.models.samples import SMALL, START_S, learned, sample_views

CONFIG = replace(SMALL, k=10, n_neighbors=64)
FLOOR = 1e-4


def test_shares_are_exact_and_name_the_strongest_sources() -> None:
    views = sample_views(300, n_titles=60)
    engine, oracle = learned(CONFIG, views), CovisitOracle(CONFIG)
    oracle.learn(views)
    n_named = 0
    for user_id in sorted(oracle.watched):
        lists = engine.recommend(user_id, views[-1].time)
        terms = oracle.terms(user_id)
        for p, row in enumerate(lists.title[0]):
            sources = terms.get(engine.titles.name(row), {})
            masses = {source: blend(term) for source, term in sources.items()}
            mass = sum(masses.values())
            if mass < FLOOR:
                assert lists.kind[0, p] != BECAUSE_YOU_WATCHED
                continue
            assert lists.kind[0, p] == BECAUSE_YOU_WATCHED
            shown = [r for r in lists.source[0, p] if r >= 0]
            shares = [masses[engine.titles.name(r)] / mass for r in shown]
            assert lists.share[0, p, : len(shown)].tolist() == pytest.approx(shares, abs=1e-4)
            expected = sorted((m / mass for m in masses.values() if m > 0), reverse=True)[:3]
            assert shares == pytest.approx(expected, abs=1e-4)
            n_named += len(shown)
    assert n_named > 60


def test_shares_fall_and_sum_to_at_most_one() -> None:
    views = sample_views(300, n_titles=60, seed=5)
    engine = learned(CONFIG, views)
    for n in range(6):
        lists = engine.recommend(f"user {n}", views[-1].time)
        because = lists.kind[0] == BECAUSE_YOU_WATCHED
        share, source = lists.share[0], lists.source[0]
        assert (share[:, :-1] >= share[:, 1:]).all()
        assert (share.sum(axis=1) <= 1.0 + 1e-6).all()
        assert ((share > 0) == (source >= 0)).all()
        assert (share[~because] == 0.0).all()
        all_named = because & (source[:, -1] < 0)
        assert share[all_named].sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def _view(n: int, user_id: str, content_id: str) -> View:
    return View(user_id, content_id, START_S + n, START_S + n)


def test_one_source_has_all_of_the_mass() -> None:
    pairs = [("a", "b"), ("a", "c"), ("b", "b")]
    views = [_view(n, user, t) for n, (user, t) in enumerate(pairs)]
    engine = learned(CONFIG, views)
    lists = engine.recommend("b", START_S + 9)
    assert engine.titles.name(lists.title[0, 0]) == "c"
    assert [engine.titles.name(row) for row in lists.source[0, 0] if row >= 0] == ["b"]
    assert lists.share[0, 0].tolist() == [1.0, 0.0, 0.0]


def test_without_pairs_a_title_is_new_in_a_genre_or_popular() -> None:
    engine = Engine(CONFIG)
    engine.describe("seen", genres=["drama", "crime"])
    engine.describe("debut", genres=["comedy", "crime"])
    engine.describe("other", genres=["comedy"])
    crowd = [_view(10 + n, f"{n}", "hit") for n in range(12)]
    list(engine.learn([_view(0, "ann", "seen"), *crowd, _view(50, "x", "debut")]))
    list(engine.learn([_view(51, "y", "other")]))
    lists = engine.recommend("ann", START_S + 99)
    reasons = {
        engine.titles.name(row): (lists.kind[0, p], lists.genre[0, p])
        for p, row in enumerate(lists.title[0])
        if row >= 0
    }
    assert reasons == {
        "hit": (POPULAR_NOW, -1),
        "debut": (NEW_IN_GENRE, engine.genres.row("crime")),
        "other": (POPULAR_NOW, -1),
    }


def test_everything_is_popular_for_a_stranger() -> None:
    lists = learned(CONFIG, sample_views(100)).recommend("never seen", START_S)
    assert set(lists.kind[0].tolist()) == {POPULAR_NOW}
