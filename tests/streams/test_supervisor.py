import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from streams.exit_codes import ExitCode
from streams.supervisor import Child, Pace, Supervisor

QUICK = Pace(first_s=0.01, longest_s=0.02)
PRELUDE = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
def mark(name):
    (folder / f"{name}-{os.getpid()}").touch()
def serve(*, code=0, n_ignored=0):
    numbers = []
    def leave(number, frame):
        numbers.append(number)
        if len(numbers) > n_ignored:
            mark(signal.Signals(number).name)
            sys.exit(code)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    mark("serving")
    while True:
        signal.pause()
def life():
    return len(list(folder.glob("life-*")))
mark("life")
"""


@pytest.fixture
def folder(tmp_path):
    """Give the folder in which children leave marks."""
    return tmp_path


@pytest.fixture
def child(folder):
    """Give a function that makes a child of a piece of Python."""

    def child_of(text, name="worker"):
        command = [sys.executable, "-c", PRELUDE + text, str(folder)]
        return Child(name, command, dict(os.environ))

    return child_of


def marks(folder, name):
    return len(list(folder.glob(f"{name}-*")))


def supervise(*children, stop_budget_s=30.0, pace=QUICK, **others):
    return Supervisor(children, stop_budget_s=stop_budget_s, pace=pace, **others).run()


def asked_when(condition, number):
    """Send ourselves a signal once a condition holds."""

    def wait():
        while not condition():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()


def test_children_that_are_done_are_not_started_again(child, folder):
    assert supervise(child("sys.exit(0)"), child("sys.exit(0)")) is ExitCode.CLEAN
    assert marks(folder, "life") == 2


@pytest.mark.parametrize(
    "end", ["sys.exit(1)", "sys.exit(3)", "os.kill(os.getpid(), signal.SIGKILL)", "os._exit(99)"]
)
def test_a_child_that_crashed_or_lost_its_client_starts_again(child, folder, end):
    assert supervise(child(f"if life() < 3:\n    {end}")) is ExitCode.CLEAN
    assert marks(folder, "life") == 3


@pytest.mark.parametrize(
    "code",
    [
        ExitCode.CONFIGURATION,
        ExitCode.BREAKER,
        ExitCode.SLOT_TAKEN,
        ExitCode.MISSING_HISTORY,
        ExitCode.SNAPSHOT,
    ],
)
def test_a_child_that_no_start_can_mend_ends_all_with_its_code(child, folder, code):
    fails = f"while not list(folder.glob('serving-*')):\n    time.sleep(0.01)\nsys.exit({code:d})"
    assert supervise(child("serve()"), child(fails)) is code
    assert marks(folder, "life") == 2
    assert marks(folder, "SIGTERM") == 1


def test_a_child_that_waits_for_its_start_is_not_started_once_all_end(child, folder, caplog):
    fails = "while not (folder / 'now').exists():\n    time.sleep(0.01)\nsys.exit(4)"

    def let_it_fail():
        while "starts again" not in caplog.text:
            time.sleep(0.01)
        (folder / "now").touch()

    threading.Thread(target=let_it_fail, daemon=True).start()
    pace = Pace(first_s=5.0)
    assert supervise(child("sys.exit(1)"), child(fails), pace=pace) is ExitCode.BREAKER
    assert marks(folder, "life") == 2


def test_what_the_terminal_sends_reaches_a_child_once(child, folder):
    alone = "(folder / 'group').write_text(str(os.getpgid(0) == os.getpid()))"
    assert supervise(child(alone)) is ExitCode.CLEAN
    assert (folder / "group").read_text() == "True"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_handed_on_to_all_as_the_request_to_stop(child, folder, number):
    asked_when(lambda: marks(folder, "serving") == 2, number)
    assert supervise(child("serve()"), child("serve()")) is ExitCode.CLEAN
    assert marks(folder, "SIGTERM") == 2
    assert marks(folder, "life") == 2


def test_the_second_signal_is_handed_on_too(child, folder):
    def both():
        while marks(folder, "serving") < 1:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=both, daemon=True).start()
    assert supervise(child("serve(n_ignored=1)")) is ExitCode.CLEAN
    assert marks(folder, "SIGTERM") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_child_without_a_handler_yet_has_nothing_to_finish(child, folder, number):
    asked_when(lambda: marks(folder, "life") == 1, number)
    assert supervise(child("time.sleep(60)")) is ExitCode.CLEAN


def test_a_child_that_cannot_stop_cleanly_says_so(child, folder):
    asked_when(lambda: marks(folder, "serving") == 2, signal.SIGTERM)
    assert supervise(child("serve(code=7)"), child("serve()")) is ExitCode.SNAPSHOT


def test_a_child_that_outlasts_the_budget_is_killed(child, folder):
    asked_when(lambda: marks(folder, "serving") == 2, signal.SIGTERM)
    deaf = child("serve(n_ignored=99)")
    assert supervise(deaf, child("serve()"), stop_budget_s=0.3) is ExitCode.CRASH
    assert marks(folder, "SIGTERM") == 1


def test_a_child_that_waits_for_its_start_does_not_delay_the_stop(child, caplog):
    asked_when(lambda: "starts again" in caplog.text, signal.SIGTERM)
    started_s = time.monotonic()
    assert supervise(child("sys.exit(1)"), pace=Pace(first_s=25.0)) is ExitCode.CLEAN
    assert time.monotonic() - started_s < 20


def test_the_handlers_of_before_are_back(child):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    supervise(child("sys.exit(0)"))
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_children_do_not_outlive_a_failure_to_start_another(child, folder):
    missing = Child("missing", [str(folder / "missing")], {})
    with pytest.raises(FileNotFoundError):
        supervise(child("serve()"), missing)
    for path in folder.glob("life-*"):
        assert not Path("/proc", path.name.partition("-")[2]).exists()


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


class Life:
    """A process that the supervisor believes to run."""

    def __init__(self):
        self.signals = []

    def send_signal(self, number):
        self.signals.append(number)

    def kill(self):
        self.signals.append(signal.SIGKILL)

    def wait(self):
        return 0


@pytest.fixture
def crash():
    """Give a function that lets a child run and crash and returns the wait for its next start."""
    from streams.supervisor import _Ended, _Run

    clock = Clock()
    supervisor = Supervisor([Child("w", [], {})], stop_budget_s=1.0, clock=clock)

    def crash_after(seconds):
        supervisor._running[0] = _Run(Life(), clock.now_s)
        clock.now_s += seconds
        supervisor._ended(_Ended(0, 1))
        wait_s = supervisor._wait_s()
        supervisor._due_s.clear()
        clock.now_s += wait_s
        return wait_s

    return crash_after


def test_the_wait_doubles_up_to_half_a_minute(crash):
    assert [crash(5.0) for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_minute_of_health_begins_the_waits_anew(crash):
    assert [crash(seconds) for seconds in (1, 1, 59.9, 60.0, 1)] == [1, 2, 4, 1, 2]


def test_a_supervisor_in_a_process_of_its_own_ends_with_the_code_of_its_child():
    program = (
        "import sys\n"
        "from streams.supervisor import Child, Supervisor\n"
        "child = Child('w', [sys.executable, '-c', 'raise SystemExit(5)'], {})\n"
        "sys.exit(Supervisor([child], stop_budget_s=5.0).run())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.SLOT_TAKEN
    assert done.stderr == "w ended with SLOT_TAKEN (5); the others are stopped\n"
