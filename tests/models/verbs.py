"""The verbs of a model, and how to compare two models to the bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

from numpy.typing import NDArray

from models.engine import View
from tests.models.samples import START_S

LATER = START_S + 1e7


class Model(Protocol):
    """The verbs; lists are named tuples of arrays with ``title`` rows, -1 for none."""

    @property
    def titles(self) -> Any: ...
    def learn(self, views: Sequence[View]) -> Iterator[Any]: ...
    def recommend(self, user_id: str, time: float) -> Any: ...
    def explain(self, user_id: str, time: float) -> Any: ...
    def snapshot(self) -> dict[str, NDArray[Any]]: ...
    def restore(self, arrays: dict[str, NDArray[Any]]) -> None: ...


Make = Callable[[], Model]


def state(model: Model) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Return all that a snapshot holds, comparable to the bit."""
    return {k: (a.dtype.str, a.shape, a.tobytes()) for k, a in model.snapshot().items()}


def differing(one: Model, other: Model) -> list[str]:
    """Return the names of the arrays in which two models differ."""
    mine, yours = state(one), state(other)
    return sorted(k for k in mine | yours if mine.get(k) != yours.get(k))


def feed(model: Model, views: Sequence[View], cuts: Sequence[int] = ()) -> list[list[bytes]]:
    """Learn views in batches that end at ``cuts``; return what came of each view, to the bit."""
    outcomes = []
    for begin, end in pairwise([0, *cuts, len(views)]):
        for segment in model.learn(views[begin:end]):
            outcomes += [
                [array[row].tobytes() for part in segment[2:4] for array in part]
                + [repr(notice).encode() for at, notice in segment.notices if at == row]
                for row in range(segment.begin, segment.end)
            ]
    return outcomes


def titles_of(model: Model, user_id: str, time: float = LATER) -> list[str]:
    """Return the names on a list, best first."""
    return [
        model.titles.name(r) for r in model.recommend(user_id, time).title[0].tolist() if r >= 0
    ]


def content(model: Model, user_id: str) -> list[bytes]:
    """Return a list with scores and reasons, to the bit."""
    return [array.tobytes() for array in model.recommend(user_id, LATER)]
