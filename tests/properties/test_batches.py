"""Batches are invisible: any cut of the same events gives the same lists, records and state."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.arrivals import Arrival
from streams.pipeline import Emission, Pipeline, Wanted
from streams.settings import EngineSettings, Settings
from tests.replays import arrivals, simulated, tied

EVERYTHING = Wanted(Emission.EVERY, is_traced=True)
N_EVENTS = 200
KINDS = {
    "fresh": EngineSettings(),
    "served": EngineSettings(protocol="served"),
    "full tables": EngineSettings(max_users=16, max_titles=32, n_neighbors=8),
    "a step every event": EngineSettings(step_every=1),
    "positive views": EngineSettings(positive="rating >= 6"),
}


def log() -> list[Arrival]:
    """Return a log with ties, a duplicate, and records that are refused."""
    lines = simulated()[0]
    mixed = [*lines[:60], *tied(lines[60:120], 86_400), b"?", lines[119], *lines[120:198]]
    return arrivals(mixed)


def handled(kind: str, cuts: list[int]) -> tuple[list[bytes], dict[str, np.ndarray]]:
    """Process the log in the batches between the cuts; return what came of it and the state."""
    pipeline, records = Pipeline(Settings(engine=KINDS[kind])), log()
    found = []
    for begin, end in pairwise([0, *cuts, len(records)]):
        got = pipeline.process(records[begin:end], EVERYTHING)
        found += [msgspec.json.encode((begin + at, trace)) for at, trace in got.traces]
        found += [msgspec.json.encode((begin + at, record)) for at, record in got.recommendations]
        found += [msgspec.json.encode((begin + at, r.reason, r.error)) for at, r in got.refused]
    return sorted(found), pipeline.snapshot()


@pytest.fixture(scope="module", params=KINDS)
def whole(request: pytest.FixtureRequest) -> tuple[str, list[bytes], dict[str, np.ndarray]]:
    return (request.param, *handled(request.param, []))


@given(cuts=st.lists(st.integers(0, N_EVENTS), max_size=12).map(sorted))
@settings(max_examples=12)
def test_any_cut_gives_the_same(
    whole: tuple[str, list[bytes], dict[str, np.ndarray]], cuts: list[int]
) -> None:
    kind, expected, state = whole
    found, after = handled(kind, cuts)
    assert found == expected
    assert_same_state(after, state)


def test_one_event_at_a_time_gives_the_same(
    whole: tuple[str, list[bytes], dict[str, np.ndarray]],
) -> None:
    kind, expected, state = whole
    found, after = handled(kind, list(range(1, N_EVENTS)))
    assert found == expected
    assert_same_state(after, state)


def assert_same_state(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert np.array_equal(array, right[name], equal_nan=array.dtype.kind == "f"), name
