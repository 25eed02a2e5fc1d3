"""Episodes read back from files, and held against a truth file."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from streams.drift_files import Story, read_stories
from streams.drift_matching import matching
from streams.drift_records import DriftRecord
from streams.errors import InputError
from streams.jsonlines import LineWriter
from tests.drifting import change, drift_record


def written(path: Path, *records: DriftRecord) -> str:
    with LineWriter(str(path)) as writer:
        writer.write(records)
    return str(path)


def story(episode: str, line: int | None, **given: object) -> Story:
    return Story(drift_record(episode, "opened", line=line, **given), line)


@pytest.mark.parametrize("name", ["drift.jsonl", "drift.jsonl.gz", "drift.jsonl.zst"])
def test_the_newest_record_of_an_episode_counts_and_the_line_of_its_first(
    tmp_path: Path, name: str
) -> None:
    records = [
        drift_record("0-1", "opened", line=120),
        drift_record("1-1", "opened", line=130),
        drift_record("0-1", "closed", line=900, ended=1_641_060_000.0),
    ]
    one, other = read_stories([written(tmp_path / name, *records)])
    assert (one.record, one.line) == (records[2], 120)
    assert (other.record, other.line) == (records[1], 130)


def test_parts_of_one_run_are_one(tmp_path: Path) -> None:
    parts = [
        written(tmp_path / "1.jsonl", drift_record("0-1", "opened", line=120)),
        written(tmp_path / "2.jsonl", drift_record("0-1", "updated", line=300)),
    ]
    assert [(s.record.state, s.line) for s in read_stories(parts)] == [("updated", 120)]
    assert [s.line for s in read_stories(parts[1:])] == [300]


def test_what_tail_prints_is_read_as_well(tmp_path: Path) -> None:
    record = drift_record(line=None, topic="views", partition=0, offset=7)
    told = {"topic": "drift", "key": "0-1", "value": msgspec.to_builtins(record)}
    path = tmp_path / "tailed.jsonl"
    path.write_bytes(json.dumps(told).encode() + b"\n\n")
    assert read_stories([str(path)]) == [Story(record, None)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"nonsense", "line 2: no drift record: "),
        (b"\xff", "line 2: no drift record: "),
        (b"[" * 10_000, "line 2: no drift record: "),
        (b'{"topic": "views"}', "line 2: no drift record: "),
        (b'{"episode": "0-2"}', "line 2: no drift record: Object missing required field `state`"),
        (
            msgspec.json.encode(drift_record("0-1", "opened")),
            "line 2: episode 0-1 opens a second time; give the files of one run, in order",
        ),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, sentence: str) -> None:
    path = tmp_path / "drift.jsonl"
    path.write_bytes(msgspec.json.encode(drift_record()) + b"\n" + line + b"\n")
    with pytest.raises(InputError) as refused:
        read_stories([str(path)])
    assert str(refused.value).startswith(f"{path}, {sentence}")


def test_an_episode_that_goes_on_after_its_end_is_refused(tmp_path: Path) -> None:
    path = written(
        tmp_path / "d.jsonl", drift_record(state="closed"), drift_record(state="updated")
    )
    with pytest.raises(InputError, match="line 2: episode 0-1 is updated after it was closed"):
        read_stories([path])


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_stories([str(tmp_path / "gone.jsonl")])


def test_episodes_are_matched_with_planted_changes_by_their_lines() -> None:
    planted = [change(1_000), change(4_000, kind="unit", end_event_time=5e3, end_line=5_000)]
    stories = [story("0-1", 500), story("0-2", 1_080), story("0-3", 4_900), story("0-4", 4_950)]
    found = matching(stories, planted, horizon=1_000)
    assert [match and (match["kind"], match["delay"]) for match in found.matches] == [
        None,
        ("taste", 80),
        ("unit", 900),
        ("unit", 950),
    ]
    assert [match and match["is_first"] for match in found.matches] == [None, True, True, False]
    assert found.missed == []
    assert found.scores == {
        "changes": 2,
        "detected": 2,
        "episodes": 4,
        "false": 1,
        "median_delay": 490,
    }


def test_partitions_open_episodes_out_of_order_of_their_lines() -> None:
    found = matching([story("0-1", 2_500), story("1-1", 1_200)], [change(1_000)], horizon=1_000)
    assert [match and match["delay"] for match in found.matches] == [None, 200]


def test_a_gradual_change_is_found_until_the_horizon_after_it_is_complete() -> None:
    planted = [change(1_000, shape="gradual", end_event_time=6e3)]
    late = story("0-1", 5_500, detected=5.5e3, onset=5e3)
    too_late = story("0-2", 9_000, detected=9e3, onset=8e3)
    found = matching([late, too_late], planted, horizon=1_000)
    assert [match is not None for match in found.matches] == [True, False]


def test_a_change_without_an_episode_is_missed() -> None:
    found = matching([], [change(1_000)])
    assert found.missed == [{"kind": "taste", "scope": "all", "begin_line": 1_000}]
    assert found.scores["median_delay"] is None


def test_episodes_of_a_topic_have_no_lines_to_match_by() -> None:
    with pytest.raises(InputError, match="episode 0-1 has no line of a log"):
        matching([story("0-1", None)], [change(1_000)])
