"""Full tables make room without leaving a trace of whoever went."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from models.engine import Engine, EngineConfig, View
from models.eviction import least_recent
from models.names import Names
from models.state import HALF_LIVES_S, N_SEEN, N_VIEWS, new_users
from tests.models.samples import START_S, TINY, arrivals, listed, sample_views
from tests.models.verbs import differing, feed

SERVED = replace(TINY, protocol="served")
RATES = [*[1 / h for h in HALF_LIVES_S], 0.0]
ONE = replace(TINY, max_users=1, max_titles=1)
STREAM = [*arrivals(300), *sample_views(300, n_users=20, n_titles=50)]


def check_consistent(engine: Engine) -> None:
    """Fail if anything names a row that holds no name, or if totals do not add up."""
    titles, users = engine.titles.in_use().tolist(), engine.users.in_use().tolist()
    for user in range(engine.users.n_rows):
        start, length = engine.model.users.start[user], engine.model.users.length[user]
        history = engine.model.history[start : start + length].tolist()
        assert len({*history}) == len(history)
        assert {*history} <= {*titles}
        assert user in users or not history
    check_lists(engine, {*titles})
    check_rows(engine, titles)
    views = engine.model.titles.views
    assert engine.model.counts[N_SEEN] == (views > 0).sum()
    assert engine.model.counts[N_VIEWS] == views.sum()
    assert {row for row in range(engine.titles.n_rows) if views[row]} <= {*titles}


def check_lists(engine: Engine, titles: set[int]) -> None:
    model, tops = engine.model, engine.model.tops
    for lists, lengths in (
        (tops.title, tops.length),
        (tops.genre_title, tops.genre_length),
        (tops.creator_title, tops.creator_length),
    ):
        for row, length in zip(lists, lengths, strict=True):
            assert {*row[:length].tolist()} <= titles
    for h in range(len(tops.title)):
        rows, keys = tops.title[h, : tops.length[h]], tops.key[h, : tops.length[h]]
        assert len({*rows.tolist()}) == len(rows) == model.counts[N_SEEN]
        assert (np.diff(keys) <= 0).all()
        popularity = model.titles.popularity[rows, h].astype(np.float64)
        expected = np.log2(popularity) + model.titles.popularity_time[rows] * RATES[h]
        assert keys == pytest.approx(expected, abs=1e-6)
    for table in (model.users.group_list, model.users.pending):
        assert {*table.ravel().tolist()} - {-1} <= titles
    for slot, user in enumerate(model.candidates.user[:-1].tolist()):
        if user >= 0 and model.users.group_slot[user] == slot:
            length = model.candidates.length[slot]
            assert {*model.candidates.title[slot, :length].tolist()} <= titles


def check_rows(engine: Engine, titles: list[int]) -> None:
    model = engine.model
    blocks = []
    for row in titles:
        start, length = model.titles.start[row], model.titles.length[row]
        neighbors = model.neighbors.title[start : start + length].tolist()
        assert length <= engine.config.n_neighbors
        assert len({*neighbors}) == length
        assert {*neighbors} <= {*titles}
        if model.titles.size_class[row] >= 0:
            blocks.append((start, start + (8 << model.titles.size_class[row])))
    blocks.sort()
    assert all(end <= begin for (_, end), (begin, _) in pairwise(blocks))


@pytest.mark.parametrize("config", [TINY, SERVED, ONE], ids=["fresh", "served", "one"])
def test_nobody_is_named_after_being_forgotten(config: EngineConfig) -> None:
    engine = Engine(config)
    for n in range(20):
        engine.describe(f"title {n}", genres=[f"{n % 4}"], creators=[f"{n % 3}"])
    for begin in range(0, len(STREAM), 3):
        list(engine.learn(STREAM[begin : begin + 3]))
        check_consistent(engine)
    assert len(engine.users) <= config.max_users
    assert len(engine.titles) <= config.max_titles


def test_rows_given_to_new_titles_bring_nothing_of_the_former() -> None:
    """By name, because a freed row has a new title before anybody could look."""
    engine = Engine(SERVED)
    watched: dict[str, set[str]] = {}
    latest: dict[str, float] = {}
    made: dict[str, list[str]] = {}
    served: dict[str, list[str]] = {}
    for view in STREAM:
        (segment,) = engine.learn([view])
        watched.setdefault(view.user_id, set()).add(view.content_id)
        assert history(engine, view.user_id) <= watched[view.user_id]
        if view.group_time != latest.get(view.user_id):
            served[view.user_id] = made.get(view.user_id, [])
        latest[view.user_id] = view.group_time
        judged = names(engine, segment.judged.listed[0])
        assert [x for x in served[view.user_id] if x in judged] == judged
        made[view.user_id] = names(engine, segment.lists.title[0])
        for title in neighbors(engine, view.content_id):
            assert any({title, view.content_id} <= mine for mine in watched.values())


def names(engine: Engine, rows: NDArray[np.int32]) -> list[str]:
    return [engine.titles.name(row) for row in rows.tolist() if row >= 0]


def history(engine: Engine, user_id: str) -> set[str]:
    users, row = engine.model.users, engine.users.row(user_id)
    start = users.start[row]
    return {*names(engine, engine.model.history[start : start + users.length[row]])}


def neighbors(engine: Engine, title: str) -> list[str]:
    titles, row = engine.model.titles, engine.titles.row(title)
    start = titles.start[row]
    return names(engine, engine.model.neighbors.title[start : start + titles.length[row]])


def test_forgetting_comes_at_the_same_event_however_views_are_batched() -> None:
    for config in (TINY, SERVED, ONE):
        whole, parts = Engine(config), Engine(config)
        assert feed(whole, STREAM) == feed(parts, STREAM, range(1, len(STREAM)))
        assert differing(whole, parts) == []


def test_arrays_and_names_stay_small_under_a_stream_of_newcomers() -> None:
    engine, sizes = Engine(TINY), []
    views = arrivals(3_000)
    for begin in range(0, len(views), 300):
        list(engine.learn(views[begin : begin + 300]))
        sizes.append(
            [
                len(engine.model.neighbors.title),
                len(engine.model.history),
                len(engine.model.users.length),
                len(engine.model.titles.views),
                int(engine.model.rows.top[0]),
                int(engine.model.blocks.top[0]),
            ]
        )
        assert engine.users.n_rows <= TINY.max_users + 1
        assert engine.titles.n_rows <= TINY.max_titles
        assert len(engine.creators) <= TINY.max_titles
    assert sizes[3:] == [sizes[-1]] * (len(sizes) - 3)


def test_the_least_recently_seen_sixteenth_goes() -> None:
    last_event = np.array([5, 3, 9, -1, -1, 3] + [50] * 30, np.int64)
    in_use = np.array([0, 1, 2, 4, 5, *range(6, 33)], np.int32)
    assert least_recent(last_event, in_use).tolist() == [4, 1]
    assert least_recent(last_event, in_use[:3]).tolist() == [1]


def test_a_regular_outlasts_newcomers() -> None:
    engine = Engine(TINY)
    for view in arrivals(400):
        list(engine.learn([view]))
        known = engine.users.row("regular 0") >= 0 and engine.titles.row("evergreen") >= 0
        assert known or len(engine.users) < 3


def test_a_forgotten_user_comes_back_as_a_stranger() -> None:
    engine = Engine(TINY)
    (before,) = engine.learn([View("ann", f"{n}", START_S + n, START_S + n) for n in range(4)])
    assert before.judged.skip.tolist() == [1, 0, 0, 0]
    list(engine.learn([View(f"{n}", "0", START_S + 9, START_S + 9) for n in range(30)]))
    assert not engine.knows("ann")
    assert listed(engine, "ann", START_S + 10) == listed(engine, "never seen", START_S + 10)
    (after,) = engine.learn([View("ann", "0", START_S + 3, START_S + 3)])
    assert after.judged.skip.tolist() == [1]


def person(n_titles: int) -> list[View]:
    """Return views of a person whose titles nobody else watches, among those of others."""
    others = sample_views(2 * n_titles, n_users=8, n_titles=12)
    views = [View("others", "evergreen", START_S, START_S), *others[:n_titles]]
    for n, other in enumerate(others[n_titles:]):
        time = START_S + 1e6 + 500.0 * (n - n % 2)
        views += [other, View("annabel", f"secret {n}", time, time, is_emitted=True)]
    return views


@pytest.mark.parametrize("protocol", ["fresh", "served"])
@pytest.mark.parametrize("n_titles", [1, 2, 9, 70])
def test_nothing_of_a_user_who_is_forgotten_is_left(n_titles: int, protocol: str) -> None:
    engine = Engine(EngineConfig(k=5, n_open_groups=16, n_neighbors=16, protocol=protocol))
    list(engine.learn(person(n_titles)))
    row = engine.users.row("annabel")
    secret = [engine.titles.row(f"secret {n}") for n in range(n_titles)]
    assert np.isin(secret, engine.snapshot()["history"]).all()
    engine.forget("annabel")
    arrays = engine.snapshot()
    assert not any(b"annabel" in array.tobytes() for array in arrays.values())
    assert not np.isin(secret, arrays["history"]).any()
    assert row not in arrays["candidates.user"]
    fresh = new_users(1, 5, is_served=protocol == "served")
    for name, expected in zip(fresh._fields, fresh, strict=True):
        left = arrays[f"users.{name}"][row : row + 1]
        assert np.array_equal(left, expected[: len(left)], equal_nan=expected.dtype.kind == "f")
    free = ~np.isin(arrays["candidates.user"], engine.users.in_use())
    assert (arrays["candidates.popular"][free] == -1).all()
    assert not arrays["candidates.feature"][free].any()
    check_consistent(engine)


def test_forgetting_a_user_changes_no_list_of_the_others() -> None:
    engine = Engine(replace(TINY, max_users=50, max_titles=500))
    list(engine.learn(person(30)))
    others = ["others", *(f"user {n}" for n in range(8)), "never seen"]
    before = [listed(engine, other, START_S + 2e6) for other in others]
    engine.forget("annabel")
    assert [listed(engine, other, START_S + 2e6) for other in others] == before


def test_who_was_forgotten_comes_back_as_a_stranger() -> None:
    engine = Engine(SERVED)
    list(engine.learn(person(5)))
    engine.forget("annabel")
    assert not engine.knows("annabel")
    assert listed(engine, "annabel", START_S + 2e6) == listed(engine, "never seen", START_S + 2e6)
    (after,) = engine.learn([View("annabel", "secret 0", START_S + 2e6, START_S + 2e6)])
    assert after.judged.skip.tolist() == [1]
    check_consistent(engine)


def test_to_forget_a_stranger_changes_nothing() -> None:
    engine, same = Engine(TINY), Engine(TINY)
    for each in (engine, same):
        list(each.learn(STREAM[:100]))
    engine.forget("never seen")
    assert differing(engine, same) == []


def test_after_a_user_is_forgotten_batches_and_restarts_are_still_invisible() -> None:
    whole, parts = Engine(SERVED), Engine(SERVED)
    restored = Engine(SERVED)
    for engine in (whole, parts):
        feed(engine, STREAM[:200], range(1, 200) if engine is parts else ())
        engine.forget(STREAM[199].user_id)
    restored.restore(whole.snapshot())
    outcomes = feed(whole, STREAM[200:])
    assert feed(parts, STREAM[200:], range(1, len(STREAM) - 200)) == outcomes
    assert feed(restored, STREAM[200:]) == outcomes
    assert differing(whole, parts) == differing(whole, restored) == []


def test_creators_are_bounded_and_the_rest_ignored() -> None:
    engine = Engine(TINY)
    for n in range(100):
        engine.describe(f"{n}", creators=[f"creator {n}"], genres=[f"genre {n}"])
    assert isinstance(engine.creators, Names)
    assert len(engine.creators) == TINY.max_titles
    check_consistent(engine)
