"""Popularities against sums over the whole past, after every prefix of a stream."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest

from models.engine import Engine, View
from models.outcomes import Skip
from models.state import HALF_LIVES_S
from tests.models.samples import SMALL, START_S, learned, listed, sample_views

CONFIG = replace(SMALL, k=20, n_open_groups=16)
RATES = [*[1 / h for h in HALF_LIVES_S], 0.0]
ROUNDING = 1e-5


def brute_force(views: Iterable[View], rate: float, weak: float) -> dict[str, float]:
    """Return log2 of each title's discounted views, summed in double precision."""
    past: dict[str, list[tuple[float, float]]] = {}
    for view in views:
        strength = view.strength * (1.0 if view.is_positive else weak)
        past.setdefault(view.content_id, []).append((view.time, strength))
    return {
        title: math.log2(math.fsum(s * 2.0 ** ((t - START_S) * rate) for t, s in seen))
        for title, seen in past.items()
    }


def check_rank(rank: int, title: str, keys: dict[str, float], excluded: set[str], k: int) -> None:
    """Fail unless a rank in a list of k is exact up to rounding."""
    others = [key for other, key in keys.items() if other not in excluded and other != title]
    mine = keys.get(title, -math.inf)
    best = 1 + sum(key > mine + ROUNDING for key in others)
    worst = 1 + sum(key > mine - ROUNDING for key in others)
    if title in keys and (rank or worst <= k):
        assert best <= rank <= worst
    else:
        assert rank == 0


@pytest.mark.parametrize("n_open_groups", [1, 16])
def test_popularity_ranks_are_exact_for_every_half_life(n_open_groups: int) -> None:
    """As of the group's first event, or as of the event when too many groups are open."""
    views = sample_views(160, n_titles=30)
    (segment,) = Engine(replace(CONFIG, n_open_groups=n_open_groups)).learn(views)
    watched: dict[str, set[str]] = {}
    groups: dict[str, tuple[float, int, int, set[str]]] = {}
    n_groups = n_ranked = 0
    for e, view in enumerate(views):
        mine = watched.setdefault(view.user_id, set())
        if view.user_id not in groups or groups[view.user_id][0] != view.group_time:
            n_groups += bool(mine)
            groups[view.user_id] = view.group_time, n_groups, e, {*mine}
        if segment.judged.skip[e] == Skip.JUDGED:
            _, number, begin, excluded = groups[view.user_id]
            if n_groups - number >= n_open_groups:
                begin, excluded = e, mine
            for h, rate in enumerate(RATES):
                rank = int(segment.judged.popularity_rank[e, h])
                keys = brute_force(views[:begin], rate, CONFIG.weak_strength)
                check_rank(rank, view.content_id, keys, excluded, CONFIG.k)
                n_ranked += rank > 0
        mine.add(view.content_id)
    assert n_ranked > 200


def test_the_popular_list_is_exact_after_every_prefix() -> None:
    engine, views = Engine(CONFIG), sample_views(120, n_titles=40)
    for n, view in enumerate(views, start=1):
        list(engine.learn([view]))
        h = int(engine.model.hits.argmax())
        keys = brute_force(views[:n], RATES[h], CONFIG.weak_strength)
        lists = engine.recommend("never seen", view.time)
        titles = [engine.titles.name(row) for row in lists.title[0] if row >= 0]
        assert len(set(titles)) == len(titles) == min(CONFIG.k, len(keys))
        expected = sorted(keys.values(), reverse=True)[: CONFIG.k]
        assert [keys[title] for title in titles] == pytest.approx(expected, abs=ROUNDING)
        scores = lists.score[0, : len(titles)] - START_S * RATES[h]
        assert scores.tolist() == pytest.approx(expected, abs=0.05)


def test_equal_popularity_goes_by_title_number() -> None:
    views = [View(f"{n}", f"title {7 * n % 31}", START_S, START_S) for n in range(31)]
    engine = learned(CONFIG, views)
    assert listed(engine, "never seen", START_S) == [view.content_id for view in views[: CONFIG.k]]


def test_a_viewer_of_everything_popular_gets_the_exact_rest() -> None:
    """Past the 128 titles of a kept list, by a scan of the catalogue."""
    crowd = [
        View(f"fan {n}", f"{title}", START_S + title, START_S + title)
        for title in range(200)
        for n in range(2 if title < 160 else 1)
    ]
    binge = [
        View("ann", f"{title}", START_S + 300 + title, START_S + 300 + title)
        for title in range(160)
    ]
    last = View("ann", "175", START_S + 900, START_S + 900)
    engine = Engine(replace(CONFIG, k=30))
    (segment,) = engine.learn([*crowd, *binge, last])
    all_time, latest_first = 175 - 160 + 1, 199 - 175 + 1
    assert segment.judged.popularity_rank[-1].tolist() == [latest_first] * 6 + [all_time]
