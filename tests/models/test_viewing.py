from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.choosing import Watched
from models.rhythm import DAY_S, START_S
from models.viewing import MAX_SESSION, SHARE_UNRATED, SHARE_UNTIMED, Viewing, Views, views
from models.world import World, WorldSettings

N_EVENTS, N_TITLES = 20_000, 600
CLOSENESS = np.arange(1, 11) ** -0.5


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldSettings(n_users=800, n_titles=N_TITLES, days=10, seed=11))


@pytest.fixture(scope="module")
def log(world: World) -> Views:
    return np.concatenate(list(views(world, N_EVENTS)))


@given(
    chunk_size=st.integers(1, 900),
    n_events=st.integers(1, 800),
    n_users=st.integers(40, 300),
    seed=st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_the_chunk_size_changes_no_view(
    chunk_size: int, n_events: int, n_users: int, seed: int
) -> None:
    world = World(WorldSettings(n_users=n_users, n_titles=100, days=4, seed=seed))
    (whole,) = views(world, n_events, chunk_size=n_events)
    chunks = list(views(world, n_events, chunk_size=chunk_size))
    assert [len(chunk) for chunk in chunks[:-1]] == [chunk_size] * (len(chunks) - 1)
    assert 0 < len(chunks[-1]) <= chunk_size
    assert np.concatenate(chunks).tobytes() == whole.tobytes()


@given(
    n_users=st.integers(1, 60),
    n_titles=st.integers(1, 60),
    days=st.integers(1, 5),
    seed=st.integers(0, 1_000),
    fill=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_any_world_keeps_count_order_and_distinct_times(
    n_users: int, n_titles: int, days: int, seed: int, fill: float
) -> None:
    world = World(WorldSettings(n_users=n_users, n_titles=n_titles, days=days, seed=seed))
    n_events = max(1, int(fill * n_users * days * 6))
    log = np.concatenate(list(views(world, n_events, chunk_size=64)))
    assert len(log) == n_events
    check_times(world, log)


def check_times(world: World, log: Views) -> None:
    times = log["event_time"]
    assert (np.diff(times) >= 0).all()
    assert len(np.unique(log[["user", "event_time"]])) == len(log)
    assert np.array_equal(times, np.round(times, 3))
    assert (world.titles.released[log["title"]] <= times).all()


def test_a_log_of_many_sessions_keeps_its_times_too(world: World, log: Views) -> None:
    assert len(log) == N_EVENTS
    check_times(world, log)


def test_another_seed_is_another_log(log: Views) -> None:
    other = World(WorldSettings(n_users=800, n_titles=N_TITLES, days=10, seed=12))
    assert next(views(other, N_EVENTS)).tobytes() != log[:16_384].tobytes()


@pytest.mark.parametrize("n_events", [-1, 0, 800 * 10 * 6 + 1])
def test_more_views_than_people_have_time_for_are_refused(world: World, n_events: int) -> None:
    with pytest.raises(ValueError, match="more users or days"):
        next(views(world, n_events))


def test_a_chunk_of_nothing_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="chunk_size must be at least 1, not 0"):
        next(views(world, 10, chunk_size=0))


def test_no_view_of_a_later_block_is_before_the_watermark(world: World) -> None:
    viewing = Viewing(world, 5_000)
    while viewing.has_more:
        watermark = viewing.watermark
        assert min(rows["event_time"].min() for rows in viewing.next_sessions()) >= watermark
    assert viewing.watermark == START_S + 10 * DAY_S


def test_sessions_are_several_views_of_one_person_and_do_not_overlap(log: Views) -> None:
    by_session = np.sort(log, order=["user", "event_time"])
    starts = np.flatnonzero(np.diff(by_session["session"], prepend=-1))
    lengths = np.diff(starts, append=len(log))
    assert len(starts) == len(np.unique(log["session"]))
    assert 3 < lengths.mean() < 5
    assert lengths.max() <= MAX_SESSION


def test_sessions_interleave(log: Views) -> None:
    changes = np.count_nonzero(np.diff(log["session"]))
    assert changes > 1.5 * len(np.unique(log["session"]))


def test_the_evening_is_busy_and_the_night_is_quiet(log: Views) -> None:
    by_hour = np.bincount((log["event_time"] % DAY_S // 3600).astype(int), minlength=24)
    assert by_hour[19:23].sum() > 4 * by_hour[2:6].sum()


def test_a_few_per_cent_of_ratings_and_view_times_are_missing(log: Views) -> None:
    assert np.isnan(log["rating"]).mean() == pytest.approx(SHARE_UNRATED, abs=0.01)
    assert np.isnan(log["view_time"]).mean() == pytest.approx(SHARE_UNTIMED, abs=0.01)


def test_watch_time_and_ratings_follow_taste(world: World, log: Views) -> None:
    known = log[~np.isnan(log["rating"]) & ~np.isnan(log["view_time"])]
    affinity = world.affinity(known["user"], known["title"])
    share = known["view_time"] / world.titles.duration[known["title"]]
    assert share.min() > 0
    assert share.max() <= 1 + 1e-9
    assert known["rating"].min() >= 1
    assert known["rating"].max() <= 10
    assert np.corrcoef(affinity, share)[0, 1] > 0.6
    assert np.corrcoef(affinity, known["rating"])[0, 1] > 0.6


def test_few_views_are_repeats_and_activity_has_a_long_tail(log: Views) -> None:
    assert len(np.unique(log[["user", "title"]])) > 0.93 * N_EVENTS
    by_user = np.sort(np.bincount(log["user"], minlength=800))
    assert by_user[-1] > 6 * by_user[400] > 0


def test_views_of_titles_have_a_zipf_like_tail(log: Views) -> None:
    by_title = np.sort(np.bincount(log["title"], minlength=N_TITLES))[::-1]
    top_share = by_title[: N_TITLES // 10].sum() / N_EVENTS
    assert 0.3 < top_share < 0.7
    assert by_title[N_TITLES // 2] > 0


def test_a_remembered_pair_is_found_and_a_full_table_forgets_rather_than_grows() -> None:
    watched = Watched(64)
    user, title = np.arange(1_000), np.arange(1_000) % 7
    assert not watched.has(user, title).any()
    watched.add(user[:1], title[:1])
    assert watched.has(user, title).tolist() == [True] + [False] * 999
    watched.add(user, title)
    assert 0 < np.count_nonzero(watched.has(user, title)) <= 128


class Recalls:
    """Recall@10 of plain models over novel views, each judged before it is learned."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.popular, self.total = np.zeros(N_TITLES), np.zeros(N_TITLES)
        self.together = np.zeros((N_TITLES, N_TITLES))
        self.watched: defaultdict[int, list[int]] = defaultdict(list)
        self.hits: defaultdict[str, int] = defaultdict(int)
        self.n_judged = 0

    def see(self, view: np.void, *, judge: bool) -> None:
        title, history = int(view["title"]), self.watched[int(view["user"])]
        if title in history:
            return
        if judge and history:
            self.n_judged += 1
            for name, scores in self.scores(view, history).items():
                scores[history] = -1
                self.hits[name] += int(np.count_nonzero(scores >= scores[title]) <= 10)
        self.popular *= 2.0 ** (-1 / 2_000)
        self.popular[title] += 1
        self.total[title] += 1
        recent = history[:-11:-1]
        self.together[recent, title] += CLOSENESS[: len(recent)]
        self.together[title, recent] += CLOSENESS[: len(recent)] / 2
        history.append(title)

    def scores(self, view: np.void, history: list[int]) -> dict[str, np.ndarray]:
        affinity = self.world.affinity(view["user"], np.arange(N_TITLES))
        rows = self.together[history[:-11:-1]]
        lifts = rows / np.sqrt(rows.sum(axis=1, keepdims=True) + 5)
        return {
            "total": self.total.copy(),
            "popular": self.popular.copy(),
            "together": CLOSENESS[: len(rows)] @ lifts,
            "truth": self.world.popularity(float(view["event_time"])) * np.exp2(6 * affinity),
        }

    def recall(self, name: str) -> float:
        return self.hits[name] / self.n_judged


def test_the_world_can_be_learned(world: World, log: Views) -> None:
    recalls = Recalls(world)
    for number, view in enumerate(log):
        recalls.see(view, judge=number > N_EVENTS // 2 and number % 4 == 0)
    popular, total = recalls.recall("popular"), recalls.recall("total")
    assert total > 5 * 10 / N_TITLES
    assert popular > 1.1 * total
    assert recalls.recall("together") > 1.3 * popular
    assert recalls.recall("truth") > 1.15 * popular
