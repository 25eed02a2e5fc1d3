"""Every check of the suite fails for a model that is broken in just that way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.batch import Lists
from models.engine import Engine, EngineConfig, Explanation, Segment, View
from tests.models.conformance import CHECKS
from tests.models.samples import SMALL, TINY
from tests.models.verbs import Make


class Broken(Engine):
    """An engine whose subclasses each have one fault."""

    def __init__(self, config: EngineConfig = SMALL) -> None:
        super().__init__(config)


class CountsQueries(Broken):
    def recommend(self, user_id: str, time: float) -> Lists:
        self.model.hits[0] += 1
        return super().recommend(user_id, time)


class RemembersWhoAsks(Broken):
    def recommend(self, user_id: str, time: float) -> Lists:
        self._user_row(user_id)
        return super().recommend(user_id, time)


class AnswersFromMemory(Broken):
    def recommend(self, user_id: str, time: float) -> Lists:
        self._answered = True
        return super().recommend(user_id, time)

    def learn(self, views: Sequence[View]) -> Iterator[Segment]:
        if getattr(self, "_answered", False):
            self.model.hits[0] += 1
        return super().learn(views)


class NeedsData(Broken):
    def recommend(self, user_id: str, time: float) -> Lists:
        if not self.n_seen:
            raise IndexError(user_id)
        return super().recommend(user_id, time)


class DrawsFromGlobalRandomness(Broken):
    draws = itertools.count()

    def learn(self, views: Sequence[View]) -> Iterator[Segment]:
        self.model.hits[0] += next(self.draws)
        return super().learn(views)


class WalksASet(Broken):
    def learn(self, views: Sequence[View]) -> Iterator[Segment]:
        for user_id in {view.user_id for view in views}:
            self._user_row(user_id)
        return super().learn(views)


class LendsItsState(Broken):
    def snapshot(self) -> dict[str, NDArray[Any]]:
        return super().snapshot() | {"hits": self.model.hits}


class KeepsWhatItIsGiven(Broken):
    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        super().restore(arrays)
        self.model = self.model._replace(gradient=arrays["gradient"])


class ForgetsTheGradient(Broken):
    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        super().restore(arrays)
        self.model.gradient[:] = 0.0


class KeepsItsOldCounts(Broken):
    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        counts = self.model.counts.copy()
        super().restore(arrays)
        self.model.counts[:] = np.maximum(self.model.counts, counts)


class StepsAtTheEndOfABatch(Broken):
    def learn(self, views: Sequence[View]) -> Iterator[Segment]:
        yield from super().learn(views)
        self._step_ranker()


class NeverForgets(Broken):
    def __init__(self) -> None:
        super().__init__(replace(TINY, max_users=10**6, max_titles=10**6))


class RepeatsItself(Broken):
    def recommend(self, user_id: str, time: float) -> Lists:
        lists = super().recommend(user_id, time)
        lists.title[0, 1] = lists.title[0, 0]
        return lists


class ListsWhatWasWatched(Broken):
    def recommend(self, user_id: str, time: float) -> Lists:
        return super().recommend(user_id and "nobody", time)


class StopsShort(Broken):
    def recommend(self, user_id: str, time: float) -> Lists:
        lists = super().recommend(user_id, time)
        lists.title[0, -1] = -1
        return lists


class LooksAtTheName(Broken):
    def recommend(self, user_id: str, time: float) -> Lists:
        lists = super().recommend(user_id, time)
        lists.score[0] += len(user_id)
        return lists


class ExplainsRoughly(Broken):
    def explain(self, user_id: str, time: float) -> Explanation:
        explanation = super().explain(user_id, time)
        return explanation._replace(contributions=explanation.contributions.round(1))


class LearnsNonsense(Broken):
    def learn(self, views: Sequence[View]) -> Iterator[Segment]:
        return super().learn([view._replace(strength=0.5, time=1.0) for view in views])


class AnswersAtNoTime(Broken):
    def recommend(self, user_id: str, time: float) -> Lists:
        return super().recommend(user_id, float(np.nan_to_num(time)))


class LearnsHalf(Broken):
    def learn(self, views: Sequence[View]) -> Iterator[Segment]:
        for view in views:
            yield from super().learn([view])


class IsPopularOnly(Broken):
    def recommend(self, user_id: str, time: float) -> Lists:
        return super().recommend(user_id and "never seen", time)


def walks_a_set() -> Engine:
    return WalksASet()


BROKEN: dict[str, list[Make]] = {
    "predicting_is_pure": [CountsQueries, RemembersWhoAsks],
    "predicting_leaves_no_trace_in_learning": [AnswersFromMemory],
    "usable_before_learning": [NeedsData],
    "same_input_gives_the_same_bytes": [DrawsFromGlobalRandomness],
    "hash_seed_does_not_matter": [walks_a_set],
    "inputs_are_not_aliased": [LendsItsState, KeepsWhatItIsGiven],
    "restored_continues_as_if_uninterrupted": [ForgetsTheGradient],
    "restoring_replaces_what_was_learned": [KeepsItsOldCounts],
    "batch_boundaries_change_nothing": [StepsAtTheEndOfABatch],
    "memory_is_bounded": [NeverForgets],
    "lists_are_novel_distinct_and_full": [RepeatsItself, ListsWhatWasWatched, StopsShort],
    "unseen_users_share_a_list": [LooksAtTheName],
    "explanations_add_up": [ExplainsRoughly],
    "nonsense_is_refused_before_anything_is_learned": [LearnsNonsense, LearnsHalf, AnswersAtNoTime],
    "better_than_popular_and_random": [IsPopularOnly],
}


def test_every_check_has_a_model_that_fails_it() -> None:
    assert BROKEN.keys() == CHECKS.keys()


@pytest.mark.parametrize(
    ("check", "make"), [(check, make) for check, makes in BROKEN.items() for make in makes]
)
def test_a_broken_model_fails(check: str, make: Make) -> None:
    with pytest.raises((AssertionError, IndexError, pytest.fail.Exception)):
        CHECKS[check](make)
