"""Which views of a call get a list."""

from __future__ import annotations

from models.engine import View
from streams.runs import Run, marked_last


def run(at: int, users: str, forget: str | None = None) -> Run:
    views = [View(user, "title", 0.0, 0.0) for user in users]
    return Run([*range(at, at + len(users))], views, forget)


def emitted(*runs: Run) -> list[int]:
    return [
        at
        for part in marked_last(runs)
        for at, view in zip(part.at, part.learnable, strict=True)
        if view.is_emitted
    ]


def test_the_last_view_of_each_user_over_all_runs() -> None:
    assert emitted(run(0, "abab")) == [2, 3]
    assert emitted(run(0, "abc"), run(4, "ab")) == [2, 4, 5]
    assert emitted(run(0, "")) == []


def test_a_user_forgotten_after_it_has_none() -> None:
    assert emitted(run(0, "ab", forget="a"), run(3, "b")) == [3]
    assert emitted(run(0, "ab", forget="a"), run(3, "a")) == [1, 3]
    assert emitted(run(0, "ab", forget="nobody"), run(3, "")) == [0, 1]
