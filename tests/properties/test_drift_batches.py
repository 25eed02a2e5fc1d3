"""Drift records never depend on where a batch or a process ended."""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.arrivals import Arrival
from streams.decoding import JsonDecoder
from streams.drift_records import DriftRecord
from streams.pipeline import Pipeline, Wanted
from streams.settings import Settings
from tests.drifting import lacking, permuted
from tests.replays import arrivals, simulated

N_BEFORE, N_EVENTS = 1_600, 3_000
Told = list[tuple[int, DriftRecord]]
Arrays = dict[str, NDArray[np.generic]]


@cache
def log() -> list[Arrival]:
    lines = [line.rstrip() for line in permuted(simulated()[0], 1_800)]
    lines = lacking(lines, "view_time", 2_300, 2_800)
    # What is refused counts as a record of the partition too.
    lines[2_000:2_900:9] = [b"nonsense"] * 100
    return arrivals(lines)


@cache
def before() -> Arrays:
    """Give the state before anything drifts."""
    pipeline = Pipeline(Settings())
    decoder = JsonDecoder()
    titles = [decoder.decode_content(line.rstrip()) for line in simulated()[1]]
    pipeline.take_rows({title.content_id: title for title in titles})
    assert pipeline.process(log()[:N_BEFORE], Wanted()).drift == []
    return pipeline.snapshot()


def restored(arrays: Arrays) -> Pipeline:
    pipeline = Pipeline(Settings())
    pipeline.restore(arrays)
    return pipeline


def told(pipeline: Pipeline, begin: int, end: int) -> Told:
    handled = pipeline.process(log()[begin:end], Wanted())
    return [(begin + at, record) for at, record in handled.drift]


@cache
def uninterrupted() -> tuple[Told, Arrays]:
    pipeline = restored(before())
    return told(pipeline, N_BEFORE, N_EVENTS), pipeline.snapshot()


def assert_same(found: Arrays, expected: Arrays) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name].tobytes() != expected[name].tobytes()] == []


def test_the_log_has_something_to_tell() -> None:
    kinds = [(record.state, record.kind) for _, record in uninterrupted()[0]]
    assert kinds[0] == ("opened", "concept")
    assert ("updated", "input_fault") in kinds


cuts = st.sets(st.integers(N_BEFORE, N_EVENTS), max_size=6).map(sorted)


@settings(max_examples=12)
@given(cuts=cuts)
def test_it_is_the_same_however_the_records_are_cut(cuts: list[int]) -> None:
    pipeline, found, begin = restored(before()), [], N_BEFORE
    for end in [*cuts, N_EVENTS]:
        found += told(pipeline, begin, end)
        begin = end
    records, state = uninterrupted()
    assert found == records
    assert_same(pipeline.snapshot(), state)


@settings(max_examples=8)
@given(cuts=cuts, lost=st.integers(0, 60))
def test_a_restart_neither_alarms_again_nor_forgets_an_open_episode(
    cuts: list[int], lost: int
) -> None:
    """Each process goes on from the snapshot of the one before, which did some more in vain."""
    taken, found, begin = before(), [], N_BEFORE
    for end in [*cuts, N_EVENTS]:
        pipeline = restored(taken)
        found += told(pipeline, begin, end)
        taken = pipeline.snapshot()
        told(pipeline, end, min(end + lost, N_EVENTS))
        begin = end
    records, state = uninterrupted()
    assert found == records
    assert_same(taken, state)
