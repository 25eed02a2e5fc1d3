"""How a recorded log is read: batches, windows, order, columns, several files, settings."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Whole
from tests.replays import (
    HEADER,
    driftline,
    read_lines,
    replay,
    result_of,
    simulated,
    tied,
    without_line,
    write_lines,
)


@pytest.mark.parametrize("size", ["1", "7", "2048"])
@pytest.mark.parametrize("grain", [0, 3600], ids=["no ties", "ties"])
def test_results_do_not_depend_on_the_size_of_batches(
    tmp_path: Path, size: str, grain: int
) -> None:
    lines = simulated()[0][:1000]
    log = write_lines(tmp_path / "log.jsonl", tied(lines, grain) if grain else lines)
    found = []
    for n, batch_size in enumerate((size, "64")):
        paths = [tmp_path / f"{n}.{what}" for what in ("trace", "output")]
        flags = ("--trace", paths[0], "--output", paths[1])
        summary = replay(log, *flags, DRIFTLINE_REPLAY_BATCH_SIZE=batch_size)
        found.append((result_of(summary), *(path.read_bytes() for path in paths)))
    assert found[0] == found[1]


def test_the_same_log_gives_the_same_bytes(tmp_path: Path, whole: Whole) -> None:
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        replay(whole.log, "--content", whole.content, "--output", path, "--limit", 1000)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_catalogue_is_used(whole: Whole) -> None:
    without = replay(whole.log)
    assert without["quality"]["clipped_to_duration"] == 0
    assert without["recall@10"] != whole.summary["recall@10"]


def test_bad_records_of_the_catalogue_are_left_out_and_said(tmp_path: Path, whole: Whole) -> None:
    content = write_lines(tmp_path / "content.jsonl", [b"?", b'{"content_id": "t1"}'])
    result = driftline("replay", "--quiet", whole.log, "--content", content, "--limit", 10)
    assert result.exit_code == 0
    assert result.stderr.startswith(f"{content}: record 1: ")


@pytest.mark.parametrize("n", [0, 1, 1000, 2048, 5000])
def test_the_limit_counts_records(tmp_path: Path, whole: Whole, n: int) -> None:
    trace = tmp_path / "trace"
    flags = ("--content", whole.content, "--limit", n, "--trace", trace)
    assert replay(whole.log, *flags)["records"] == min(n, 3000)
    assert read_lines(trace) == whole.trace[:n]


@pytest.mark.parametrize(
    ("begin", "end", "bounds"),
    [
        ("2022-01-03", "", (1_641_168_000, None)),
        ("", "2022-01-05T06:00", (None, 1_641_362_400)),
        ("2022-01-03 12:00", "1641362400", (1_641_211_200, 1_641_362_400)),
        ("+2d", "+84h", (2 * 86_400, 84 * 3600)),
        ("+20d", "", (20 * 86_400, None)),
    ],
)
def test_a_window_of_time_is_half_open(
    tmp_path: Path, whole: Whole, begin: str, end: str, bounds: tuple[int | None, int | None]
) -> None:
    events = read_lines(whole.log)
    origin = events[0]["timestamp"] if begin.startswith("+") else 0.0
    earliest = origin + bounds[0] if bounds[0] is not None else 0.0
    latest = origin + bounds[1] if bounds[1] is not None else float("inf")
    inside = [n for n, e in enumerate(events, 1) if earliest <= e["timestamp"] < latest]
    flags = (*(("--from", begin) if begin else ()), *(("--to", end) if end else ()))
    trace = tmp_path / "trace"
    summary = replay(whole.log, *flags, "--trace", trace, DRIFTLINE_REPLAY_BATCH_SIZE="50")
    assert [line["line"] for line in read_lines(trace)] == inside
    assert summary["quality"]["accepted"] == len(inside)
    assert summary["records"] == len(events)


def test_events_outside_the_window_leave_no_mark(tmp_path: Path, whole: Whole) -> None:
    lines = whole.log.read_bytes().splitlines(keepends=True)
    inside = [x for x in lines if json.loads(x)["timestamp"] >= 1_641_168_000]
    log, traces = write_lines(tmp_path / "log.jsonl", inside), [tmp_path / "1", tmp_path / "2"]
    alone = replay(log, "--trace", traces[0])
    windowed = replay(whole.log, "--from", "2022-01-03", "--trace", traces[1])
    assert without_line(read_lines(traces[0])) == without_line(read_lines(traces[1]))
    assert {**result_of(alone), "records": 0} == {**result_of(windowed), "records": 0}


@pytest.mark.parametrize("batch_size", ["1", "2048"])
def test_an_impossible_time_neither_starts_the_log_nor_hides_in_a_window(
    tmp_path: Path, whole: Whole, batch_size: str
) -> None:
    broken = b'{"user_id": 1, "content_id": 2, "timestamp": 0}'
    lines = whole.log.read_bytes().splitlines()
    log = write_lines(tmp_path / "log.jsonl", [broken, *lines[:1000], broken])
    traces = [tmp_path / "1", tmp_path / "2"]
    spoilt = replay(
        log, "--from", "+1d", "--trace", traces[0], DRIFTLINE_REPLAY_BATCH_SIZE=batch_size
    )
    good = write_lines(tmp_path / "good.jsonl", lines[:1000])
    replay(good, "--from", "+1d", "--trace", traces[1], DRIFTLINE_REPLAY_BATCH_SIZE=batch_size)
    assert spoilt["quality"]["range"] == 2
    assert without_line(read_lines(traces[0])) == without_line(read_lines(traces[1]))


def test_a_log_out_of_order_is_sorted_or_late(tmp_path: Path, whole: Whole) -> None:
    lines = whole.log.read_bytes().splitlines()
    log, trace = tmp_path / "log.jsonl", tmp_path / "trace"
    write_lines(log, lines[2000:] + lines[:2000])
    content = ("--content", whole.content)
    assert replay(log, *content)["quality"]["late"] > 1500
    summary = replay(log, *content, "--sort", "--trace", trace)
    assert summary["quality"]["late"] == 0
    assert without_line(read_lines(trace)) == without_line(whole.trace)
    assert summary["recall@10"] == whole.summary["recall@10"]
    assert read_lines(trace)[0]["line"] == 1001


def test_columns_of_any_name_are_mapped(tmp_path: Path, whole: Whole) -> None:
    new = {"user_id": "uid", "content_id": "movie", "timestamp": "at"}
    renamed = [{new.get(k, k): v for k, v in e.items()} for e in read_lines(whole.log)]
    log = write_lines(tmp_path / "log.jsonl", [json.dumps(e).encode() for e in renamed])
    flags = [part for field, name in new.items() for part in ("--map", f"{field}={name}")]
    trace = tmp_path / "trace"
    replay(log, *flags, "--content", whole.content, "--trace", trace)
    assert read_lines(trace) == whole.trace


def as_csv(events: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    names = ("user_id", "content_id", "view_time", "rating", "timestamp")
    rows = [[str(event.get(name, "")) for name in names] for event in events]
    table = [HEADER.split(","), *rows]
    return "\n".join(delimiter.join(row) for row in table).encode()


@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.csv.gz", "views.parquet", "views.log"])
def test_every_format_gives_the_same_lists(tmp_path: Path, whole: Whole, name: str) -> None:
    events, path = read_lines(whole.log), tmp_path / name
    flags: tuple[str, ...] = ()
    if name.endswith(".parquet"):
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(arrow.Table.from_pylist(events), path)
    elif name.endswith(".log"):
        path.write_bytes(whole.log.read_bytes())
        flags = ("--format", "jsonl")
    else:
        text = as_csv(events, "\t" if ".tsv" in name else ",")
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    trace = tmp_path / "trace"
    replay(path, *flags, "--content", whole.content, "--trace", trace)
    assert read_lines(trace) == whole.trace


def test_several_inputs_name_the_file_everywhere(tmp_path: Path, whole: Whole) -> None:
    lines = whole.log.read_bytes().splitlines()
    first = write_lines(tmp_path / "a.jsonl", [*lines[:100], b"?"])
    second = write_lines(tmp_path / "b.jsonl", [b"!", *lines[100:200]])
    paths = {what: tmp_path / what for what in ("trace", "output", "dead-letters")}
    replay(first, second, *(part for what, path in paths.items() for part in (f"--{what}", path)))
    trace, output = read_lines(paths["trace"]), read_lines(paths["output"])
    places = [("a.jsonl", n) for n in range(1, 101)] + [("b.jsonl", n) for n in range(2, 102)]
    assert [(line["file"], line["line"]) for line in trace] == places
    based_on = [(r["based_on"]["file"], r["based_on"]["line"]) for r in output]
    assert based_on == places
    letters = [(letter["file"], letter["line"]) for letter in read_lines(paths["dead-letters"])]
    assert letters == [("a.jsonl", 101), ("b.jsonl", 1)]


def test_a_single_input_names_no_file(whole: Whole) -> None:
    assert not any("file" in line for line in whole.trace)
    assert not any("file" in record["based_on"] for record in whole.output)


def test_blank_lines_keep_their_numbers(tmp_path: Path, whole: Whole) -> None:
    lines = whole.log.read_bytes().splitlines()
    log = write_lines(tmp_path / "log.jsonl", [lines[0], b"", b"   ", lines[1]])
    trace = tmp_path / "trace"
    assert replay(log, "--trace", trace)["records"] == 2
    assert [line["line"] for line in read_lines(trace)] == [1, 4]
