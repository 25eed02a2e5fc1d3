"""What a replay shows of itself, with a clock of our own."""

from __future__ import annotations

import io
from typing import Any

import pytest

from monitoring.progress import Progress

START = 874_724_710.0


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A file that says it is a terminal, and counts how often something was drawn."""

    n_flushes = 0

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.n_flushes += 1


class ClosedPipe(io.StringIO):
    """A file whose reader has gone, after so many writes."""

    def __init__(self, n_writes: int, *, is_terminal: bool) -> None:
        super().__init__()
        self.n_left = n_writes
        self.is_terminal = is_terminal
        self.n_refused = 0

    def isatty(self) -> bool:
        return self.is_terminal

    def write(self, text: str) -> int:
        if not self.n_left:
            self.n_refused += 1
            raise BrokenPipeError
        self.n_left -= 1
        return super().write(text)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def replay(file: io.StringIO, shares: list[float | None], *, step_s: float) -> str:
    """Report 1,000 events a step."""
    clock = Clock()
    with Progress(file, clock=clock) as progress:
        for step, share in enumerate(shares):
            progress.update(
                share,
                1000 * step,
                event_time=START + 86400 * step,
                recall=0.19341 if step else None,
                recall_recent=0.2 if step else None,
            )
            clock.now += step_s
    return file.getvalue()


def test_lines_come_every_tenth_of_the_way() -> None:
    text = replay(io.StringIO(), [i / 100 for i in range(101)], step_s=0.2)
    lines = text.splitlines()
    assert [line[:6] for line in lines] == [f"{10 * i:3} % " for i in range(1, 11)]
    assert lines[4] == (
        " 50 %  50,000 events, 5,000 events/s  1997-11-09 03:05"
        "  recall@10 .1934 (last 5,000: .2000)  0:10 left"
    )


def test_lines_come_every_five_seconds_when_the_way_is_long() -> None:
    text = replay(io.StringIO(), [i / 10_000 for i in range(31)], step_s=1.0)
    assert [line.split()[2] for line in text.splitlines()] == [
        *("5,000", "10,000", "15,000", "20,000", "25,000", "30,000"),
    ]


def test_an_input_of_unknown_size_has_neither_share_nor_end() -> None:
    text = replay(io.StringIO(), [None] * 8, step_s=1.0)
    assert text.splitlines() == [
        "5,000 events, 1,000 events/s  1997-09-25 03:05  recall@10 .1934 (last 5,000: .2000)",
        "7,000 events, 1,000 events/s  1997-09-27 03:05  recall@10 .1934 (last 5,000: .2000)",
    ]


def test_a_replay_that_resumes_in_the_middle_estimates_from_there() -> None:
    text = replay(io.StringIO(), [0.5 + i / 40 for i in range(20)], step_s=1.0)
    first = text.splitlines()[0]
    assert first.startswith(" 60 %  4,000 events, 1,000 events/s")
    assert first.endswith("0:16 left")


def test_lines_hold_no_control_characters() -> None:
    text = replay(io.StringIO(), [i / 10 for i in range(11)], step_s=1.0)
    assert all(char.isprintable() or char == "\n" for char in text)


def test_a_terminal_shows_a_bar_and_what_is_left() -> None:
    text = replay(Terminal(), [i / 10 for i in range(11)], step_s=1.0)
    last = text.split("\x1b[1A\x1b[2K")[-1]
    assert "━" in last
    assert "100 %" in last
    assert "10,000 events, 1,000 events/s, event time 1997-09-30 03:05" in last
    assert "recall@10 .1934 (last 5,000: .2000)" in last
    assert "50 %  0:05 left" in text


def test_a_terminal_gets_its_cursor_back() -> None:
    text = replay(Terminal(), [0.0, 0.5], step_s=1.0)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert text.endswith("\x1b[?25h")


def test_a_terminal_without_cursor_movement_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in replay(Terminal(), [0.0, 0.5, 1.0], step_s=1.0)


def test_a_terminal_is_redrawn_ten_times_a_second_at_most() -> None:
    file = Terminal()
    text = replay(file, [i / 2000 for i in range(2000)], step_s=0.001)
    assert 15 <= text.count("event time") <= 23


def test_nothing_is_shown_before_the_first_event() -> None:
    with (file := io.StringIO()), Progress(file):
        assert file.getvalue() == ""


@pytest.mark.parametrize("n_writes", [0, 1, 3])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_closed_pipe_stops_the_display_and_nothing_else(
    n_writes: int, *, is_terminal: bool
) -> None:
    file = ClosedPipe(n_writes, is_terminal=is_terminal)
    replay(file, [i / 10 for i in range(11)], step_s=6.0)
    assert 1 <= file.n_refused <= 3


@pytest.mark.parametrize("event_time", [float("nan"), float("inf"), 1e300])
@pytest.mark.parametrize("file", [io.StringIO, Terminal])
def test_strange_values_are_shown_as_unknown(file: type[io.StringIO], event_time: float) -> None:
    strange: dict[str, Any] = {"recall": float("nan"), "recall_recent": None}
    with Progress(target := file(), clock=Clock()) as progress:
        progress.update(0.3, 5, event_time=event_time, **strange)
    assert "recall@10 – (last 5,000: –)" in target.getvalue()


def test_an_error_of_the_replay_passes_through() -> None:
    with pytest.raises(KeyboardInterrupt), Progress(io.StringIO()):
        raise KeyboardInterrupt
