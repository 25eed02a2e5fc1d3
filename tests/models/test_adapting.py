"""Boosts of the fast side: bounded, resting, only where something drifted, never a wipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.adapting import FORGOTTEN, KEPT_SQUARES, REST_EVENTS, Adapting
from models.alarms import Alarm, Blame, Kind, Reaction, Severity
from models.engine import Engine, View
from models.quality_state import (
    ALL_EVENTS,
    FIRST_DEVICE,
    FIRST_GENRE,
    N_SCOPES,
    NEW_USERS,
    new_quality_watch,
)
from tests.models.covisit_oracle import CovisitOracle
from tests.models.drifting_views import AT, CONFIG, described, drifting_views, notices
from tests.models.samples import SMALL, sample_views
from tests.models.test_covisitation import check_shares
from tests.models.verbs import differing, feed

WIDE = replace(SMALL, n_neighbors=64)
GENRES = {"title 0": ["a"], "title 1": ["a", "b"], "title 2": ["b"], "title 3": ["c", "a"]}
VIEWS = sample_views(300, n_titles=45)


class Adapted:
    """An engine that has learned, with what answers its alarms."""

    def __init__(self) -> None:
        self.engine, self.quality = Engine(WIDE), new_quality_watch()
        for title, genres in GENRES.items():
            self.engine.describe(title, genres=genres)
        list(self.engine.learn(VIEWS))
        self.adapting = Adapting()
        self.quality.n[:] = 2_500
        self.quality.n[ALL_EVENTS] = 10_000

    def answer(self, scope: int, severity: Severity = Severity.DRIFT) -> list[Reaction]:
        """Answer an alarm that everything raised and that blames a scope."""
        alarm = Alarm(
            *("rank", "all", Kind.CONCEPT, severity, 1.0, 2.0, 9, 4.0, 9.0, "cusum_fast"),
            blames=(Blame("who is to blame", 1.0, 9, 0.2, 0.1),),
        )
        return list(
            self.adapting.to(
                alarm, scope, quality=self.quality, model=self.engine.model, ranker=self.ranker
            )
        )

    @property
    def ranker(self) -> Any:
        return self.engine.ranker

    def row(self, title: str) -> tuple[NDArray[Any], ...]:
        """Return copies of a row's weights, standings and masses."""
        titles, neighbors = self.engine.model.titles, self.engine.model.neighbors
        row = self.engine.titles.row(title)
        slots = slice(titles.start[row], titles.start[row] + titles.length[row])
        arrays = neighbors.weight[slots], neighbors.standing[slots], titles.mass[row]
        return tuple(array.copy() for array in arrays)

    def squares(self) -> NDArray[Any]:
        return next(a for name, a in self.ranker.snapshot().items() if "squares" in name)

    def genre(self, name: str) -> int:
        return FIRST_GENRE + self.engine.genres.row(name)


def check_faded(after: tuple[NDArray[Any], ...], before: tuple[NDArray[Any], ...]) -> None:
    """Fail unless a row has lost half of everything, and its order is that of its weights."""
    weight, standing, mass = after
    assert weight == pytest.approx(before[0] / 2)
    assert mass == pytest.approx(before[2] / 2)
    assert standing.tolist() == (weight[:, 0] + weight[:, 1]).view(np.int32).tolist()
    assert (before[0] > 0).any()


def test_only_the_rows_of_the_drifted_genre_fade() -> None:
    adapted = Adapted()
    titles = [f"title {n}" for n in range(45)]
    before = {title: adapted.row(title) for title in titles}
    clock = adapted.engine.model.clock.copy()
    (reaction,) = adapted.answer(adapted.genre("a"))
    assert reaction == Reaction("fast_side_boosted", "rank", "who is to blame", True, 2.0)
    for title in titles:
        if "a" in GENRES.get(title, ()):
            check_faded(adapted.row(title), before[title])
        else:
            for mine, yours in zip(adapted.row(title), before[title], strict=True):
                assert mine.tobytes() == yours.tobytes()
    assert (adapted.engine.model.clock == clock).all()


