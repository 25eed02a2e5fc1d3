"""Batches of a log through the pipelines of their partitions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from shutil import rmtree

import pytest

from streams.decoding import JsonDecoder
from streams.errors import SnapshotError
from streams.events import Content
from streams.local_store import LocalStore
from streams.logs import LogOptions, Position, RecordBatch, read_log
from streams.pipeline import Emission, Wanted
from streams.replay import Replay
from streams.reporting import Report
from streams.settings import EngineSettings, ReplaySettings, Settings
from streams.timebounds import Window, parse_time_bound
from tests.replays import simulated, write_lines

EVERYTHING = Wanted(Emission.EVERY, is_traced=True)
IN_THREE = Settings(replay=ReplaySettings(partitions=3))


def batches(path: Path, lines: list[bytes], size: int = 100) -> Iterator[RecordBatch]:
    return read_log([str(write_lines(path, lines))], options=LogOptions(batch_size=size))


def batch(*lines: bytes, first: int = 1) -> RecordBatch:
    numbers = list(range(first, first + len(lines)))
    return RecordBatch(None, numbers, list(lines), JsonDecoder(), Position(0, numbers[-1] + 1))


def view(user: int, title: int, time: object, **more: object) -> bytes:
    extra = "".join(f', "{name}": {value}' for name, value in more.items())
    return f'{{"user_id":{user},"content_id":{title},"timestamp":{time}{extra}}}'.encode()


def test_a_batch_is_reported_in_the_order_of_the_log_over_partitions() -> None:
    lines = simulated()[0][:300]
    mixed = [line for n, good in enumerate(lines) for line in ([good, b"?"] if n % 9 else [good])]
    report = Replay(IN_THREE, EVERYTHING).process(batch(*mixed))
    assert report.n_records == len(mixed)
    for places in (
        [line.line for line in report.traces],
        [record.based_on.line or 0 for record in report.recommendations],
        [letter.line for letter in report.dead_letters],
    ):
        assert all(here < after for here, after in pairwise(places))
    assert len(report.traces) + len(report.dead_letters) == len(mixed)


def test_only_what_is_wanted_is_reported() -> None:
    report = Replay(Settings(), Wanted()).process(batch(*simulated()[0][:9], b"?"))
    assert (report.traces, report.recommendations) == ([], [])
    assert len(report.dead_letters) == 1


@pytest.mark.parametrize("settings", [Settings(), IN_THREE], ids=["one", "three"])
def test_a_batch_of_refused_records_only_is_harmless(settings: Settings) -> None:
    replay = Replay(settings, EVERYTHING)
    report = replay.process(batch(b"?", b"{}"))
    assert [letter.reason for letter in report.dead_letters] == ["decode", "schema"]
    assert replay.summary()["events"] == 0
    assert replay.summary()["quality"]["decode"] == 1
    assert replay.summary()["recall@10"] is None


def test_it_knows_how_far_it_is() -> None:
    replay = Replay(Settings(), Wanted())
    replay.process(batch(view(1, 2, 1_641_038_400), b"?", view(2, 2, 1_641_038_500)))
    assert (replay.n_records, replay.position) == (3, Position(0, 4))
    assert replay.latest == 1_641_038_500.0


def test_an_impossible_time_is_not_how_far_it_is() -> None:
    replay = Replay(Settings(), Wanted())
    replay.process(batch(view(1, 2, 1_641_038_400), view(1, 3, 9_000_000_000)))
    assert replay.latest == 1_641_038_400.0


def test_a_window_leaves_events_out_before_anything_sees_them() -> None:
    window = Window(parse_time_bound("+10s"), parse_time_bound("+20s"))
    replay = Replay(Settings(), EVERYTHING, window)
    times = (0, 9, 10, 15, 20, 25, 12)
    lines = [view(n, 1, 1_641_038_400 + time) for n, time in enumerate(times)]
    report = replay.process(batch(*lines, b"?"))
    assert [trace.line for trace in report.traces] == [3, 4, 7]
    assert [letter.line for letter in report.dead_letters] == [8]
    assert (replay.n_records, replay.counts()["accepted"]) == (8, 3)


def test_titles_are_counted_once_over_partitions() -> None:
    lines = simulated()[0][:600]
    one, three = Replay(Settings(), Wanted()), Replay(IN_THREE, Wanted())
    for replay in (one, three):
        replay.process(batch(*lines))
    n_titles = len({line.split(b'"content_id":"')[1].split(b'"')[0] for line in lines})
    assert one.summary()["titles_listed"] <= n_titles
    assert three.summary()["titles_listed"] <= n_titles


def test_the_catalogue_reaches_every_partition() -> None:
    replay = Replay(IN_THREE, EVERYTHING)
    replay.take_content(iter([Content("t1", title="One")]))
    names = [pipeline.recommender.title_of("t1") for pipeline in replay.pipelines]
    assert names == ["One"] * 3


@pytest.mark.parametrize("settings", [Settings(), IN_THREE], ids=["one", "three"])
def test_a_restored_replay_continues_as_the_one_that_saved(
    tmp_path: Path, settings: Settings
) -> None:
    lines = simulated()[0][:500]
    replay = Replay(settings, EVERYTHING)
    reports: list[Report] = []
    for read in batches(tmp_path / "log.jsonl", lines):
        reports.append(replay.process(read))
        if replay.n_records == 300:
            replay.write_snapshots(LocalStore(tmp_path / "saved"))
    resumed = Replay(settings, EVERYTHING)
    assert resumed.restore(LocalStore(tmp_path / "saved")) == []
    assert (resumed.n_records, resumed.position) == (300, Position(0, 301))
    log = [str(tmp_path / "log.jsonl")]
    again = read_log(log, options=LogOptions(batch_size=100), start=resumed.position)
    assert [resumed.process(read) for read in again] == reports[3:]
    assert resumed.summary() == replay.summary()
    assert resumed.latest == replay.latest


def test_a_part_that_was_not_written_any_more_is_as_good_as_none(tmp_path: Path) -> None:
    """A crash between the parts of a run leaves them at different records."""
    replay = Replay(IN_THREE, Wanted())
    replay.process(batch(*simulated()[0][:100]))
    replay.write_snapshots(LocalStore(tmp_path))
    replay.process(batch(*simulated()[0][100:200], first=101))
    newest = replay.write_snapshots(LocalStore(tmp_path))
    rmtree(str(newest))
    resumed = Replay(IN_THREE, Wanted())
    resumed.restore(LocalStore(tmp_path))
    assert resumed.n_records == 100


def test_other_settings_are_refused_and_other_batches_are_not(tmp_path: Path) -> None:
    replay = Replay(Settings(), Wanted())
    replay.process(batch(*simulated()[0][:50]))
    replay.write_snapshots(LocalStore(tmp_path))
    Replay(Settings(replay=ReplaySettings(batch_size=1)), Wanted()).restore(LocalStore(tmp_path))
    other = Replay(Settings(engine=EngineSettings(step_every=4)), Wanted())
    with pytest.raises(SnapshotError, match=r"engine\.step_every was 8 and is 4"):
        other.restore(LocalStore(tmp_path))
