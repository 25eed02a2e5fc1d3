"""How long a partition that stays where it is waits while others move.

Four partitions take views at a steady rate; one worker has them all, two more join, one of them
leaves. The gap is the time between two consecutive committed lists of a partition that the first
worker keeps throughout, by the time at which each was sent. Beside it stands the longest gap of as
much time just before, with the same processes up and nobody joining yet.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from benchmarks.logs import Log
from benchmarks.measuring import ROOT, table
from benchmarks.place import PATIENCE_S, Place, Watched, scaled
from streams.kafka import Consumer
from streams.kafka_clients import reader_properties
from streams.kafka_records import Partition

RATE = 1_000
SECONDS = 50
N_PARTITIONS = 4
COMMIT_INTERVAL_S = 0.1
SESSION_S = 6
PHASE_S = 2.0 * SESSION_S
"""Of each phase: whoever leaves is missed after a session."""
STOPPED = "stopped; committed"
ANSWER_S = 10.0
_GONE = re.compile(r'"message": "(?:revoked|lost): ([^"]*)"')
_GROUP = ("kafka.session.timeout.ms=6000", "kafka.heartbeat.interval.ms=1000")


def measure(place: Place, log: Log) -> str:
    """Let workers come and go beside a steady stream of views; return the longest gaps."""
    lines = list(dict.fromkeys(log.events.read_bytes().splitlines(keepends=True)))
    n = min(scaled(RATE * SECONDS), len(lines) // 2)
    warm, rest = place.folder / "warm.jsonl", place.folder / "rest.jsonl"
    warm.write_bytes(b"".join(lines[:-n]))
    rest.write_bytes(b"".join(lines[-n:]))
    place.made().call("publish", str(warm), "--content", str(log.content), "--quiet")
    kept, gaps = _moved(place, rest, len(lines) - n)
    print("gaps", *(f"{gap:.2f}" for gap in gaps), flush=True)
    return _report(kept, gaps)


def _moved(place: Place, log: Path, n_warm: int) -> tuple[int, list[float]]:
    """Return how many partitions stayed, and the longest gaps of each phase among them."""
    folder, gate = place.folder, place.folder / "gate"
    gate.unlink(missing_ok=True)
    with ExitStack() as stack:
        first = stack.enter_context(Watched([_words(place, 0)], folder / "first.log"))
        first.until("done", n_warm)
        joiners = [
            stack.enter_context(Watched([_words(place, slot)], folder / f"{slot}.log", gate=gate))
            for slot in (1, 2)
        ]
        for joiner in joiners:
            joiner.until("up", 1)
        sender = stack.enter_context(_sender(place, log))
        first.until("done", n_warm + RATE)
        marks = _phases(gate, joiners)
        sender.wait()
    found = _GONE.findall((folder / "first.log").read_text(encoding="utf-8").split(STOPPED)[0])
    gone = {int(number) for text in found for number in re.findall(r"\[(\d+)\]", text)}
    kept = [number for number in range(N_PARTITIONS) if number not in gone]
    times = [_times(place, number) for number in kept]
    gaps = [max(_longest(own, begin, end) for own in times) for begin, end in pairwise(marks)]
    return len(kept), gaps


def _phases(gate: Path, joiners: Sequence[Watched]) -> list[float]:
    """Let nothing happen, two workers join, one of them leave; return when each phase began."""
    marks = [time.time()]
    time.sleep(PHASE_S)
    marks.append(time.time())
    gate.touch()
    for joiner in joiners:
        joiner.until_each_holds(1)
    time.sleep(max(0.0, marks[-1] + PHASE_S - time.time()))
    marks.append(time.time())
    joiners[-1].stop()
    time.sleep(max(0.0, marks[-1] + PHASE_S - time.time()))
    return [*marks, time.time()]


def _words(place: Place, slot: int) -> list[str]:
    settings = (f"worker.commit_interval_s={COMMIT_INTERVAL_S}", *_GROUP)
    words = [word for text in settings for word in ("--set", text)]
    return [*words, *place.arguments("worker", "--slot", str(slot))]


def _sender(place: Place, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.latency"]
    command += [place.bootstrap, place.views, str(log), str(RATE)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def _times(place: Place, number: int) -> list[float]:
    """Return when each list of a partition was sent, in epoch seconds."""
    reader = Consumer(reader_properties({"bootstrap.servers": place.bootstrap}))
    lists = Partition(place.recommendations, number)
    first, end = reader.bounds(lists, ANSWER_S)
    reader.assign({lists: first})
    times: list[float] = []
    deadline = time.monotonic() + PATIENCE_S
    while (reader.position(lists) or 0) < end and time.monotonic() < deadline:
        times += [record.timestamp()[1] / 1_000 for record in reader.consume(10_000, 0.1)]
    reader.close()
    return sorted(times)


def _longest(times: list[float], begin: float, end: float) -> float:
    """Return the longest gap that ends within a phase."""
    own = [later - earlier for earlier, later in pairwise(times) if begin <= later < end]
    return max(own, default=0.0)


def _report(n_kept: int, gaps: list[float]) -> str:
    names = ("nobody moves", "two join", "one of them leaves")
    rows = [[name, f"**{gap * 1e3:.0f} ms**"] for name, gap in zip(names, gaps, strict=True)]
    return (
        f"{RATE:,} events/s over {N_PARTITIONS} partitions, commit interval"
        f" {COMMIT_INTERVAL_S * 1e3:.0f} ms, 1 → 3 → 2 workers, session {SESSION_S} s, phases of"
        f" {PHASE_S:.0f} s; the longest time between two consecutive committed lists of the"
        f" {n_kept} partitions that the first worker keeps.\n\n{table(('', 'longest gap'), rows)}"
    )
