"""What a user has consumed, seen through lists, repeats and recent titles."""

from __future__ import annotations

from dataclasses import replace

from models.engine import Engine, View
from models.outcomes import Skip
from models.state import MAX_HISTORY
from tests.models.samples import SMALL, START_S, learned, sample_views


def watching(engine: Engine, titles: list[int], since: float = 0.0) -> list[int]:
    """Let one user watch titles and return why each was skipped."""
    times = [START_S + since + n for n in range(len(titles))]
    views = [View("ann", f"{x}", time, time) for x, time in zip(titles, times, strict=True)]
    return [int(skip) for segment in engine.learn(views) for skip in segment.judged.skip]


def history(engine: Engine, user_id: str) -> list[str]:
    users, row = engine.model.users, engine.users.row(user_id)
    start = users.start[row]
    rows = engine.model.history[start : start + users.length[row]]
    return [engine.titles.name(row) for row in rows]


def test_titles_stand_in_the_order_of_their_last_view() -> None:
    views = sample_views(200)
    engine, expected = Engine(SMALL), dict[str, list[str]]()
    for view in views:
        list(engine.learn([view]))
        mine = expected.setdefault(view.user_id, [])
        if view.content_id in mine:
            mine.remove(view.content_id)
        mine.append(view.content_id)
        assert history(engine, view.user_id) == mine
    assert {user: history(engine, user) for user in expected} == expected


def test_the_last_4096_titles_are_known_exactly() -> None:
    engine = Engine(replace(SMALL, n_neighbors=8))
    n = 2 * MAX_HISTORY + 1
    watching(engine, [*range(n)])
    assert engine.model.users.length[engine.users.row("ann")] == MAX_HISTORY + 1
    oldest = n - MAX_HISTORY
    assert watching(engine, [oldest], since=1e5) == [Skip.REPEAT]
    assert watching(engine, [0], since=2e5) == [Skip.JUDGED]


def test_users_do_not_share_a_history() -> None:
    both = sample_views(150, n_users=2)
    engine = learned(SMALL, both)
    for user in ("user 0", "user 1"):
        alone = learned(SMALL, [view for view in both if view.user_id == user])
        assert history(engine, user) == history(alone, user)
