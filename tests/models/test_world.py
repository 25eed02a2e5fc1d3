from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.drawing import cumulated, hashed_uniform, pick
from models.rhythm import DAY_S, START_S, event_clock
from models.titles import FRESHNESS_FLOOR, N_GENRES, TITLES_A_NICHE, freshness
from models.world import World, WorldSettings


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldSettings(n_users=300, n_titles=1_000, seed=5))


@pytest.mark.parametrize("wrong", [{"n_users": 0}, {"n_titles": 0}, {"days": 0}, {"seed": -1}])
def test_settings_below_their_minimum_are_refused_by_name(wrong: dict[str, int]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        WorldSettings(**wrong)


def test_the_same_seed_makes_the_same_world_and_another_seed_another(world: World) -> None:
    again = World(world.settings)
    other = World(WorldSettings(n_users=300, n_titles=1_000, seed=6))
    for name in ("number", "niche", "creator", "genres", "appeal", "released", "duration"):
        assert np.array_equal(getattr(world.titles, name), getattr(again.titles, name)), name
    assert np.array_equal(world.people.taste, again.people.taste)
    assert not np.array_equal(world.people.taste, other.people.taste)
    assert not np.array_equal(world.titles.appeal, other.titles.appeal)


def test_every_group_likes_three_genres_above_all(world: World) -> None:
    assert world.people.taste.shape[1] == N_GENRES
    assert np.allclose(world.people.taste.sum(axis=1), 1)
    assert (np.sort(world.people.taste)[:, -3:].sum(axis=1) > 0.9).all()


def test_users_draw_genres_by_the_taste_of_their_group(world: World) -> None:
    user = np.full(20_000, 17)
    genres = world.genre(user, np.random.default_rng(0).random(len(user)))
    shares = np.bincount(genres, minlength=N_GENRES) / len(user)
    assert np.abs(shares - world.people.taste[world.people.group[17]]).max() < 0.015


def test_niches_are_small_and_have_one_genre(world: World) -> None:
    titles = world.titles
    assert np.bincount(titles.niche).max() <= 2 * TITLES_A_NICHE
    genres_a_niche = [
        set(titles.genres[titles.niche == niche, 0]) for niche in np.unique(titles.niche)
    ]
    assert all(len(genres) == 1 for genres in genres_a_niche)
    assert (titles.genres[:, 0] != titles.genres[:, 1]).all()


def test_a_favourite_niche_is_in_the_genre_asked_for_and_adjacent_ones_stay_there(
    world: World,
) -> None:
    user = np.arange(300)
    for genre in range(N_GENRES):
        niche = world.favourite_niche(user, np.full(300, genre), 1)
        assert (world.niche_genre[niche] == genre).all()
        assert (world.niche_genre[world.adjacent_niche(niche)] == genre).all()


def test_affinity_is_a_share_and_highest_where_the_taste_is(world: World) -> None:
    user, title = np.arange(300)[:, None], np.arange(1_000)
    affinity = world.affinity(user, title)
    assert affinity.shape == (300, 1_000)
    assert affinity.min() >= 0
    assert affinity.max() <= 1
    best_genre = world.people.taste[world.people.group].argmax(axis=1)
    in_best_genre = world.titles.genres[:, 0] == best_genre[:, None]
    in_best_niche = world.titles.niche == world.favourite_niche(user[:, 0], best_genre, 0)[:, None]
    elsewhere_in_genre = affinity[in_best_genre & ~in_best_niche]
    assert affinity[in_best_niche].mean() > elsewhere_in_genre.mean() + 0.2
    assert elsewhere_in_genre.mean() > affinity[~in_best_genre].mean() + 0.2


def test_popularity_is_zero_before_release_and_sinks_with_age(world: World) -> None:
    new = int(world.titles.released.argmax())
    released = float(world.titles.released[new])
    days = [world.popularity(released + day * DAY_S)[new] for day in (-0.01, 0, 2, 10, 1000)]
    assert days[0] == 0
    assert days[1] > days[2] > days[3] > days[4] > 0
    assert days[4] == pytest.approx(FRESHNESS_FLOOR * days[1])


def test_titles_arrive_over_time_and_every_niche_has_one_from_the_start(world: World) -> None:
    released = world.titles.released
    is_new = released >= START_S
    assert 0.2 < is_new.mean() < 0.4
    assert len(np.unique(released[is_new])) > 20
    assert released.max() < START_S + world.settings.days * DAY_S
    assert (np.bincount(world.titles.niche, weights=~is_new) > 0).all()


@pytest.mark.parametrize("n_titles", [1, 2, 5, 13])
def test_a_tiny_world_still_has_tastes(n_titles: int) -> None:
    tiny = World(WorldSettings(n_users=1, n_titles=n_titles))
    assert tiny.people.taste.shape[1] == min(n_titles, N_GENRES)
    assert np.allclose(tiny.people.taste.sum(axis=1), 1)
    assert (np.bincount(tiny.titles.niche, weights=tiny.popularity(START_S)) > 0).all()


def test_freshness_counts_no_title_that_is_not_out() -> None:
    assert freshness(np.array([-1e-3, -1e9])).tolist() == [0.0, 0.0]


@given(
    weights=st.lists(st.sampled_from([0.0, 1e-9, 0.5, 3.0]), min_size=1, max_size=20),
    uniform=st.floats(0, 1, exclude_max=True),
)
def test_pick_never_takes_an_index_without_weight(weights: list[float], uniform: float) -> None:
    if any(weights):
        index = pick(cumulated(np.array(weights)), np.array([uniform]))[0]
        assert weights[index] > 0


def test_pick_keeps_to_its_range_where_the_sums_round_up() -> None:
    almost_one = np.array([np.nextafter(1.0, 0.0)])
    sums = cumulated(np.array([1e9, 1.0, 0.0]))
    assert pick(sums, almost_one, np.array([1]), np.array([3])).tolist() == [1]


def test_pick_within_a_range_keeps_to_it_and_to_the_weights() -> None:
    uniform = np.random.default_rng(1).random(50_000)
    sums = cumulated(np.array([9.0, 1.0, 3.0, 0.0, 9.0]))
    index = pick(sums, uniform, np.full(50_000, 1), np.full(50_000, 4))
    shares = np.bincount(index, minlength=5) / len(index)
    assert np.abs(shares - [0, 0.25, 0.75, 0, 0]).max() < 0.01


def test_hashed_numbers_are_even_and_depend_on_every_key() -> None:
    numbers = hashed_uniform(3, np.arange(100_000))
    assert np.abs(np.histogram(numbers, bins=10, range=(0, 1))[0] / 10_000 - 1).max() < 0.05
    keys = [(1, 2), (2, 1), (1, 3), (0, 3), (1, 2, 0)]
    assert len({float(hashed_uniform(*key)[0]) for key in keys}) == len(keys)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=50), st.integers(1, 400))
def test_the_clock_of_events_never_goes_back_and_ends_with_the_days(
    shares: list[float], days: int
) -> None:
    times = event_clock(np.sort(shares), days)
    assert (np.diff(times) >= 0).all()
    assert times[0] >= START_S
    assert times[-1] <= START_S + days * DAY_S