def check_oracle(adapted: Adapted, change: Callable[[CovisitOracle], None]) -> None:
    """Fail unless the engine goes on like the equations after a change to both."""
    oracle = CovisitOracle(WIDE)
    oracle.learn(VIEWS)
    change(oracle)
    more, n = sample_views(150, n_titles=45, seed=5), 0
    for at in range(0, len(more), 25):
        for user_id in sorted(oracle.watched):
            n += check_shares(adapted.engine, oracle, user_id, VIEWS[-1].time)
        list(adapted.engine.learn(more[at : at + 25]))
        oracle.learn(more[at : at + 25])
    assert n > 200


def test_faded_rows_learn_on_as_rows_that_hold_half() -> None:
    adapted = Adapted()
    adapted.answer(adapted.genre("a"))

    def halve(oracle: CovisitOracle) -> None:
        for title, genres in GENRES.items():
            if "a" in genres:
                oracle.mass[title] = [m / 2 for m in oracle.mass[title]]
                for weights in oracle.rows[title].values():
                    weights[:] = [w / 2 for w in weights]

    check_oracle(adapted, halve)


@pytest.mark.parametrize(
    ("scope", "part"), [(ALL_EVENTS, 1.0), (FIRST_DEVICE + 1, 0.25), (NEW_USERS, 0.25)]
)
def test_when_it_is_not_a_genre_all_rows_forget_in_proportion(scope: int, part: float) -> None:
    adapted = Adapted()
    assert len(adapted.answer(scope)) == 1

    def forget(oracle: CovisitOracle) -> None:
        oracle.worth = [worth * 2.0 ** (-FORGOTTEN * part) for worth in oracle.worth]

    check_oracle(adapted, forget)


def test_a_warning_is_no_reason_to_adapt() -> None:
    adapted = Adapted()
    before = adapted.engine.snapshot()
    for scope in (ALL_EVENTS, adapted.genre("a"), FIRST_DEVICE):
        assert adapted.answer(scope, Severity.WARNING) == []
    after = adapted.engine.snapshot()
    assert [name for name, a in after.items() if a.tobytes() != before[name].tobytes()] == []
    assert len(adapted.answer(ALL_EVENTS)) == 1


def test_a_scope_rests_between_boosts_and_everything_lets_all_rest() -> None:
    adapted = Adapted()
    genre, other = adapted.genre("a"), adapted.genre("c")
    n = adapted.quality.n
    assert [len(adapted.answer(scope)) for scope in (genre, genre, ALL_EVENTS)] == [1, 0, 1]
    n[ALL_EVENTS] += REST_EVENTS - 1
    assert [len(adapted.answer(scope)) for scope in (genre, other, ALL_EVENTS)] == [0, 0, 0]
    n[ALL_EVENTS] += 1
    assert [len(adapted.answer(scope)) for scope in (genre, other, genre)] == [1, 1, 0]


def test_however_many_genres_drift_the_ranker_is_boosted_once_and_a_row_fades_once() -> None:
    adapted = Adapted()
    squares, before = adapted.squares().copy(), adapted.row("title 1")
    assert squares.any()
    for name in ("a", "b", "c"):
        assert len(adapted.answer(adapted.genre(name))) == 1
    assert adapted.squares() == pytest.approx(squares * KEPT_SQUARES)
    check_faded(adapted.row("title 1"), before)
    adapted.quality.n[ALL_EVENTS] += REST_EVENTS
    adapted.answer(adapted.genre("b"))
    assert adapted.squares() == pytest.approx(squares * KEPT_SQUARES**2)
    assert adapted.row("title 1")[2] == pytest.approx(before[2] / 4)


