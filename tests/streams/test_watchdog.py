import queue
import subprocess
import sys
from pathlib import Path

import pytest

from streams.exit_codes import ExitCode
from streams.watchdog import Watchdog

HANGS = """
import time
from streams.watchdog import Watchdog
try:
    with Watchdog(0.2) as watchdog, watchdog.guard("commit"):
        time.sleep(60)
finally:
    print("unwound")
"""


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ends():
    """Give the exit codes and lines of a process that goes on nevertheless."""
    return [], []


@pytest.fixture
def watchdog(clock, ends):
    """Give a watchdog whose thread sleeps for the clock's ten seconds: the test calls ``check``."""
    codes, lines = ends
    with Watchdog(10.0, clock=clock, leave=codes.append, say=lines.append) as watchdog:
        yield watchdog


def test_a_call_within_its_budget_is_left_alone(watchdog, clock, ends):
    with watchdog.guard("commit"):
        clock.now_s = 9.0
        assert watchdog.check() == 1.0
    clock.now_s = 1_000.0
    assert watchdog.check() is None
    assert ends == ([], [])


def test_a_call_beyond_its_budget_ends_the_process_with_one_line(watchdog, clock, ends):
    with watchdog.guard("commit"):
        clock.now_s = 10.0
        watchdog.check()
    codes, (line,) = ends
    assert codes == [ExitCode.KAFKA]
    assert line.startswith("driftline: commit took longer than worker.call_budget_s (10 s);")
    assert line.count("\n") == 1
    assert line.endswith("\n")


def test_each_call_has_the_whole_budget(watchdog, clock, ends):
    for _ in range(5):
        with watchdog.guard("commit"):
            clock.now_s += 9.0
            watchdog.check()
    assert ends == ([], [])


def test_an_inner_call_has_what_the_outer_one_has_left(watchdog, clock, ends):
    with watchdog.guard("abort"):
        clock.now_s = 6.0
        with watchdog.guard("flush"):
            assert watchdog.check() == 4.0
        assert watchdog.check() == 4.0
        clock.now_s = 11.0
        watchdog.check()
    assert ends[1][0].startswith("driftline: abort ")


def test_a_call_that_fails_is_no_longer_guarded(watchdog, clock):
    def fail():
        with watchdog.guard("commit"):
            raise RuntimeError("the broker refused")

    with pytest.raises(RuntimeError, match="refused"):
        fail()
    clock.now_s = 100.0
    assert watchdog.check() is None


def test_the_thread_finds_a_call_that_hangs():
    codes = queue.SimpleQueue()
    with Watchdog(0.05, leave=codes.put, say=len) as watchdog, watchdog.guard("commit"):
        assert codes.get(timeout=30) == ExitCode.KAFKA


def test_the_thread_finds_a_call_that_hangs_after_others_that_did_not():
    codes = queue.SimpleQueue()
    with Watchdog(0.2, leave=codes.put, say=len) as watchdog:
        for _ in range(100):
            with watchdog.guard("flush"):
                pass
        with watchdog.guard("commit"):
            assert codes.get(timeout=30) == ExitCode.KAFKA
        assert codes.empty()


def test_the_thread_sleeps_while_nothing_is_guarded(monkeypatch):
    waits = queue.SimpleQueue()
    codes = []
    watchdog = Watchdog(0.3, leave=codes.append, say=len)
    wait = watchdog._changed.wait

    def told(left_s):
        waits.put(left_s)
        wait(left_s)

    monkeypatch.setattr(watchdog._changed, "wait", told)
    with watchdog:
        with watchdog.guard("commit"):
            assert 0 < waits.get(timeout=30) <= 0.3
        assert waits.get(timeout=30) is None
    assert waits.empty()
    assert codes == []


def test_its_thread_ends_with_the_context():
    with Watchdog(60.0) as watchdog:
        assert not watchdog._thread.is_alive()
        with watchdog.guard("commit"):
            assert watchdog._thread.is_alive()
    assert not watchdog._thread.is_alive()


def test_a_process_that_hangs_ends_with_the_code_and_without_unwinding():
    done = subprocess.run(
        [sys.executable, "-c", HANGS],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == ExitCode.KAFKA
    assert done.stdout == ""
    assert done.stderr == (
        "driftline: commit took longer than worker.call_budget_s (0.2 s);"
        " ending with exit code 3 to be started again\n"
    )
