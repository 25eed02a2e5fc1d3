"""From a view to its recommendation, at a steady rate.

``python -m benchmarks.latency BROKER TOPIC LOG RATE`` sends the lines of a log as views and prints
when it sent each, on the clock that all processes of the machine share.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict, deque
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.logs import Log
from benchmarks.measuring import ROOT, table
from benchmarks.place import PATIENCE_S, Place, Watched, scaled
from streams.decoding import JsonDecoder
from streams.events import Origin, encode_view
from streams.kafka import Consumer, Producer
from streams.kafka_clients import plain_producer_properties, reader_properties
from streams.kafka_records import Output, Partition

RATE = 1_000
SECONDS = 30
WAIT_S = 0.002
ANSWER_S = 10.0
COMMIT_INTERVAL_S = 0.1


class _List(msgspec.Struct):
    """What of a recommendation record matters here."""

    user_id: str
    based_on: Origin


def measure(place: Place, log: Log) -> str:
    """Warm a worker up on the first part of the log, then send the rest at the rate."""
    lines = list(dict.fromkeys(log.events.read_bytes().splitlines(keepends=True)))
    n = min(scaled(RATE * SECONDS), len(lines) // 2)
    warm, rest = place.folder / "warm.jsonl", place.folder / "rest.jsonl"
    warm.write_bytes(b"".join(lines[:-n]))
    rest.write_bytes(b"".join(lines[-n:]))
    place.made().call("publish", str(warm), "--content", str(log.content), "--quiet")
    words = ["--set", f"worker.commit_interval_s={COMMIT_INTERVAL_S}", *place.arguments("worker")]
    with Watched([[*words, "--slot", "0"]], place.folder / "worker.log") as worker:
        worker.until("done", len(lines) - n)
        waits = _waits(place, rest, first=len(lines) - n)
    return _report(n, waits)


def _waits(place: Place, log: Path, *, first: int) -> list[float]:
    """Send a log and return the seconds until each view's list could be read."""
    reader = Consumer(reader_properties({"bootstrap.servers": place.bootstrap}))
    lists = Partition(place.recommendations, 0)
    reader.assign({lists: reader.bounds(lists, ANSWER_S).end})
    users = [_user(line) for line in log.read_bytes().splitlines()]
    command = [sys.executable, "-m", "benchmarks.latency"]
    command += [place.bootstrap, place.views, str(log), str(RATE)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as sender:
        read_at = _read(reader, users, first)
        sent_at = msgspec.json.decode(sender.communicate()[0], type=list[float])
    reader.close()
    return [read_at[n] - sent_at[n] for n in sorted(read_at)]


def _user(line: bytes) -> str:
    return JsonDecoder({}).decode_view(line).user_id


def _read(reader: Consumer, users: list[str], first: int) -> dict[int, float]:
    """Return when a list that knows a view was there, by the view's number in the log.

    One partition and one sender: a view's offset is its number behind those of before.
    """
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for n, user in enumerate(users):
        waiting[user].append(n)
    read_at: dict[int, float] = {}
    decoder = msgspec.json.Decoder(_List)
    deadline = time.monotonic() + len(users) / RATE + ANSWER_S
    while len(read_at) < len(users) and time.monotonic() < deadline:
        records = reader.consume(RATE, WAIT_S)
        now = time.monotonic()
        for record in records:
            found = decoder.decode(record.value() or b"")
            own = waiting[found.user_id]
            while own and own[0] + first <= (found.based_on.offset or 0):
                read_at[own.popleft()] = now
    return read_at


def _report(n: int, waits: list[float]) -> str:
    marks = (50, 90, 99, 100)
    cells = [f"{mark * 1e3:.0f} ms" for mark in np.percentile(waits, marks).tolist()]
    cells[2] = f"**{cells[2]}**"
    without = n - len(waits)
    return (
        f"From a view's sending to the moment a read_committed reader has a list that knows it, at"
        f" {RATE:,} events/s for {n / RATE:.0f} s, commit interval {COMMIT_INTERVAL_S * 1e3:.0f}"
        f" ms, one partition; {without:,} views of {n:,} have no list, as they were refused.\n\n"
        + table(("p50", "p90", "p99", "longest"), [cells])
    )


def _send(bootstrap: str, topic: str, log: Path, rate: float) -> list[float]:
    """Send each view when it is due and return when it was sent."""
    decode = JsonDecoder({}).decode_view
    views = [decode(line) for line in log.read_bytes().splitlines()]
    outputs = [Output(topic, view.user_id.encode(), encode_view(view)) for view in views]
    producer = Producer(plain_producer_properties({"bootstrap.servers": bootstrap}))
    sent_at = []
    began = time.monotonic() + 1.0
    for n, output in enumerate(outputs):
        while (left_s := began + n / rate - time.monotonic()) > 0:
            producer.wait(left_s)
        sent_at.append(time.monotonic())
        producer.send([output], ANSWER_S)
    producer.flush(PATIENCE_S)
    return sent_at


if __name__ == "__main__":
    place, topic, path, per_s = sys.argv[1:]
    print(msgspec.json.encode(_send(place, topic, Path(path), float(per_s))).decode())
