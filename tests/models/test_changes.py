"""Changes of a world: what they touch, from when on, and that they matter."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.changes import CatalogueChange, Change, HitRelease, NewAudience, TasteChange
from models.engine import Engine, EngineConfig, View
from models.outcomes import Skip
from models.people import DEVICES, N_GROUPS
from models.rhythm import DAY_S, START_S
from models.viewing import Views, views
from models.world import World, WorldSettings

N_EVENTS, DAYS = 12_000, 10
SIZE = WorldSettings(n_users=500, n_titles=600, days=DAYS, seed=4)
HALF = START_S + DAYS / 2 * DAY_S + 1_234.5
WEB = list(DEVICES).index("web")


def log_of(*changes: Change, size: WorldSettings = SIZE, n: int = N_EVENTS) -> tuple[World, Views]:
    world = World(size, changes)
    return world, np.concatenate(list(views(world, n)))


def is_after(log: Views, event_time: float = HALF) -> np.ndarray:
    return log["event_time"] >= event_time


@pytest.fixture(scope="module")
def unchanged() -> Views:
    return log_of()[1]


def one_of_each() -> list[Change]:
    return [
        TasteChange(begin=HALF),
        TasteChange(begin=HALF, genre=3),
        TasteChange(begin=HALF, device=WEB),
        HitRelease(begin=HALF, n_titles=2, strength=0.2),
        CatalogueChange(begin=HALF, strength=0.3),
        NewAudience(begin=HALF, n_users=100, strength=0.3),
    ]


@pytest.mark.parametrize("change", one_of_each(), ids=lambda change: type(change).__name__)
def test_until_it_begins_a_change_changes_nothing(change: Change, unchanged: Views) -> None:
    _, log = log_of(change)
    a_block = 600  # sessions are made a block at a time, and one holds the beginning
    same = np.flatnonzero(is_after(unchanged))[0] - a_block
    assert log[:same].tobytes() == unchanged[:same].tobytes()
    assert log.tobytes() != unchanged.tobytes()
    assert not log["changes"][~is_after(log)].any()
    assert log["changes"][is_after(log)].any()


@given(
    chunk_size=st.integers(1, 700),
    seed=st.integers(0, 5),
    begins=st.lists(st.floats(0, 4 * DAY_S), min_size=6, max_size=6),
)
@settings(max_examples=20, deadline=None)
def test_the_chunk_size_changes_no_view_of_a_changing_world(
    chunk_size: int, seed: int, begins: list[float]
) -> None:
    kinds = [TasteChange, TasteChange, CatalogueChange, HitRelease]
    changes = [
        kind(begin=START_S + begin, genre=genre)
        for kind, begin, genre in zip(kinds, begins, (None, 2, None, 1), strict=False)
    ]
    size = WorldSettings(n_users=60, n_titles=120, days=4, seed=seed)
    crowd = NewAudience(begin=START_S + begins[-1], n_users=9, strength=0.4)
    (whole,) = views(World(size, [*changes, crowd]), 700, chunk_size=700)
    chunks = views(World(size, [*changes, crowd]), 700, chunk_size=chunk_size)
    assert np.concatenate(list(chunks)).tobytes() == whole.tobytes()
    assert len(np.unique(whole[["user", "event_time"]])) == len(whole)


def test_an_abrupt_flip_changes_every_view_from_one_line_to_the_next() -> None:
    world, log = log_of(TasteChange(begin=HALF))
    assert np.array_equal(log["changes"] == 1, is_after(log))
    on = world.phases.on(log["user"].astype(np.int64), log["event_time"])
    assert np.array_equal(on, is_after(log))


def test_a_flip_that_ends_is_followed_by_the_old_taste() -> None:
    world, log = log_of(TasteChange(begin=HALF, end=HALF + DAY_S))
    is_on = is_after(log) & ~is_after(log, HALF + DAY_S)
    assert np.array_equal(log["changes"] == 1, is_on)
    assert len(world.phases) == 2


def test_a_flip_of_a_genre_shows_in_its_titles_alone() -> None:
    world, log = log_of(TasteChange(begin=HALF, genre=3))
    has_it = (world.titles.genres == 3).any(axis=1)
    assert np.array_equal(log["changes"] == 1, is_after(log) & has_it[log["title"]])
    before, after = world.phases.title_at
    moved = before != after
    first, is_new = world.titles.genres[:, 0], world.titles.released >= START_S
    alike = Counter(zip(first[has_it], is_new[has_it], strict=True))
    has_partner = np.array([alike[kind] > 1 for kind in zip(first, is_new, strict=True)])
    assert np.array_equal(moved, has_it & has_partner)
    assert moved[first != 3].sum() > 5
    assert np.array_equal(first[before], first[after])
    assert np.array_equal(is_new[before], is_new[after])
    user = np.arange(500)
    stays = [
        np.array_equal(
            world.favourite_niche(user, np.full(500, g), 0),
            world.favourite_niche(user, np.full(500, g), 0, 1),
        )
        for g in range(world.n_genres)
    ]
    assert stays == [g != 3 for g in range(world.n_genres)]
    assert np.array_equal(*world.phases.group_at)


def test_a_flip_of_a_genre_after_another_change_moves_the_titles_that_have_it() -> None:
    first, second = TasteChange(begin=HALF), CatalogueChange(begin=HALF, strength=0.3)
    world = World(SIZE, [first, second, TasteChange(begin=HALF, genre=3)])
    before, after = (world.phases.numbered(np.array([on]))[0] for on in (0b011, 0b111))
    title_at = world.phases.title_at
    moved = title_at[before] != title_at[after]
    has_it = (world.titles.genres == 3).any(axis=1)
    assert set(title_at[after][moved]) == set(title_at[before][moved])
    assert has_it[title_at[after][moved]].all()
    assert moved[has_it[title_at[before]]].mean() > 0.9


def test_a_flip_of_a_device_is_for_its_people_alone() -> None:
    world, log = log_of(TasteChange(begin=HALF, device=WEB))
    has_web = world.people.device[log["user"]] == WEB
    assert 0.05 < has_web.mean() < 0.3
    assert np.array_equal(log["changes"] == 1, is_after(log) & has_web)


def test_a_flip_gives_every_group_the_taste_of_another_and_titles_keep_genre_and_age() -> None:
    world, _ = log_of(TasteChange(begin=START_S), n=10)
    _, group_at = world.phases.group_at
    assert (group_at[:N_GROUPS] != np.arange(N_GROUPS)).all()
    assert sorted(group_at) == list(range(N_GROUPS))
    _, title_at = world.phases.title_at
    assert sorted(title_at) == list(range(600))
    titles = world.titles
    assert np.array_equal(titles.genres[title_at, 0], titles.genres[:, 0])
    assert np.array_equal(titles.released[title_at] >= START_S, titles.released >= START_S)
    assert np.array_equal(world.phases.role_of[1, title_at], np.arange(600))


def test_half_the_strength_is_half_the_people_and_always_the_same_ones() -> None:
    world, log = log_of(TasteChange(begin=HALF, strength=0.5))
    later = log[is_after(log)]
    changed = {user for user, bits in later[["user", "changes"]].tolist() if bits}
    spared = {user for user, bits in later[["user", "changes"]].tolist() if not bits}
    assert not changed & spared
    on = world.phases.on(np.arange(500), np.full(500, HALF))
    assert on.mean() == pytest.approx(0.5, abs=0.07)


def test_a_gradual_change_takes_one_person_after_the_other_and_lasts() -> None:
    change = TasteChange(begin=HALF, end=HALF + 2 * DAY_S, shape="gradual")
    world, _ = log_of(change, n=10)
    user = np.arange(500)
    days = [world.phases.on(user, np.full(500, HALF + d * DAY_S)) for d in (0, 0.5, 1, 2, 4)]
    shares = [float(on.mean()) for on in days]
    assert shares == pytest.approx([0, 0.25, 0.5, 1, 1], abs=0.07)
    assert all((later >= sooner).all() for sooner, later in itertools.pairwise(days))


def test_a_recurring_change_comes_for_half_of_each_period() -> None:
    change = TasteChange(begin=HALF, end=HALF + 3, shape="recurring", period_s=2)
    world, _ = log_of(change, n=10)
    at = HALF + np.array([-0.1, 0, 0.9, 1, 1.9, 2, 2.9, 3, 4])
    on = world.phases.on(np.zeros(9, np.int64), at)
    assert on.tolist() == [0, 1, 1, 0, 0, 1, 1, 0, 0]


def test_changes_add_up_whatever_order_they_come_up_in() -> None:
    changes = [
        TasteChange(begin=HALF),
        TasteChange(begin=HALF, genre=2),
        CatalogueChange(begin=HALF, strength=0.3),
    ]
    one, other = World(SIZE, changes), World(SIZE, changes)
    bits = np.arange(8)
    forth = one.phases.numbered(bits)
    back = np.array([other.phases.numbered(np.array([b]))[0] for b in bits[::-1]])[::-1]
    for table in ("title_at", "role_of", "group_at", "niche_seed"):
        first, second = getattr(one.phases, table), getattr(other.phases, table)
        assert np.array_equal(first[forth], second[back]), table
    assert len(np.unique(one.phases.title_at, axis=0)) == 8


def test_titles_that_vanish_are_watched_no_more_and_new_ones_not_before() -> None:
    world, log = log_of(CatalogueChange(begin=HALF, strength=0.3))
    (new,) = world.arrivals
    assert new is not None
    assert len(world.titles) == 600 + 180 == 600 + len(new)
    assert sorted(world.titles.number) == list(range(1, 781))
    later, earlier = (set(log["title"][side].tolist()) for side in (is_after(log), ~is_after(log)))
    arrived = later & set(new.tolist())
    assert len(arrived) > 120
    assert not earlier & set(new.tolist())
    present = set(world.phases.title_at[1].tolist())
    assert len(present) == 600
    assert later <= present
    assert len(earlier - present) > 100
    assert np.array_equal(log["changes"] == 1, np.isin(log["title"], new))
    share = (log["changes"][is_after(log)] == 1).mean()
    assert share == pytest.approx(0.3, abs=0.12)


def test_a_catalogue_change_of_a_genre_keeps_to_it() -> None:
    world, log = log_of(CatalogueChange(begin=HALF, strength=0.5, genre=1))
    (new,) = world.arrivals
    assert new is not None
    assert (world.titles.genres[new] == 1).any(axis=1).all()
    assert set(world.titles.genres[new, 0]) > {1}
    assert np.array_equal(log["changes"] == 1, np.isin(log["title"], new))


def test_a_hit_takes_its_share_and_nobody_watches_it_twice() -> None:
    size = WorldSettings(n_users=20_000, n_titles=600, days=DAYS, seed=4)
    change = HitRelease(begin=HALF, strength=0.3, n_titles=2, genre=5)
    world, log = log_of(change, size=size, n=40_000)
    (hits,) = world.arrivals
    assert hits is not None
    is_hit = np.isin(log["title"], hits)
    assert np.array_equal(log["changes"] == 1, is_hit)
    # whoever watches for the first time since has not watched it; some had chosen before
    later = np.flatnonzero(is_after(log, HALF + DAY_S / 10) & ~is_after(log, HALF + DAY_S))
    first = later[np.unique(log["user"][later], return_index=True)[1]]
    assert is_hit[first].mean() == pytest.approx(0.27, abs=0.05)
    assert is_hit[is_after(log, HALF + 4 * DAY_S)].mean() < 0.75 * is_hit[later].mean()
    watched = log[is_hit][["user", "title"]]
    assert len(np.unique(watched)) == len(watched)
    assert (world.titles.genres[hits] == [5, -1]).all()
    assert (world.titles.released[hits] <= HALF).all()


def test_a_hit_of_a_device_is_watched_on_it_alone_and_until_the_end() -> None:
    change = HitRelease(begin=HALF, end=HALF + DAY_S, strength=0.5, device=WEB)
    world, log = log_of(change)
    watched = log[log["changes"] == 1]
    assert len(watched) > 10
    assert (world.people.device[watched["user"]] == WEB).all()
    assert watched["event_time"].max() < HALF + DAY_S + 4 * 3600


def test_a_new_audience_brings_its_share_of_views_and_another_taste() -> None:
    world, log = log_of(NewAudience(begin=HALF, n_users=200, strength=0.4, genre=7, device=WEB))
    is_new = log["user"] >= 500
    assert np.array_equal(log["changes"] == 1, is_new)
    assert not is_new[~is_after(log)].any()
    assert is_new[is_after(log, HALF + DAY_S / 4)].mean() == pytest.approx(0.4, abs=0.05)
    assert (world.people.device[500:] == WEB).all()
    genre = world.titles.genres[log["title"], 0]
    assert (genre[is_new] == 7).mean() > 2.5 * (genre[~is_new] == 7).mean()
    assert len(np.unique(log["user"][is_new])) > 150


def test_a_new_audience_likes_best_what_was_liked_least() -> None:
    world, _ = log_of(NewAudience(begin=HALF, n_users=20), n=10)
    old, new = world.people.taste[:N_GROUPS].sum(axis=0), world.people.taste[N_GROUPS:]
    assert (new.argmax(axis=1) == old.argmin()).all()
    assert np.allclose(new.sum(axis=1), 1)


def test_people_keep_their_device_and_devices_have_their_shares() -> None:
    device = World(WorldSettings(n_users=20_000)).people.device
    shares = np.bincount(device) / 20_000
    assert shares == pytest.approx(list(DEVICES.values()), abs=0.02)
    assert np.array_equal(World(WorldSettings(n_users=10)).people.device, device[:10])


def test_more_changes_than_there_is_a_table_for_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 16 changes, not 17"):
        World(SIZE, [TasteChange(begin=HALF + n) for n in range(17)])


SCOPES: dict[str, dict[str, Any]] = {"all": {}, "genre": {"genre": 6}, "device": {"device": WEB}}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_flip_at_least_halves_what_an_engine_hits_that_learns_no_more(scope: str) -> None:
    size = WorldSettings(n_users=800, n_titles=2_000, days=DAYS, seed=8)
    flipped = frozen_recall(size, SCOPES[scope], [TasteChange(begin=HALF, **SCOPES[scope])])
    stayed = frozen_recall(size, SCOPES[scope], [])
    assert stayed > 0.15
    assert flipped < stayed / 2


def frozen_recall(size: WorldSettings, scope: dict[str, Any], changes: list[Change]) -> float:
    """Recall@10 within a scope of an engine that follows what people watch but learns nothing."""
    world, log = log_of(*changes, size=size, n=24_000)
    engine = Engine(EngineConfig(watches=False))
    for title, genres in enumerate(world.titles.genres.tolist()):
        engine.describe(str(title), genres=[str(genre) for genre in genres if genre >= 0])
    judged = [
        segment.judged
        for part in (log[~is_after(log)], log[is_after(log)][:4_000])
        for segment in engine.learn(
            [
                View(str(user), str(title), time, time, strength=float(time < HALF))
                for user, title, time in part[["user", "title", "event_time"]].tolist()
            ]
        )
    ]
    after = log[is_after(log)][:4_000]
    in_scope = np.ones(len(after), np.bool_)
    if "genre" in scope:
        in_scope &= world.titles.in_genre(after["title"], scope["genre"])
    if "device" in scope:
        in_scope &= world.people.device[after["user"]] == scope["device"]
    is_counted = in_scope & (judged[-1].skip == Skip.JUDGED)
    assert is_counted.sum() > 100
    return float((judged[-1].rank[is_counted] > 0).mean())
