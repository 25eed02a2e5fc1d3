"""A run that stopped and went on is the run that never stopped, list for list."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Whole
from tests.replays import read_lines, replay, result_of, tied, write_lines


def in_two(
    folder: Path, log: Path, *flags: object, first: int, content: tuple[object, ...] = ()
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Replay up to a record and resume; return the summary and the trace."""
    saved, traces = folder / "saved", [folder / "first.trace", folder / "second.trace"]
    until = (*content, "--limit", first, "--snapshot-to", saved)
    replay(log, *flags, *until, "--trace", traces[0])
    summary = replay(log, *flags, "--resume", saved, "--trace", traces[1])
    return summary, [line for trace in traces for line in read_lines(trace)]


@pytest.mark.parametrize("first", [0, 1, 2047, 2048, 3000])
def test_resumed_is_uninterrupted(tmp_path: Path, whole: Whole, first: int) -> None:
    content = ("--content", whole.content)
    summary, trace = in_two(tmp_path, whole.log, first=first, content=content)
    assert trace == whole.trace
    assert result_of(summary) == result_of(whole.summary)


@pytest.mark.parametrize("flag", ["served", "in order of time", "ends of tie groups", "compressed"])
def test_resumed_is_uninterrupted_however_it_is_read_and_judged(
    tmp_path: Path, whole: Whole, flag: str
) -> None:
    flags: tuple[str, ...]
    log, flags = whole.log, {"served": ("--protocol", "served")}.get(flag, ())
    lines = whole.log.read_bytes().splitlines(keepends=True)[:2000]
    if flag == "in order of time":
        log, flags = write_lines(tmp_path / "mixed.jsonl", lines[1::2] + lines[::2]), ("--sort",)
    elif flag == "ends of tie groups":
        log = write_lines(tmp_path / "tied.jsonl", tied(lines, 86_400))
    elif flag == "compressed":
        log = tmp_path / "log.jsonl.gz"
        log.write_bytes(gzip.compress(b"".join(lines)))
    path = tmp_path / "whole.trace"
    expected = replay(log, *flags, "--trace", path)
    summary, trace = in_two(tmp_path, log, *flags, first=1234)
    assert trace == read_lines(path)
    assert result_of(summary) == result_of(expected)


def test_several_files_resume_in_the_right_one(tmp_path: Path, whole: Whole) -> None:
    lines = whole.log.read_bytes().splitlines(keepends=True)
    logs = tmp_path / "logs"
    logs.mkdir()
    for n in range(3):
        write_lines(logs / f"{n}.jsonl", lines[n * 1000 : (n + 1) * 1000])
    content = ("--content", whole.content)
    summary, trace = in_two(tmp_path, logs, first=1500, content=content)
    lists = [line["items"] for line in trace]
    assert lists == [line["items"] for line in whole.trace]
    assert result_of(summary) == result_of(whole.summary)
    assert {line["file"] for line in trace} == {"0.jsonl", "1.jsonl", "2.jsonl"}
    assert (trace[1500]["file"], trace[1500]["line"]) == ("1.jsonl", 501)


def test_the_size_of_batches_may_change_on_the_way(tmp_path: Path, whole: Whole) -> None:
    saved, trace, output = tmp_path / "saved", tmp_path / "trace", tmp_path / "output"
    replay(whole.log, "--content", whole.content, "--limit", 700, "--snapshot-to", saved)
    flags = ("--resume", saved, "--trace", trace, "--output", output)
    summary = replay(whole.log, *flags, DRIFTLINE_REPLAY_BATCH_SIZE="7")
    assert result_of(summary) == result_of(whole.summary)
    assert read_lines(trace) == whole.trace[700:]
    assert read_lines(output) == whole.output[700:]


def test_the_window_is_relative_to_the_first_event_of_the_whole_log(
    tmp_path: Path, whole: Whole
) -> None:
    window = ("--from", "+2d", "--to", "+6d")
    expected = replay(whole.log, *window)
    summary, _ = in_two(tmp_path, whole.log, *window, first=1000)
    assert result_of(summary) == result_of(expected)
