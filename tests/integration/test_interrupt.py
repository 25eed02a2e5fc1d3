"""Processes that are stopped, killed or no longer listened to."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.local_store import LocalStore
from streams.snapshots import offsets
from tests.integration.conftest import Whole
from tests.replays import read_lines, replay, result_of

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300.0  # a kernel may have to be compiled first


@contextmanager
def started(*arguments: object, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``driftline replay`` as a process of its own, which does not outlive the context."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streams", "replay", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def feed(process: subprocess.Popen[bytes], lines: list[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"".join(lines))
    process.stdin.flush()


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.002)


def resumed_is_whole(whole: Whole, saved: Path, first: Path) -> None:
    """Go on from a snapshot and compare both parts with the uninterrupted run."""
    second = first.with_name("second.trace")
    summary = replay(whole.log, "--resume", saved, "--trace", second)
    [n_before] = {offsets(LocalStore(owner))[-1] for owner in saved.iterdir()}
    trace = read_lines(first)
    assert trace == whole.trace[: len(trace)]
    assert len(trace) >= n_before
    assert trace[:n_before] + read_lines(second) == whole.trace
    assert result_of(summary) == result_of(whole.summary)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_stopped_at_a_random_moment_and_resumed_is_uninterrupted(
    tmp_path: Path, whole: Whole, number: signal.Signals
) -> None:
    saved, trace = tmp_path / "saved", tmp_path / "first.trace"
    flags = ("--json", "--content", whole.content, "--snapshot-to", saved, "--trace", trace)
    with started(whole.log, *flags, DRIFTLINE_REPLAY_BATCH_SIZE="3") as process:
        wait_until(lambda: trace.exists() and trace.stat().st_size > 0, process)
        time.sleep(random.Random(number).uniform(0.0, 0.1))
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    assert f"Interrupted; the state is saved. Go on with --resume {saved}" in stderr.decode()
    n_done = json.loads(stdout)["records"]
    assert 0 < n_done < len(whole.trace)
    assert len(read_lines(trace)) == n_done
    resumed_is_whole(whole, saved, trace)


def test_stopped_while_waiting_for_input_it_saves_what_it_has(tmp_path: Path, whole: Whole) -> None:
    saved, trace = tmp_path / "saved", tmp_path / "first.trace"
    flags = ("--content", whole.content, "--snapshot-to", saved, "--trace", trace)
    lines = whole.log.read_bytes().splitlines(keepends=True)
    every = ("--snapshot-every", 500)
    with started("-", *flags, *every, DRIFTLINE_REPLAY_BATCH_SIZE="100") as process:
        feed(process, lines[:1500])
        wait_until(lambda: offsets(LocalStore(saved / "replay")) != [], process)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
    assert process.returncode == 130
    resumed_is_whole(whole, saved, trace)


def test_killed_it_goes_on_from_the_last_snapshot(tmp_path: Path, whole: Whole) -> None:
    saved, trace = tmp_path / "saved", tmp_path / "first.trace"
    flags = ("--content", whole.content, "--snapshot-to", saved, "--trace", trace)
    lines = whole.log.read_bytes().splitlines(keepends=True)
    every = ("--snapshot-every", 500)
    with started("-", *flags, *every, DRIFTLINE_REPLAY_BATCH_SIZE="100") as process:
        feed(process, lines[:2000])
        wait_until(lambda: offsets(LocalStore(saved / "replay"))[-1:] >= [1000], process)
        process.kill()
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
    second = tmp_path / "second.trace"
    summary = replay(whole.log, "--resume", saved, "--trace", second)
    assert result_of(summary) == result_of(whole.summary)
    trace_after = read_lines(second)
    n_before = len(whole.trace) - len(trace_after)
    assert n_before >= 1000
    assert trace_after == whole.trace[n_before:]
    complete = trace.read_bytes().splitlines()[:n_before]
    assert [json.loads(line) for line in complete] == whole.trace[:n_before]


@pytest.mark.parametrize("flag", ["", "--trace"], ids=["tables", "trace"])
def test_a_reader_that_goes_away_ends_it_quietly(whole: Whole, flag: str) -> None:
    flags = (flag, "/dev/stdout") if flag else ()
    with started(whole.log, "--quiet", *flags) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        stderr = process.stderr.read()
        process.wait(PATIENCE_S)
    assert b"Traceback" not in stderr
    assert b"Exception ignored" not in stderr
    assert process.returncode in {0, 1, 2}  # 0 when everything was written before


def test_standard_input_is_read_as_it_comes(tmp_path: Path, whole: Whole) -> None:
    trace = tmp_path / "trace"
    flags = ("--json", "--content", whole.content, "--trace", trace)
    with started("-", *flags) as process:
        stdout, stderr = process.communicate(whole.log.read_bytes(), timeout=PATIENCE_S)
    assert process.returncode == 0
    assert result_of(json.loads(stdout)) == result_of(whole.summary)
    assert read_lines(trace) == whole.trace
    assert b"recall@10" in stderr
    assert b"%" not in stderr  # nobody knows how much is to come
