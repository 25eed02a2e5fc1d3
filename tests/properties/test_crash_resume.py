"""A crash at any event and a restored snapshot make the run that never crashed."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.local_store import LocalStore
from streams.logs import LogOptions, read_log
from streams.pipeline import Emission, Handled, Pipeline, Wanted
from streams.replay import Replay
from streams.settings import EngineSettings, ReplaySettings, Settings
from tests.replays import arrivals, simulated, tied, write_lines

EVERYTHING = Wanted(Emission.EVERY, is_traced=True)
N_EVENTS = 240
KINDS = {
    "fresh": Settings(),
    "served": Settings(engine=EngineSettings(protocol="served")),
    "full tables": Settings(engine=EngineSettings(max_users=16, max_titles=32, n_neighbors=8)),
    "partitions": Settings(replay=ReplaySettings(partitions=3)),
}


def log() -> list[bytes]:
    lines = simulated()[0]
    return [*lines[:100], *tied(lines[100:N_EVENTS], 86_400)]


def written(handled: Handled, n_before: int = 0) -> list[bytes]:
    return [
        msgspec.json.encode((n_before + at, record))
        for at, record in (*handled.traces, *handled.recommendations)
    ]


@pytest.mark.parametrize("kind", ["fresh", "served", "full tables"])
@given(crash=st.integers(0, N_EVENTS), lost=st.integers(0, 40))
@settings(max_examples=12)
def test_a_pipeline_restored_at_any_event_goes_on_as_if_nothing_was(
    kind: str, crash: int, lost: int
) -> None:
    """What was processed after the snapshot is lost, and is processed again."""
    records = arrivals(log())
    uninterrupted = Pipeline(KINDS[kind])
    uninterrupted.process(records[:crash], Wanted())
    taken = uninterrupted.snapshot()
    expected = written(uninterrupted.process(records[crash:], EVERYTHING), crash)

    crashed = Pipeline(KINDS[kind])
    crashed.process(records[: crash + lost], Wanted())
    crashed.restore(taken)
    assert written(crashed.process(records[crash:], EVERYTHING), crash) == expected

    fresh = Pipeline(KINDS[kind])
    fresh.restore(taken)
    assert written(fresh.process(records[crash:], EVERYTHING), crash) == expected
    assert fresh.counts == uninterrupted.counts


def replayed(
    replay: Replay, path: Path, size: int, stop: int, folder: LocalStore | None = None
) -> list[bytes]:
    """Go on with a replay, saving after each batch, until so many records are read."""
    options = LogOptions(batch_size=size)
    found = []
    for batch in read_log([str(path)], options=options, start=replay.position):
        report = replay.process(batch)
        found += [msgspec.json.encode(line) for line in (*report.traces, *report.recommendations)]
        if folder is not None:
            replay.write_snapshots(folder)
        if replay.n_records >= stop:
            break
    return sorted(found)


@pytest.mark.parametrize("kind", ["fresh", "partitions"])
@given(crash=st.integers(1, N_EVENTS), sizes=st.tuples(st.integers(20, 99), st.integers(1, 99)))
@settings(max_examples=6)
def test_a_replay_resumed_from_disk_goes_on_as_if_nothing_was(
    kind: str, crash: int, sizes: tuple[int, int]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = write_lines(folder / "log.jsonl", log())
        uninterrupted = Replay(KINDS[kind], EVERYTHING)
        expected = replayed(uninterrupted, path, 2048, N_EVENTS)

        saved = LocalStore(folder / "saved")
        first = replayed(Replay(KINDS[kind], EVERYTHING), path, sizes[0], crash, saved)
        second = Replay(KINDS[kind], EVERYTHING)
        assert second.restore(saved) == []
        rest = replayed(second, path, sizes[1], N_EVENTS)
        assert sorted(first + rest) == expected
        assert second.summary() == uninterrupted.summary()
