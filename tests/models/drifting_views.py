"""Views of people who follow series, until all titles, or those of one genre, swap places."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from models.alarms import Alarm, Reaction
from models.engine import Engine, EngineConfig, View
from tests.models.samples import START_S

N_TITLES, N_GENRES, N_USERS = 96, 4, 150
AT, N = 6_000, 7_200
CONFIG = EngineConfig(k=5, n_open_groups=16, n_neighbors=16, step_every=8, max_users=400)


def genre_of(title: int) -> int:
    """Return the genre of a title: those of one genre follow one another."""
    return title * N_GENRES // N_TITLES


def drifting_views(n: int = N, *, at: int = AT, genre: int | None = None) -> list[View]:
    """Return views; from ``at`` on titles (of a genre) come after one another in another order."""
    rng = random.Random(11)
    order = list(range(N_TITLES))
    moved = [t for t in order if genre is None or genre_of(t) == genre]
    places = {t: p for p, t in enumerate(order)}
    next_place: dict[int, int] = {}
    views = []
    for number in range(n):
        if number == at:
            for title, place in zip(
                moved, rng.sample([places[t] for t in moved], len(moved)), strict=True
            ):
                order[place] = title
        user = rng.randrange(N_USERS) + N_USERS * (number // 2_500)
        place = next_place.get(user, rng.randrange(N_TITLES))
        next_place[user] = (place + 1) % N_TITLES
        title = order[place] if rng.random() < 0.9 else rng.randrange(N_TITLES)
        time = START_S + 30.0 * number
        views.append(
            View(
                f"user {user}", f"title {title}", time, time - time % 60.0,
                device=("tv", "phone", None)[user % 3], source=("home", None)[user % 2],
                is_emitted=number % 5 == 0,
            )
        )  # fmt: skip
    return views


def described(config: EngineConfig = CONFIG) -> Engine:
    """Return an engine that knows the genre of every title."""
    engine = Engine(config)
    for title in range(N_TITLES):
        engine.describe(f"title {title}", genres=[f"g{genre_of(title)}"])
    return engine


def drifting() -> Engine:
    return described()


def drifting_of_few() -> Engine:
    return described(replace(CONFIG, max_users=120))


def notices(engine: Engine, views: list[View]) -> Iterator[tuple[int, Alarm | Reaction]]:
    """Learn views; yield what was said about the quality of lists, with the number of the view."""
    for segment in engine.learn(views):
        for row, notice in segment.notices:
            if isinstance(notice, Reaction) or (
                isinstance(notice, Alarm) and notice.statistic in ("rank", "hit")
            ):
                yield row, notice
