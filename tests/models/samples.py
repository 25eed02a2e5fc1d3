"""Small streams with everything that real ones have, and views into an engine's last query."""

from __future__ import annotations

import random
from collections.abc import Iterable

from models.engine import Engine, EngineConfig, View
from models.feature_names import FEATURES

START_S = 1.6e9
SMALL = EngineConfig(k=5, n_open_groups=4, n_neighbors=16, step_every=4)
TINY = EngineConfig(
    k=5, n_open_groups=2, n_neighbors=8, step_every=4, max_users=12, max_titles=20, protocol="fresh"
)


def sample_views(n: int, *, n_users: int = 6, n_titles: int = 15, seed: int = 0) -> list[View]:
    """Return views with tie groups, interleaved users, late times, repeats and weak signals."""
    rng = random.Random(seed)
    time, views = START_S, []
    for _ in range(n):
        time += rng.choice([0.0, 0.0, 1.0, 40.0, 5_000.0])
        seen_at = time - rng.choice([0.0, 0.0, 0.0, 30.0, 9_000.0])
        user = rng.randrange(n_users)
        views.append(
            View(
                user_id=f"user {user}",
                content_id=f"title {min(rng.randrange(n_titles), rng.randrange(n_titles))}",
                time=seen_at,
                group_time=seen_at,
                strength=rng.choice([1.0, 0.5, 0.2]),
                is_positive=rng.random() < 0.8,
                is_emitted=rng.random() < 0.5,
                device=f"device {user}" if user % 3 else None,
                source=f"source {user % 2}",
            )
        )
    return views


def arrivals(n: int) -> list[View]:
    """Return views by users nobody has seen of titles nobody has seen, with a few regulars."""
    return [
        View(
            user_id=f"regular {i % 3}" if i % 4 == 0 else f"user {i // 3}",
            content_id=f"title {i // 2}" if i % 5 else "evergreen",
            time=START_S + 60.0 * i,
            group_time=START_S + 60.0 * (i - i % 2),
            is_emitted=i % 3 == 0,
        )
        for i in range(n)
    ]


def learned(config: EngineConfig, views: Iterable[View]) -> Engine:
    """Return a new engine that has learned views."""
    engine = Engine(config)
    for _ in engine.learn([*views]):
        pass
    return engine


def listed(engine: Engine, user_id: str, time: float) -> list[str]:
    """Return the titles recommended to a user, best first."""
    rows = engine.recommend(user_id, time).title[0].tolist()
    return [engine.titles.name(row) for row in rows if row >= 0]


def candidates(engine: Engine, user_id: str, time: float) -> dict[str, dict[str, float]]:
    """Return the features of each candidate of a query, by title and by feature."""
    engine.recommend(user_id, time)
    pool = engine.model.candidates
    rows = pool.title[-1, : pool.length[-1]].tolist()
    return {
        engine.titles.name(row): {
            name: float(pool.feature[-1, f, p]) for f, name in enumerate(FEATURES)
        }
        for p, row in enumerate(rows)
    }
