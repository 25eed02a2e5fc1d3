"""Features against their definitions, from counts and sums over the whole past."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from models.engine import Engine, View
from models.feature_names import FEATURES
from models.state import HALF_LIVES_S, POPULARITY_NAMES
from tests.models.samples import SMALL, START_S, candidates, sample_views

VIEWS = sample_views(250, n_titles=40)
NOW = max(view.time for view in VIEWS) + 2_000.0
CONFIG = replace(SMALL, n_neighbors=64)


@pytest.fixture(scope="module")
def engine() -> Engine:
    engine = Engine(CONFIG)
    for n in range(0, 40, 2):
        engine.describe(
            f"title {n}",
            year=1980 + n if n % 4 else None,
            genres=["drama", "comedy", "crime"][n % 3 : 2],
            creators=[f"creator {n % 5}", f"creator {n % 3 + 5}"],
        )
    list(engine.learn(VIEWS))
    return engine


@pytest.fixture(scope="module")
def described(engine: Engine) -> dict[str, dict[str, float]]:
    return candidates(engine, "user 1", NOW)


def past(title: str) -> list[View]:
    return [view for view in VIEWS if view.content_id == title]


def recent(user_id: str) -> list[str]:
    """Return the user's titles, latest first."""
    mine = [view.content_id for view in reversed(VIEWS) if view.user_id == user_id]
    return [*dict.fromkeys(mine)]


def test_every_feature_of_every_candidate_is_finite(
    described: dict[str, dict[str, float]],
) -> None:
    values = [[features[name] for name in FEATURES] for features in described.values()]
    assert len(values) > 10
    assert np.isfinite(values).all()


def test_views_age_and_idleness(described: dict[str, dict[str, float]]) -> None:
    for title, features in described.items():
        views = past(title)
        assert features["views"] == pytest.approx(math.log2(1 + len(views)), abs=1e-5)
        age_h = (NOW - views[0].time) / 3600
        idle_min = (NOW - max(view.time for view in views)) / 60
        assert features["age"] == pytest.approx(math.log2(1 + age_h), abs=1e-4)
        assert features["idle"] == pytest.approx(math.log2(1 + idle_min), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "half_life"), [*zip(POPULARITY_NAMES, HALF_LIVES_S, strict=False)]
)
def test_popularity_now(
    described: dict[str, dict[str, float]], name: str, half_life: float
) -> None:
    for title, features in described.items():
        popularity = math.fsum(
            view.strength
            * (1.0 if view.is_positive else 0.25)
            * 2 ** ((view.time - NOW) / half_life)
            for view in past(title)
        )
        expected = math.log2(0.3 + popularity)
        assert features[f"popularity_{name}"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("peak", "of", "offset"),
    [
        ("forward_peak", "forward", 1e-4),
        ("last_step_peak", "last_step", 1e-4),
        ("popularity_12h_peak", "popularity_12h", 0.3),
        ("popularity_2d_peak", "popularity_2d", 0.3),
    ],
)
def test_peaks(described: dict[str, dict[str, float]], peak: str, of: str, offset: float) -> None:
    values = {x: max(2 ** features[of] - offset, 0.0) for x, features in described.items()}
    largest = max(values.values())
    for title, features in described.items():
        expected = 4 * math.sqrt(values[title] / largest)
        assert features[peak] == pytest.approx(expected, abs=5e-3)
    assert max(features[peak] for features in described.values()) == pytest.approx(4.0)


def test_genre_lift(engine: Engine, described: dict[str, dict[str, float]]) -> None:
    def genres(title: str) -> list[int]:
        rows = engine.model.titles.genres[engine.titles.row(title)]
        return [row for row in rows.tolist() if row >= 0]

    taste, overall = dict[int, float](), dict[int, float]()
    for n, title in enumerate(recent("user 1")):
        for genre in genres(title):
            taste[genre] = taste.get(genre, 0.0) + 0.97**n
    for view in VIEWS:
        for genre in genres(view.content_id):
            overall[genre] = overall.get(genre, 0.0) + 1
    lift = {
        genre: (taste.get(genre, 0.0) / sum(taste.values())) / (n / sum(overall.values()))
        for genre, n in overall.items()
    }
    for title, features in described.items():
        lifts = [lift[genre] for genre in genres(title)] or [1.0]
        expected = math.log2(0.1 + sum(lifts) / len(lifts))
        assert features["genre_lift"] == pytest.approx(expected, abs=1e-4)


def test_year_distance(engine: Engine, described: dict[str, dict[str, float]]) -> None:
    def year(title: str) -> float:
        return float(engine.model.titles.year[engine.titles.row(title)])

    weighted = [(0.97**n, year(x)) for n, x in enumerate(recent("user 1")) if year(x) == year(x)]
    mean = sum(w * y for w, y in weighted) / sum(w for w, _ in weighted)
    for title, features in described.items():
        distance = abs(year(title) - mean)
        expected = 0.0 if math.isnan(distance) else math.log2(1 + distance)
        assert features["year_distance"] == pytest.approx(expected, abs=1e-4)


def test_creator_matches(engine: Engine) -> None:
    def creators(title: str) -> set[int]:
        return {*engine.model.titles.creators[engine.titles.row(title)].tolist()} - {-1}

    n_matches = 0
    for user_id in (f"user {n}" for n in range(6)):
        latest = recent(user_id)[:10]
        for title, features in candidates(engine, user_id, NOW).items():
            expected = sum(bool(creators(title) & creators(other)) for other in latest)
            assert features["creator_matches"] == expected
            n_matches += expected
    assert n_matches > 20


def test_nothing_known_of_a_title_is_neutral() -> None:
    engine = Engine(CONFIG)
    views = [View("ann", "a", START_S, START_S), View("bob", "b", START_S, START_S)]
    list(engine.learn(views))
    (features,) = candidates(engine, "ann", START_S).values()
    assert features["genre_lift"] == pytest.approx(math.log2(1.1), abs=1e-5)
    assert (features["year_distance"], features["creator_matches"]) == (0.0, 0.0)
