"""Every list has k distinct novel titles while the catalogue allows it, best first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine import Engine
from tests.models.samples import SMALL, sample_views

SOME = st.sets(st.integers(0, 60), max_size=12)


@settings(max_examples=150)
@given(
    k=st.integers(1, 12),
    n=st.integers(0, 80),
    n_titles=st.integers(1, 40),
    changed=st.tuples(SOME, SOME),
    seed=st.integers(0, 10**6),
)
def test_lists_are_full_distinct_novel_and_sorted(
    k: int, n: int, n_titles: int, changed: tuple[set[int], set[int]], seed: int
) -> None:
    described, withdrawn = changed
    engine, views = Engine(replace(SMALL, k=k)), sample_views(n, n_titles=n_titles, seed=seed)
    for x in sorted(described):
        engine.describe(f"title {x}")
    list(engine.learn(views))
    for x in sorted(withdrawn):
        engine.withdraw(f"title {x}")
    offered = {view.content_id for view in views} | {f"title {x}" for x in described}
    offered -= {f"title {x}" for x in withdrawn}
    for user_id in ("user 0", "user 1", "never seen"):
        lists = engine.recommend(user_id, 1.7e9)
        rows = [row for row in lists.title[0].tolist() if row >= 0]
        titles = [engine.titles.name(row) for row in rows]
        watched = {view.content_id for view in views if view.user_id == user_id}
        assert len({*titles}) == len(titles) == min(k, len(offered - watched))
        assert {*titles} <= offered - watched
        assert (lists.title[0, len(rows) :] == -1).all()
        seen = [view.content_id for view in views]
        if engine.knows(user_id):
            scores = lists.score[0, : len(rows)]
            ordered = [(-score, row) for score, row in zip(scores.tolist(), rows, strict=True)]
            assert ordered == sorted(ordered)
            assert np.isfinite(scores).all()
        else:
            assert [title in seen for title in titles] == sorted(
                (title in seen for title in titles), reverse=True
            )
