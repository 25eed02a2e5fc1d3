"""What an engine says and does about drift keeps the promises of `tests.models.conformance`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from models.engine import Engine, View
from tests.models.drifting_views import (
    AT,
    CONFIG,
    N,
    described,
    drifting,
    drifting_of_few,
    drifting_views,
)
from tests.models.verbs import LATER, Make, content, differing, feed, state

MAKES = [drifting, drifting_of_few]


@cache
def views() -> tuple[View, ...]:
    return tuple(drifting_views())


@cache
def whole(make: Make) -> tuple[Engine, list[list[bytes]]]:
    model = make()
    assert isinstance(model, Engine)
    return model, feed(model, views())


@pytest.mark.parametrize("make", MAKES)
def test_the_stream_has_what_it_is_meant_to_have(make: Make) -> None:
    said = b"".join(notice for outcome in whole(make)[1][AT:] for notice in outcome[16:])
    assert b"Alarm(statistic='rank'" in said
    assert b"Reaction(name='fast_side_boosted'" in said
    if make is drifting_of_few:
        assert whole(make)[0].users.row(views()[0].user_id) < 0


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("step", [1, 7, 250])
def test_batches_are_invisible(make: Make, step: int) -> None:
    parts = make()
    cuts = [*range(step, N, step)] if step > 1 else [*range(AT, N)]
    assert feed(parts, views(), cuts) == whole(make)[1]
    assert differing(parts, whole(make)[0]) == []


@pytest.mark.parametrize("make", MAKES)
def test_an_engine_that_was_restored_goes_on_as_if_uninterrupted(make: Make) -> None:
    model, outcomes = whole(make)
    first, stops = make(), [0, AT - 3, AT + 3, AT + 6, AT + 8, AT + 9, AT + 40]
    for previous, at in pairwise(stops):
        feed(first, views()[previous:at])
        second = make()
        second.restore({name: array.copy() for name, array in first.snapshot().items()})
        assert differing(first, second) == []
        assert feed(second, views()[at:]) == outcomes[at:]
        assert differing(second, model) == []


@pytest.mark.parametrize("make", MAKES)
def test_predicting_leaves_no_trace_in_what_is_watched(make: Make) -> None:
    model, outcomes = whole(make)
    asked = make()
    feed(asked, views()[: AT - 10])
    for at in range(AT - 10, AT + 60):
        before = state(asked) if at % 10 == 0 else None
        for user_id in (views()[at].user_id, "never seen"):
            content(asked, user_id)
            asked.explain(user_id, LATER)
        assert before is None or state(asked) == before
        assert feed(asked, [views()[at]]) == [outcomes[at]]
    feed(asked, views()[AT + 60 :])
    assert differing(asked, model) == []


def test_what_is_learned_under_drift_does_not_depend_on_the_protocol() -> None:
    served = described(replace(CONFIG, protocol="served"))
    feed(served, views())
    assert differing(served, whole(drifting)[0]) == ["users.group_list", "users.pending"]


def suspects(engine: Engine) -> set[int]:
    return {*engine.quality.state.suspect.ravel().tolist()} - {-1}


def test_no_suspicion_is_left_in_the_row_of_someone_who_was_evicted() -> None:
    engine, n_gone = drifting_of_few(), 0
    for begin in range(0, 4_000, 20):
        rows = {user: engine.users.row(user) for user in engine.users._rows}
        before = {user for user, row in rows.items() if row in suspects(engine)}
        feed(engine, views()[begin : begin + 20])
        used = {*engine.users.in_use().tolist()}
        assert suspects(engine) <= used
        n_gone += sum(engine.users.row(user) < 0 for user in before)
    assert n_gone > 20


def test_no_suspicion_is_left_of_someone_who_was_forgotten() -> None:
    engine = drifting()
    feed(engine, views()[:4_000])
    row = max(suspects(engine))
    evidence = engine.quality.state.evidence.copy()
    engine.forget(engine.users.name(row))
    assert row not in suspects(engine)
    assert suspects(engine)
    assert (engine.quality.state.evidence == evidence).all()


def test_labels_count_as_they_come_however_views_are_batched() -> None:
    numbered = [
        view._replace(device=f"device {n // 3}", source=None if n % 2 else f"source {n}")
        for n, view in enumerate(views()[:120])
    ]
    one, other = drifting(), drifting()
    assert feed(one, numbered) == feed(other, numbered, range(1, 120))
    assert differing(one, other) == []
    assert [one.quality.devices.name(row) for row in range(16)] == [
        f"device {n}" for n in range(16)
    ]
    assert len(one.quality.sources) == 16


def test_detectors_that_are_off_see_nothing() -> None:
    engine = Engine(replace(CONFIG, watches=False))
    empty = engine.quality.snapshot()
    feed(engine, views()[:2_000])
    after = engine.quality.snapshot()
    assert all(np.array_equal(array, after[name]) for name, array in empty.items())
