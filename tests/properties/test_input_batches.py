"""What inputs show, and what is done about it, does not depend on where batches end."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.alarms import Reaction
from streams.arrivals import Arrival, Forget
from streams.errors import RejectedEvent
from streams.pipeline import Handled, Pipeline, Wanted
from streams.settings import Settings
from tests.streams.planted_faults import (
    arrivals_of,
    on,
    planted,
    skewed,
    steady_views,
    with_factor,
)

N = 9_000
UNIT, CLOCK, BOTS = (3_600, 5_000), (5_300, 6_600), (6_700, 8_900)


@cache
def log() -> list[Arrival]:
    """Return a log with faults of units, clocks and users, refused records, a forgotten user."""
    views = planted(steady_views(N, seed=6), with_factor(1 / 60), *UNIT)
    views = planted(views, on("tv", skewed(-4)), *CLOCK)
    records = arrivals_of(views)
    for at in range(*BOTS, 3):
        view = views[at]
        records[at] = (
            records[at - 1]
            if at % 12 == 0
            else records[at]._replace(
                view=type(view)(f"bot{at // 3 % 3}", view.content_id, view.event_time)
            )
        )
    for at in range(100, N, 997):
        records[at] = records[at]._replace(view=RejectedEvent("schema", "no user_id"))
    records[BOTS[1] - 200] = records[BOTS[1] - 200]._replace(view=Forget("bot1"))
    return records


def checked(
    cuts: list[int], *, restarts: bool = False
) -> tuple[list[tuple[object, ...]], dict[str, np.ndarray]]:
    """Send the log through the gate in batches; return what came of it, and the state."""
    made, records, came = Pipeline(Settings()), log(), []
    for begin, end in pairwise([0, *cuts, len(records)]):
        handled = Handled()
        runs = made._check(records[begin:end], handled, Wanted())
        came += [(begin + at, *notice) for at, notice in handled.noticed]
        came += [(begin + at, refused.reason) for at, refused in handled.refused]
        came += [
            (begin + at, view.time, view.strength)
            for run in runs
            for at, view in zip(run.at, run.learnable, strict=True)
        ]
        if restarts:
            arrays = {**made.gate.snapshot()}, {**made.guard.snapshot()}
            made = Pipeline(Settings())
            made.gate.restore(arrays[0])
            made.guard.restore(arrays[1])
    return sorted(came, key=repr), {**made.gate.snapshot(), **made.guard.snapshot()}


@pytest.fixture(scope="module")
def whole() -> tuple[list[tuple[object, ...]], dict[str, np.ndarray]]:
    return checked([])


def test_the_log_has_what_could_depend_on_batches(whole) -> None:
    handled = Handled()
    Pipeline(Settings())._check(log(), handled, Wanted())
    done = {(n.name, n.is_on) for _, n in handled.noticed if isinstance(n, Reaction)}
    assert {name for name, is_on in done if is_on} >= {
        "view_time_imputed",
        "clock_replaced",
        "busiest_users_not_learned",
    }
    assert ("view_time_imputed", False) in done
    assert any(row[2] == 0.0 for row in whole[0] if len(row) == 3)


@given(cuts=st.lists(st.integers(0, N), max_size=12).map(sorted))
@settings(max_examples=10, deadline=None)
def test_any_cut_gives_the_same(whole, cuts: list[int]) -> None:
    assert_same(checked(cuts), whole)


@given(cuts=st.lists(st.integers(0, N), max_size=6).map(sorted))
@settings(max_examples=6, deadline=None)
def test_a_restart_at_any_record_gives_the_same(whole, cuts: list[int]) -> None:
    assert_same(checked(cuts, restarts=True), whole)


def assert_same(found, expected) -> None:
    assert found[0] == expected[0]
    assert found[1].keys() == expected[1].keys()
    for name, array in found[1].items():
        assert np.array_equal(array, expected[1][name], equal_nan=array.dtype.kind == "f"), name
