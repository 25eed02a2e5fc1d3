"""A real broker for benchmarks, and commands of driftline against it.

The broker is the one of the tests: `KAFKA_BOOTSTRAP_SERVERS`, a container, or Apache Kafka's jars
on the local Java.
"""

from __future__ import annotations

import importlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from benchmarks.measuring import ROOT, one_thread
from benchmarks.stopwatch import Told
from streams.kafka import Admin
from streams.kafka_clients import admin_properties
from streams.topics import TopicShape, topic_specs
from streams.worker_settings import TopicNames

PATIENCE_S = 180.0
SNAPSHOTS = "snapshots"
_TICK_S = 0.5


def scaled(n: int) -> int:
    """Return a size times ``BENCH_SCALE``, which shortens a trial run; 1 by default."""
    return max(1, round(n * float(os.environ.get("BENCH_SCALE", "1"))))


def _mark() -> str:
    return uuid.uuid4().hex[:8]


@dataclass(frozen=True)
class Place:
    """Topics on a broker, a consumer group and a folder; nothing is shared with other places.

    Parameters
    ----------
    bootstrap
        Address of the broker.
    folder
        For logs and snapshots; exists.
    n_partitions
        Of the topics that are split by user.
    source
        Mark of the topics that are read.
    run
        Mark of those that are written, and of the group.
    """

    bootstrap: str
    folder: Path
    n_partitions: int = 1
    source: str = field(default_factory=_mark)
    run: str = field(default_factory=_mark)

    @property
    def views(self) -> str:
        return f"views-{self.source}"

    @property
    def recommendations(self) -> str:
        return f"recommendations-{self.run}"

    @property
    def group(self) -> str:
        return f"group-{self.run}"

    @property
    def snapshots(self) -> Path:
        return self.folder / SNAPSHOTS / self.run

    def settings(self) -> dict[str, str]:
        """Return the settings that lead a command here, by dotted name."""
        return {
            "kafka.bootstrap.servers": self.bootstrap,
            "topics.views": self.views,
            "topics.content": f"content-{self.source}",
            "topics.recommendations": self.recommendations,
            "topics.dead_letter": f"dead-{self.run}",
            "topics.outcomes": f"outcomes-{self.run}",
            "topics.drift": f"drift-{self.run}",
            "worker.group": self.group,
            "worker.snapshot_folder": str(self.snapshots),
        }

    def arguments(self, *words: str) -> list[str]:
        """Return a command's words with these settings in front."""
        named = (f"{name}={value}" for name, value in self.settings().items())
        return [*(word for text in named for word in ("--set", text)), *words]

    def call(self, *words: str) -> None:
        """Run a command to its end."""
        command = [sys.executable, "-m", "streams", *self.arguments(*words)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    def made(self) -> Self:
        """Make the topics that are missing."""
        own = self.settings()
        names = TopicNames(**{name: own[f"topics.{name}"] for name in TopicNames.__struct_fields__})
        admin = Admin(admin_properties({"bootstrap.servers": self.bootstrap}))
        admin.create(topic_specs(names, TopicShape(), self.n_partitions))
        return self

    def again(self) -> Place:
        """Return a place that reads the same and has written nothing yet."""
        return replace(self, run=_mark()).made()


@contextmanager
def opened_broker(folder: Path) -> Iterator[str]:
    """Run a broker while the context lasts and give its address; its workers' snapshots go too."""
    open_broker = importlib.import_module("tests.kafka.broker").open_broker
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="broker-") as own:
        broker = open_broker(os.environ, Path(own))
        try:
            yield broker.bootstrap
        finally:
            broker.close()
            shutil.rmtree(folder / SNAPSHOTS, ignore_errors=True)


class Watched:
    """Commands under the stopwatch, at the same time, and what they tell; ended with the context.

    Parameters
    ----------
    commands
        Words of each, without the program's name.
    log
        What they say on standard error goes here.
    gate
        Workers join their group once this file is there; at once without.
    """

    def __init__(
        self, commands: Sequence[Sequence[str]], log: Path, *, gate: Path | None = None
    ) -> None:
        self.told: list[Told] = []
        self._log = log
        self._heard: queue.SimpleQueue[Told] = queue.SimpleQueue()
        gated = {} if gate is None else {"BENCH_GATE": str(gate)}
        with log.open("wb") as file:
            self._processes = [
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.stopwatch", *words],
                    cwd=ROOT,
                    env={**one_thread(), **gated},
                    stdout=subprocess.PIPE,
                    stderr=file,
                )
                for words in commands
            ]
        for process in self._processes:
            threading.Thread(target=self._listen, args=(process,), daemon=True).start()

    def until(self, kind: str, n: int) -> list[Told]:
        """Wait until what was told of a kind is about so many in all; return what was."""
        return self._until(kind, lambda told: sum(one.n for one in told) >= n)

    def until_each_holds(self, n: int) -> None:
        """Wait until each worker has so many partitions, all of them restored."""

        def is_shared(told: list[Told]) -> bool:
            latest = {one.pid: one.n for one in told}
            return list(latest.values()) == [n] * len(self._processes)

        self._until("holds", is_shared)

    def of(self, kind: str) -> list[Told]:
        """Return what was told of a kind so far."""
        return [told for told in self.told if told.kind == kind]

    def stop(self) -> None:
        """End them as an operator does, and wait."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.stop()
        for process in self._processes:
            process.kill()
            process.wait()

    def _until(self, kind: str, is_enough: Callable[[list[Told]], bool]) -> list[Told]:
        deadline = time.monotonic() + PATIENCE_S
        while not is_enough(self.of(kind)):
            self._check(deadline)
            try:
                self.told.append(self._heard.get(timeout=_TICK_S))
            except queue.Empty:
                continue
        return self.of(kind)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101 (it is a pipe)
        for line in process.stdout:
            if line.startswith(b'{"kind"'):
                self._heard.put(msgspec.json.decode(line, type=Told))

    def _check(self, deadline: float) -> None:
        has_ended = all(process.poll() is not None for process in self._processes)
        if (has_ended and self._heard.empty()) or time.monotonic() > deadline:
            text = self._log.read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"it ended or takes too long:\n{text[-2_000:]}")
