"""Tie groups, protocols, withdrawn and unseen titles, forgetting clocks, repeats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import models.engine
from models.batch import Judged
from models.engine import Engine, EngineConfig, View
from models.outcomes import Segment, Skip
from tests.models.samples import SMALL, START_S, learned, listed, sample_views
from tests.models.verbs import LATER, differing, feed, state

VIEWS = sample_views(250, n_titles=40)
ONE_SLOT = replace(SMALL, n_open_groups=1)


def judged(engine: Engine, views: list[View]) -> Judged:
    """Learn views in one batch that needs no room and return what came of them."""
    (segment,) = engine.learn(views)
    return segment.judged


def at(n: float, user_id: str, content_id: str, group: float | None = None) -> View:
    time = START_S + n
    return View(user_id, content_id, time, time if group is None else START_S + group)


@pytest.mark.parametrize("config", [SMALL, ONE_SLOT, replace(SMALL, protocol="served")])
def test_a_tie_group_is_judged_by_one_list_made_before_it(config: EngineConfig) -> None:
    views = sample_views(300, n_users=3, n_titles=40)
    outcome = judged(Engine(config), views)
    groups: dict[str, tuple[float, list[int]]] = {}
    n_shared = 0
    for e, view in enumerate(views):
        group_time, rows = groups.get(view.user_id, (None, []))
        if group_time == view.group_time:
            assert outcome.listed[e].tolist() == rows
            n_shared += 1
        groups[view.user_id] = view.group_time, outcome.listed[e].tolist()
    assert n_shared > 20


def test_the_fresh_protocol_judges_the_list_that_recommend_would_have_given() -> None:
    engine = Engine(ONE_SLOT)
    latest: dict[str, float] = {}
    for view in VIEWS:
        lists = engine.recommend(view.user_id, view.time).title[0]
        outcome = judged(engine, [view])
        if view.user_id in latest and latest[view.user_id] != view.group_time:
            assert outcome.listed[0].tolist() == lists.tolist()
        latest[view.user_id] = view.group_time


def test_the_served_protocol_judges_the_list_made_after_the_preceding_group() -> None:
    engine = Engine(replace(SMALL, protocol="served"))
    made: dict[str, list[int]] = {}
    pending: dict[str, tuple[float, list[int]]] = {}
    for view in VIEWS:
        group_time, _ = pending.get(view.user_id, (None, []))
        if group_time != view.group_time:
            pending[view.user_id] = view.group_time, made.get(view.user_id, [-1] * SMALL.k)
        (segment,) = engine.learn([view])
        assert segment.judged.listed[0].tolist() == pending[view.user_id][1]
        made[view.user_id] = segment.lists.title[0].tolist()


def test_learning_does_not_depend_on_the_protocol_or_on_what_is_emitted() -> None:
    fresh = learned(SMALL, VIEWS)
    served = learned(replace(SMALL, protocol="served"), VIEWS)
    assert differing(fresh, served) == ["users.group_list", "users.pending"]
    silent = learned(SMALL, [view._replace(is_emitted=False) for view in VIEWS])
    assert differing(fresh, silent) == []


def test_an_emitted_list_is_what_recommend_gives_after_the_event() -> None:
    """But for the ranker's own step, which follows the event that completes it."""
    engine = Engine(SMALL)
    n_compared = 0
    for view in VIEWS:
        weights = engine.ranker.weights.copy()
        (segment,) = engine.learn([view])
        if not view.is_emitted:
            assert (segment.lists.title == -1).all()
        elif (engine.ranker.weights == weights).all():
            assert [part.tobytes() for part in segment.lists] == [
                part.tobytes() for part in engine.recommend(view.user_id, view.time)
            ]
            n_compared += 1
    assert n_compared > 80


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, protocol="served")])
def test_a_rank_is_the_place_in_the_judged_list(config: EngineConfig) -> None:
    engine = Engine(config)
    outcome = judged(engine, VIEWS)
    n_hits = 0
    for e, view in enumerate(VIEWS):
        rows = outcome.listed[e].tolist()
        row = engine.titles.row(view.content_id)
        is_judged = outcome.skip[e] == Skip.JUDGED
        assert outcome.rank[e] == (rows.index(row) + 1 if is_judged and row in rows else 0)
        n_hits += outcome.rank[e] > 0
    assert n_hits > 10


def test_events_are_skipped_for_the_reason_that_holds() -> None:
    outcome = judged(Engine(SMALL), VIEWS)
    first_group: dict[str, float] = {}
    is_first: dict[str, bool] = {}
    watched: dict[str, set[str]] = {}
    for e, view in enumerate(VIEWS):
        user, mine = view.user_id, watched.setdefault(view.user_id, set())
        first = first_group.setdefault(user, view.group_time)
        is_first[user] = is_first.get(user, True) and view.group_time == first
        expected = (
            Skip.COLD
            if is_first[user]
            else Skip.REPEAT
            if view.content_id in mine
            else Skip.JUDGED
            if view.is_positive
            else Skip.NOT_POSITIVE
        )
        assert outcome.skip[e] == expected
        mine.add(view.content_id)


