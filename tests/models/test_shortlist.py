"""The shortlist holds whatever its sources bring, and nothing else."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from models.engine import Engine, View
from models.scratch import N_POPULAR
from models.shortlist import N_COVISITED, N_GENRE
from tests.models.covisit_oracle import CovisitOracle
from tests.models.samples import SMALL, START_S, candidates, learned, sample_views

CONFIG = replace(SMALL, n_neighbors=256)


def busy(n: int, n_titles: int) -> list[View]:
    """Return views of many titles by a few users who watch one after the other."""
    rng, views = random.Random(7), []
    for at in range(n):
        user = f"user {at * 8 // n}"
        time = START_S + 60.0 * at
        title = f"title {rng.randrange(n_titles)}"
        views.append(View(user, title, time, time, rng.uniform(0.1, 1.0)))
    return views


BUSY = busy(1_200, 400)


@pytest.fixture(scope="module")
def world() -> tuple[Engine, CovisitOracle]:
    oracle = CovisitOracle(CONFIG)
    oracle.learn(BUSY)
    return learned(CONFIG, BUSY), oracle


@pytest.mark.parametrize("user_id", ["user 0", "user 5", "user 7"])
def test_the_strongest_covisited_titles_are_candidates(
    world: tuple[Engine, CovisitOracle], user_id: str
) -> None:
    (engine, oracle), views = world, BUSY
    watched = {view.content_id for view in views if view.user_id == user_id}
    strength = {x: s for x, s in oracle.blends(user_id).items() if x not in watched}
    ranked = sorted(strength, key=lambda x: -strength[x])
    assert len(ranked) > 1.5 * N_COVISITED
    cut = strength[ranked[N_COVISITED - 1]]
    found = candidates(engine, user_id, views[-1].time)
    assert {x for x in ranked if strength[x] > cut * (1 + 1e-4)} <= found.keys()
    popular = 7 * N_POPULAR
    assert len(found) <= N_COVISITED + popular
    assert not watched & found.keys()


def test_equally_strong_titles_are_cut_by_number() -> None:
    """More titles than fit follow one title, all once and all unpopular."""
    n = N_COVISITED + 60
    follow = [
        View(f"{x}", title, START_S + x + step, START_S + x + step)
        for x in range(n)
        for step, title in ((0.0, "start"), (0.5, f"next {x}"))
    ]
    still = replace(CONFIG, events_per_title=1e12)
    crowd = [View(f"fan {f} {x}", f"hit {x}", START_S, START_S) for x in range(40) for f in (0, 1)]
    last = View("ann", "start", START_S + n, START_S + n)
    engine = learned(still, [*follow, *crowd, last])
    found = candidates(engine, "ann", START_S + n)
    nexts = sorted(int(x.removeprefix("next ")) for x in found if x.startswith("next"))
    latest = {*range(n - N_POPULAR, n)}
    assert {*nexts} - latest == {*range(N_COVISITED)} - latest


def test_novel_titles_of_every_popularity_are_candidates() -> None:
    views = busy(600, 150)
    engine = learned(CONFIG, views)
    found = candidates(engine, "never seen", views[-1].time)
    count = {x: sum(v.strength for v in views if v.content_id == x) for x in found}
    totals = sorted(
        (sum(v.strength for v in views if v.content_id == f"title {x}") for x in range(150)),
        reverse=True,
    )
    assert sum(c >= totals[N_POPULAR - 1] - 1e-4 for c in count.values()) >= N_POPULAR


def test_titles_of_recent_creators_and_favourite_genres_are_candidates() -> None:
    engine = Engine(CONFIG)
    engine.describe("loved", genres=["noir"], creators=["varda"])
    engine.describe("by varda", creators=["varda"])
    for n in range(N_GENRE + 5):
        engine.describe(f"noir {n}", genres=["noir"])
    rare = ["by varda", *(f"noir {n}" for n in range(N_GENRE + 5))]
    views = [View(f"old {n}", x, START_S + n, START_S + n) for n, x in enumerate(rare)]
    later = START_S + 1e6
    views += [View(f"fan {n % 7}", f"hit {n % 60}", later + n, later + n, 1.0) for n in range(300)]
    views.append(View("ann", "loved", later + 400, later + 400))
    list(engine.learn(views))
    found = candidates(engine, "ann", later + 400)
    assert "by varda" in found
    assert sum(x.startswith("noir") for x in found) == N_GENRE
    stranger = candidates(engine, "never seen", later + 400)
    assert not {x for x in stranger if x.startswith("noir")}


def test_candidates_are_novel_and_distinct() -> None:
    views = sample_views(250, n_titles=60)
    engine = learned(SMALL, views)
    for n in range(6):
        watched = {view.content_id for view in views if view.user_id == f"user {n}"}
        found = candidates(engine, f"user {n}", views[-1].time)
        assert not watched & found.keys()
        assert len(found) == engine.model.candidates.length[-1]
