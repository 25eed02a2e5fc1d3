"""The same small job in our loop and in Faust: consume, decode, count, answer each view.

Ours is the consumer, the producer and the commit protocol of the worker, exactly once, timed until
the last offset is committed. Faust is at least once and timed until its last record is
acknowledged. ``python -m benchmarks.skeleton BROKER GROUP VIEWS ANSWERS N`` runs ours.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import venv
from collections import defaultdict
from pathlib import Path

from benchmarks.logs import Log
from benchmarks.measuring import ROOT, one_thread, table
from benchmarks.place import PATIENCE_S, Place, scaled
from benchmarks.skeleton_job import Job
from streams.checkpoint import Checkpoint, Held
from streams.dead_letter_records import shrunk
from streams.kafka import Consumer, TransactionalProducer
from streams.kafka_clients import consumer_properties, producer_properties
from streams.kafka_records import Committed, Output, Partition, Record
from streams.watchdog import Watchdog

FAUST = "faust-streaming==0.15.3"
REQUIREMENTS = (FAUST, "msgspec", "cramjam")  # cramjam reads what is compressed with lz4
N_COPIES, N_FAUST_EVENTS, N_RUNS = 3, 20_000, 3
SLICE, WAIT_S, COMMIT_INTERVAL_S, MAX_RECORDS, CALL_S = 2_048, 0.02, 0.1, 10_000, 60.0
OURS = "driftline, exactly once"
FAUST_TAKES = {"Faust, one by one": 0, "Faust, `take(1000)`": 1_000}
"""How many events Faust takes at a time: as its manual begins, and what is quicker."""


def measure(place: Place, log: Log) -> str:
    """Publish the log several times and return the table."""
    place.made().call("publish", *([str(log.events)] * N_COPIES), "--quiet")
    with log.events.open("rb") as file:
        n = N_COPIES * sum(1 for _ in file)
    faust = _faust(place.folder)
    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(N_RUNS):
        rates[OURS].append(_ours(place.again(), n))
        if isinstance(faust, Path):
            for name, take in FAUST_TAKES.items():
                rates[name].append(_faust_rate(place.again(), faust, take))
        print(*(f"{name}: {own[-1]:,.0f}" for name, own in rates.items()), flush=True)
    return _report(n, rates, faust)


def _report(n: int, rates: dict[str, list[float]], faust: Path | str) -> str:
    medians = {name: statistics.median(own) for name, own in rates.items()}
    text = (
        "The same skeleton, one partition: consume, decode, count the user's views, write a record"
        f" for each. Ours over {n:,} events, exactly once, until committed; {FAUST} at least once,"
        f" the first {scaled(N_FAUST_EVENTS):,}, until acknowledged.\n\n"
    )
    text += table(("", "events/s"), [[name, f"**{r:,.0f}**"] for name, r in medians.items()])
    ours = medians.pop(OURS)
    if isinstance(faust, str):
        return f"{text}\n\nFaust was not measured, it could not be installed: {faust}"
    return f"{text}\n\nOurs is {ours / max(medians.values()):.0f} times Faust's better rate."


def _ours(place: Place, n: int) -> float:
    command = [sys.executable, "-m", "benchmarks.skeleton", place.bootstrap, place.group]
    command += [place.views, place.recommendations, str(n)]
    done = subprocess.run(
        command, cwd=ROOT, check=True, env=one_thread(), stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout)


def _faust(folder: Path) -> Path | str:
    """Return Faust's program in an environment of its own, or why there is none."""
    home = folder / "faust"
    program = home / "bin" / "faust"
    if not program.exists():
        venv.create(home, with_pip=True, clear=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS]
        done = subprocess.run(pip, check=False, capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1]
    return program


def _faust_rate(place: Place, faust: Path, take: int) -> float:
    result = place.folder / "faust-rate"
    result.unlink(missing_ok=True)
    own = {
        "BENCH_BROKER": place.bootstrap,
        "BENCH_GROUP": place.group,
        "BENCH_VIEWS": place.views,
        "BENCH_ANSWERS": place.recommendations,
        "BENCH_EVENTS": str(scaled(N_FAUST_EVENTS)),
        "BENCH_TAKE": str(take),
        "BENCH_RESULT": str(result),
    }
    words = ["-A", "benchmarks.skeleton_faust", "--datadir", str(place.folder / "faust-data")]
    command = [str(faust), *words, "worker", "--without-web", "--loglevel", "WARN"]
    with (place.folder / "faust.log").open("wb") as log:
        subprocess.run(
            command,
            cwd=ROOT,
            check=True,
            env={**one_thread(), **own},
            stdout=log,
            stderr=log,
            timeout=PATIENCE_S,
        )
    return float(result.read_text())


class Loop:
    """The worker's loop around the job; told of its partitions by the consumer."""

    def __init__(self, broker: str, group: str, views: str, answers: str) -> None:
        kafka = {"bootstrap.servers": broker}
        self.answers = answers
        self._job = Job()
        self._consumer = Consumer(consumer_properties(kafka, group=group, member=f"{group}-0"))
        properties = producer_properties(kafka, transactional_id=f"{group}-0")
        self._checkpoint = Checkpoint(
            self._consumer,
            lambda: TransactionalProducer(properties),
            shrink=shrunk,
            watchdog=Watchdog(CALL_S),
        )
        self._checkpoint.start()
        self._consumer.subscribe([views], self)

    def assigned(self, partitions: list[Partition]) -> None:
        for partition in partitions:
            self._checkpoint.held[partition] = Held()
            self._consumer.start(partition, 0)

    def revoked(self, partitions: list[Partition]) -> None:
        self._checkpoint.drop(partitions)

    lost = revoked

    def run(self, n: int) -> float:
        """Process so many events and return the seconds from the first to the last commit."""
        n_done, began, committed_at = 0, 0.0, 0.0
        while n_done < n:
            records = self._consumer.consume(SLICE, WAIT_S)
            if records and not began:
                began = committed_at = time.monotonic()
            for record in records:
                self._take(record)
            n_held = self._checkpoint.n_held
            is_due = time.monotonic() - committed_at >= COMMIT_INTERVAL_S
            if n_held and (is_due or n_held >= MAX_RECORDS):
                self._checkpoint.commit()
                committed_at = time.monotonic()
                n_done += n_held
        return committed_at - began

    def _take(self, record: Record) -> None:
        held = self._checkpoint.held[Partition(record.topic(), record.partition())]
        key, value = self._job.step(record.value() or b"")
        held.others.append(Output(self.answers, key, value, partition=record.partition()))
        held.position = Committed(record.offset() + 1, "", record.leader_epoch())
        held.n_records += 1


if __name__ == "__main__":
    *where, n_events = sys.argv[1:]
    print(int(n_events) / Loop(*where).run(int(n_events)))
    sys.stdout.flush()
    os._exit(0)  # leaving the group is not measured