def test_counts_of_views_candidates_and_segments_are_those_before_the_event() -> None:
    engine = Engine(SMALL)
    outcome = judged(engine, VIEWS)
    views: dict[str, int] = {}
    events: dict[str, int] = {}
    watched: dict[str, set[str]] = {}
    for e, view in enumerate(VIEWS):
        n, mine = views.get(view.content_id, 0), watched.setdefault(view.user_id, set())
        expected = (
            Segment.COLD_USER * (events.get(view.user_id, 0) < 5)
            | Segment.NEW_TITLE * (n < 10)
            | Segment.HEAD_TITLE * (n * len(views) >= 3 * e)
            | Segment.NEVER_SEEN * (n == 0)
        )
        assert (outcome.views[e], outcome.n_views[e], outcome.segment[e]) == (n, e, expected)
        if outcome.skip[e] == Skip.JUDGED:
            assert outcome.n_candidates[e] == (len(views) - len(mine) if n else 0)
        for row, count in zip(outcome.listed[e], outcome.listed_views[e], strict=True):
            assert count == (views.get(engine.titles.name(row), 0) if row >= 0 else -1)
        views[view.content_id] = n + 1
        events[view.user_id] = events.get(view.user_id, 0) + 1
        mine.add(view.content_id)


def test_a_title_first_seen_later_in_a_batch_is_not_listed_before() -> None:
    views = [at(1, "ann", "a"), at(2, "ann", "b"), at(3, "ann", "c")]
    assert (judged(Engine(SMALL), views).listed == -1).all()


def test_described_titles_only_fill_and_stay_out_of_full_lists() -> None:
    engine = learned(SMALL, [at(1, "ann", "a"), at(2, "bob", "b"), at(3, "cleo", "c")])
    for title in ("x", "y"):
        engine.describe(title, genres=["drama"])
    assert sorted(listed(engine, "ann", LATER)) == ["b", "c", "x", "y"]
    assert listed(engine, "never seen", LATER)[3:] == ["x", "y"]
    feed(engine, [at(10 + n, "dan", f"{n}") for n in range(6)])
    assert not {"x", "y"} & {*listed(engine, "ann", LATER)}
    assert not {"x", "y"} & {*listed(engine, "never seen", LATER)}


def test_withdrawn_titles_are_in_no_new_list_until_they_are_back() -> None:
    engine = learned(SMALL, sample_views(200, n_titles=9))
    users = [f"user {n}" for n in range(6)] + ["never seen"]
    before = {user: listed(engine, user, LATER) for user in users}
    engine.describe("title 99")
    gone = ["title 0", "title 3", "title 99"]
    for title in gone:
        engine.withdraw(title)
    feed(engine, sample_views(40, n_titles=9, seed=9)[:1])
    for user in users:
        assert not {*listed(engine, user, LATER)} & {*gone}
    for title in gone:
        engine.withdraw(title, is_withdrawn=False)
    assert "title 99" in listed(engine, "never seen", LATER) or len(before["never seen"]) == 5
    assert {"title 0", "title 3"} & {*listed(engine, "never seen", LATER)}


def test_withdrawing_and_taking_back_leaves_no_trace() -> None:
    engine = learned(SMALL, VIEWS)
    before = state(engine)
    engine.withdraw("title 1")
    assert state(engine) != before
    engine.withdraw("title 1", is_withdrawn=False)
    engine.withdraw("a title nobody knows")
    assert state(engine) == before


SHORT = replace(SMALL, slow_half_life=40.0, fast_half_life=20.0, events_per_title=0.0)


def test_scaling_the_clocks_back_changes_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    seldom, often = Engine(SHORT), Engine(SHORT)
    first = [segment for view in VIEWS for segment in seldom.learn([view])]
    monkeypatch.setattr(models.engine, "MAX_CLOCK", 1.0)
    second = [segment for view in VIEWS for segment in often.learn([view])]
    assert often.model.clock.max() < 1.2 < seldom.model.clock.max()
    for mine, yours in zip(first, second, strict=True):
        assert mine.judged.listed.tolist() == yours.judged.listed.tolist()
        assert mine.lists.title.tolist() == yours.lists.title.tolist()
        assert mine.lists.score == pytest.approx(yours.lists.score, abs=2e-3)
        assert mine.lists.share == pytest.approx(yours.lists.share, abs=1e-4)


def test_clocks_are_scaled_back_at_the_same_event_however_views_are_batched() -> None:
    brisk = replace(SHORT, slow_half_life=1.0, fast_half_life=0.4)
    whole, parts = Engine(brisk), Engine(brisk)
    assert feed(whole, VIEWS) == feed(parts, VIEWS, range(1, len(VIEWS)))
    assert differing(whole, parts) == []
    assert whole.model.clock.max() < 65
    assert all(np.isfinite(array).all() for array in whole.model.neighbors)


def test_the_next_part_of_a_series_is_found_for_everybody() -> None:
    config = replace(SMALL, learning_rate=0.2)
    views = [
        at(100 * n + user, f"{user}", f"{user % 12}:{(user + n) % 20}")
        for n in range(12)
        for user in range(60)
    ]
    outcome = judged(Engine(config), views)
    late = outcome.rank[-180:]
    assert (late > 0).mean() > 0.95
    assert (outcome.popularity_rank[-180:] > 0).mean() < 0.2


def test_a_user_whose_titles_are_all_forgotten_is_listed_like_anybody() -> None:
    tiny = replace(SMALL, max_titles=16)
    views = [at(0, "ann", "old"), *[at(n, "bob", f"{n}") for n in range(1, 40)]]
    engine = learned(tiny, views)
    assert not engine.knows("ann")
    assert listed(engine, "ann", LATER) == listed(engine, "never seen", LATER)