def test_the_next_steps_of_the_ranker_are_larger_and_shrink_again() -> None:
    steps = []
    for is_boosted in (False, True):
        ranker, gradient = Adapted().ranker, np.ones((3, 3))
        ranker = type(ranker)(0.1)
        gradient = np.ones_like(ranker.weights, np.float64)
        for _ in range(50):
            ranker.step(gradient)
        if is_boosted:
            ranker.boost(KEPT_SQUARES)
        taken = []
        for _ in range(200):
            before = ranker.weights[0, 0].item()
            ranker.step(gradient)
            taken.append(before - ranker.weights[0, 0].item())
        steps.append(taken)
    plain, boosted = steps
    assert 2.0 < boosted[0] / plain[0] <= KEPT_SQUARES**-0.5
    assert 1.0 < boosted[-1] / plain[-1] < 1.15


def test_boosting_a_ranker_that_has_not_learned_does_nothing() -> None:
    engine = Engine(SMALL)
    before = engine.snapshot()
    engine.ranker.boost(KEPT_SQUARES)
    assert {n: a.tobytes() for n, a in engine.snapshot().items()} == {
        n: a.tobytes() for n, a in before.items()
    }


def test_weights_that_fade_to_nothing_become_zero() -> None:
    adapted = Adapted()
    model = adapted.engine.model
    row = adapted.engine.titles.row("title 0")
    start, length = model.titles.start[row], model.titles.length[row]
    model.neighbors.weight[start : start + length] = 1.5e-30
    adapted.answer(adapted.genre("a"))
    weight, standing, _ = adapted.row("title 0")
    assert not weight.any()
    assert not standing.any()


def test_what_was_boosted_is_remembered() -> None:
    adapted, other = Adapted(), Adapted()
    adapted.answer(adapted.genre("a"))
    arrays = adapted.adapting.snapshot()
    other.adapting.restore(arrays)
    assert other.answer(adapted.genre("a")) == []
    assert len(other.answer(ALL_EVENTS)) == 1
    assert arrays["boosted_n"][ALL_EVENTS] < 0
    assert len(arrays["boosted_n"]) == N_SCOPES


@cache
def views() -> tuple[View, ...]:
    return tuple(drifting_views())


def test_an_engine_that_drifts_adapts_and_tells_so() -> None:
    engine = described()
    found = list(notices(engine, [*views()]))
    alarms = [(at, n) for at, n in found if isinstance(n, Alarm)]
    reactions = [(at, n) for at, n in found if isinstance(n, Reaction)]
    assert 0 <= alarms[0][0] - AT < 200
    assert reactions[0][0] == alarms[0][0]
    assert [n.scope for _, n in reactions] == [n.blames[0].scope for _, n in alarms]
    assert len(reactions) <= 2


def test_of_one_genre_only_that_one_is_named_and_boosted() -> None:
    engine = described()
    found = list(notices(engine, drifting_views(genre=2)))
    names = {n.scope for _, n in found if isinstance(n, Reaction)}
    assert names == {"genre:g2"}
    first = next(n for _, n in found if isinstance(n, Alarm))
    assert first.blames[0].scope == "genre:g2"


@pytest.mark.parametrize("how", ["turned off", "an input fault lasts"])
def test_without_leave_alarms_are_raised_and_nothing_is_done(how: str) -> None:
    config = replace(CONFIG, adapts=how != "turned off")
    faulty = how == "an input fault lasts"
    engine, blind = described(config), described(replace(CONFIG, watches=False))
    given = [view._replace(is_faulty=faulty) for view in views()]
    found = list(notices(engine, given))
    assert found
    assert not any(isinstance(notice, Reaction) for _, notice in found)
    assert list(notices(blind, given)) == []
    assert {
        name for name in differing(engine, blind) if not name.startswith(("quality", "mix"))
    } == set()


def test_adapting_changes_nothing_before_it_is_due() -> None:
    engine, still = described(), described(replace(CONFIG, adapts=False))
    assert feed(engine, views()[:AT]) == feed(still, views()[:AT])
    assert differing(engine, still) == []
    feed(engine, views()[AT:])
    feed(still, views()[AT:])
    assert "neighbors.weight" in differing(engine, still)
