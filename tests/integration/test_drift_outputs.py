"""Drift from a log to the file, the summary and the listing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import msgspec
import pytest

from streams.truth import encode_truth
from tests.drifting import change, drift_record, lacking, permuted
from tests.replays import driftline, read_lines, refusal, replay, result_of, simulated, write_lines

BEGIN, N_EVENTS = 3_600, 6_000
SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "drift.json"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Give a log in which taste and then an input change, and its catalogue, as arguments."""
    folder = tmp_path_factory.mktemp("drifting")
    events, titles = simulated(N_EVENTS)
    events = lacking(permuted(events, BEGIN), "view_time", 4_500, 5_700)
    content = write_lines(folder / "content.jsonl", titles)
    return [str(write_lines(folder / "events.jsonl", events)), "--content", str(content)]


def told(path: Path) -> list[dict[str, Any]]:
    return read_lines(path)


def test_every_record_fits_the_schema_and_stands_in_the_order_of_the_log(
    tmp_path: Path, log: list[str]
) -> None:
    drift = tmp_path / "drift.jsonl"
    replay(*log, "--drift", drift, "--partitions", 2)
    check = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    records = told(drift)
    for record in records:
        check.validate(record)
    assert {record["episode"][0] for record in records} == {"0", "1"}
    assert [r["line"] for r in records] == sorted(r["line"] for r in records)
    assert all(record["line"] > BEGIN for record in records)


def test_the_file_does_not_depend_on_batches(tmp_path: Path, log: list[str]) -> None:
    files = []
    for size in (6_000, 97):
        files.append(tmp_path / f"{size}.jsonl")
        batches = ("--set", f"replay.batch_size={size}")
        result = driftline(*batches, "replay", "--quiet", *log, "--drift", files[-1])
        assert result.exit_code == 0, result.output
    assert files[0].read_bytes() == files[1].read_bytes() != b""


@pytest.mark.parametrize("limit", [3_700, 4_800, 5_900])
def test_a_resumed_run_writes_the_rest_and_sums_up_the_whole(
    tmp_path: Path, log: list[str], limit: int
) -> None:
    whole = replay(*log, "--drift", tmp_path / "whole.jsonl")
    saved = tmp_path / "saved"
    first, rest = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    replay(*log, "--drift", first, "--limit", limit, "--snapshot-to", saved)
    resumed = replay(log[0], "--drift", rest, "--resume", saved)
    assert told(first) + told(rest) == told(tmp_path / "whole.jsonl")
    assert told(first)
    assert result_of(resumed) == result_of(whole)


def test_the_summary_counts_episodes_and_can_be_asserted(log: list[str]) -> None:
    summary = replay(*log, "--assert", "drift.episodes>=1")["drift"]
    assert summary["episodes"] == len(summary["latest"])
    assert summary["episodes"] == sum(summary[k] for k in ("concept", "data", "input_fault"))
    assert summary["open"] == sum(e["state"] != "closed" for e in summary["latest"])
    shown = driftline("replay", "--quiet", *log).output
    assert f"Drift: {summary['episodes']} episode" in shown


def test_without_detection_there_is_nothing_to_write(tmp_path: Path, log: list[str]) -> None:
    off = ("--set", "drift.detect=false", "replay", "--quiet")
    drift = tmp_path / "drift.jsonl"
    assert refusal(*off, *log, "--drift", drift) == (
        f"{drift}: nothing to write: drift.detect is off"
    )
    result = driftline(*off, *log)
    assert result.exit_code == 0
    assert "Drift" not in result.output
    result = driftline(*off, "--json", *log)
    assert json.loads(result.stdout)["drift"] is None


def test_the_listing_holds_episodes_against_truth(tmp_path: Path, log: list[str]) -> None:
    drift, truth = tmp_path / "drift.jsonl", tmp_path / "truth.jsonl"
    replay(*log, "--drift", drift)
    truth.write_bytes(encode_truth([change(BEGIN + 1, end_line=N_EVENTS)]))
    result = driftline("drift", drift, "--truth", truth, "--json")
    found = json.loads(result.stdout)
    opened = told(drift)[0]["line"]
    assert found["episodes"][0]["match"]["delay"] == opened - BEGIN - 1
    assert found["scores"]["detected"] == 1
    shown = driftline("drift", drift, "--truth", truth).output
    assert f"{opened:,}" in shown
    assert "1 of 1 planted changes found" in shown


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "drift.jsonl", [b"", b"nonsense"])
    assert refusal("drift", path).startswith(f"{path}, line 2: no drift record: ")


def test_a_picture_is_drawn_of_episodes_quality_and_truth(tmp_path: Path, log: list[str]) -> None:
    drift, series, truth = (tmp_path / name for name in ("d.jsonl", "s.csv", "t.jsonl"))
    replay(*log, "--drift", drift, "--series", series)
    truth.write_bytes(encode_truth([change(BEGIN + 1, begin_event_time=told(drift)[0]["onset"])]))
    for by in ("time", "events"):
        picture = tmp_path / f"{by}.svg"
        drawn = driftline(
            *("drift", drift, "--picture", picture, "--series", series),
            *("--truth", truth, "--by", by),
        )
        assert drawn.exit_code == 0, drawn.output
        assert drawn.stdout == f"{picture}\n"
        text = picture.read_text(encoding="utf-8")
        assert all(f"<!-- {words} -->" in text for words in ("driftline", "taste, all", "episodes"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--picture", "p.gif"], "p.gif: a picture is a .png or an .svg"),
        (["--picture", "p.svg", "--by", "events"], "--by events needs a --series"),
        (["--by", "events"], "--series and --by are for a --picture"),
        (["--picture", "nowhere/p.svg"], "nowhere/p.svg: cannot write: No such file or directory"),
        (["--picture", "p.svg", "--series", "gone.csv"], "gone.csv: no such file or directory"),
    ],
)
def test_a_picture_that_cannot_be_drawn_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    drift = write_lines(tmp_path / "drift.jsonl", [msgspec.json.encode(drift_record())])
    assert refusal("drift", drift, *words).startswith(sentence)
