"""A plan carried out: what is read, written, saved and told, and how it stops."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from monitoring.watcher import Watcher
from streams.errors import InputError, SnapshotError
from streams.local_store import LocalStore
from streams.run import Plan, run
from streams.settings import ReplaySettings, Settings
from streams.snapshots import offsets
from streams.stop import Stop
from tests.replays import read_lines, simulated, write_lines

SMALL = Settings(replay=ReplaySettings(batch_size=100))


class Noting(Watcher):
    """An observer that notes what it is told and may ask the run to stop."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.told: list[tuple[float | None, int, float, float | None]] = []
        self.stop_after = stop_after

    def update(
        self,
        share: float | None,
        n_events: int,
        *,
        event_time: float,
        recall: float | None = None,
        recall_recent: float | None = None,
    ) -> None:
        assert recall == recall_recent  # fewer events than "recent" looks at
        self.told.append((share, n_events, event_time, recall))
        if len(self.told) == self.stop_after:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def log(tmp_path: Path) -> str:
    return str(write_lines(tmp_path / "log.jsonl", simulated()[0][:1000]))


def test_the_observer_is_told_after_every_batch(log: str) -> None:
    watcher = Noting()
    result = run(Plan(logs=(log,), settings=SMALL), watcher)
    assert [n for _, n, _, _ in watcher.told] == list(range(100, 1001, 100))
    assert watcher.told[-1][0] == 1.0
    assert watcher.told[-1][3] == result.summary["recall@10"]
    times = [time for _, _, time, _ in watcher.told]
    assert times == sorted(times)


def test_a_request_to_stop_ends_the_run_behind_the_batch_in_hand(tmp_path: Path, log: str) -> None:
    handler = signal.getsignal(signal.SIGINT)
    trace, saved = tmp_path / "trace", tmp_path / "saved"
    plan = Plan(logs=(log,), settings=SMALL, trace=str(trace), snapshot_to=str(saved))
    result = run(plan, Noting(stop_after=3))
    assert result.is_interrupted
    assert result.summary["records"] == len(read_lines(trace)) == 300
    assert offsets(LocalStore(saved / "replay")) == [300]
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_second_request_does_not_wait() -> None:
    stop = Stop()
    with stop.on_signals():
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)


def test_snapshots_are_due_when_a_multiple_was_passed(tmp_path: Path, log: str) -> None:
    saved = tmp_path / "saved"
    plan = Plan(logs=(log,), settings=SMALL, snapshot_to=str(saved), snapshot_every=250, limit=850)
    result = run(plan)
    assert offsets(LocalStore(saved / "replay")) == [500, 800, 850]
    assert result.files == {"snapshots": str(saved)}


def test_the_speed_is_that_of_this_run(tmp_path: Path, log: str) -> None:
    saved = str(tmp_path / "saved")
    run(Plan(logs=(log,), settings=SMALL, snapshot_to=saved))
    again = run(Plan(logs=(log,), settings=SMALL, resume=saved))
    assert again.summary["records"] == 1000
    assert again.summary["events_per_s"] == 0.0
    assert again.notes == ["resumed after record 1000"]
    assert not again.is_interrupted


def test_files_are_named_by_what_they_hold(tmp_path: Path, log: str) -> None:
    plan = Plan(
        logs=(log,),
        settings=SMALL,
        output=str(tmp_path / "o"),
        trace=str(tmp_path / "t"),
        dead_letters=str(tmp_path / "d"),
        series=str(tmp_path / "s"),
    )
    names = ("recommendations", "trace", "dead letters", "quality by window")
    assert run(plan).files == dict(
        zip(names, (plan.output, plan.trace, plan.dead_letters, plan.series), strict=True)
    )


def test_what_cannot_work_is_refused_before_anything_is_written(tmp_path: Path, log: str) -> None:
    older = tmp_path / "trace"
    older.write_text("precious")
    plans = [
        (InputError, Plan(logs=(f"{log}x",), settings=SMALL, trace=str(older))),
        (InputError, Plan(logs=(f"{log}x",), settings=SMALL, trace=str(older), is_sorted=True)),
        (InputError, Plan(logs=(log,), settings=SMALL, trace=str(older), snapshot_every=5)),
        (InputError, Plan(logs=(log,), settings=SMALL, trace=str(older), output="missing/x")),
        (InputError, Plan(logs=(log,), settings=SMALL, trace=str(older), content="missing")),
        (SnapshotError, Plan(logs=(log,), settings=SMALL, trace=str(older), resume="missing")),
        (SnapshotError, Plan(logs=(log,), settings=SMALL, trace=str(older), snapshot_to=log)),
    ]
    for error, plan in plans:
        with pytest.raises(error):
            run(plan)
        assert older.read_text() == "precious"


def test_what_is_read_is_never_written_over(tmp_path: Path, log: str) -> None:
    link = tmp_path / "link.jsonl"
    link.symlink_to(log)
    for path in (log, str(link)):
        with pytest.raises(InputError, match="is read; it cannot be written as well"):
            run(Plan(logs=(log,), settings=SMALL, output=path))
        with pytest.raises(InputError, match="is read; it cannot be written as well"):
            run(Plan(logs=(str(tmp_path),), settings=SMALL, series=path))
