"""Real workers in processes of their own, and what an uninterrupted run makes of the same views.

A `Scene` is a broker, topics and a snapshot folder of one test. What its workers wrote is read
committed and held against an `Oracle`: one pipeline a partition that reads the views of the topic
from the first to the last without any worker.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec

from streams.kafka import Consumer, Producer
from streams.kafka_clients import consumer_properties, plain_producer_properties
from streams.kafka_errors import KafkaCallError
from streams.kafka_records import Output, Partition
from streams.locations import open_store
from streams.recommendations import NEW_USERS
from streams.settings_sources import load
from streams.snapshots import newest_snapshot, owner_of
from streams.topics import TopicShape, topic_specs
from streams.worker_settings import TopicNames
from tests.kafka.commands import WAIT_S, Place
from tests.kafka.worker_oracle import Oracle, assert_same_state, folded_lists

ROOT = Path(__file__).parents[2]
QUICK = {
    "KAFKA_SESSION_TIMEOUT_MS": "3000",
    "KAFKA_HEARTBEAT_INTERVAL_MS": "300",
    "KAFKA_TRANSACTION_TIMEOUT_MS": "5000",
    "KAFKA_RECONNECT_BACKOFF_MAX_MS": "500",
}
READY, STOPPED = "ready at offset", "stopped; committed all"
_CHATTER = re.compile(r'"level": "(?!critical).*"logger": "streams.kafka"')
_SPOONFUL = 20


def wait_until(is_so, what, *, timeout_s=WAIT_S, workers=()):
    """Return once it is so; the workers named must live meanwhile."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("\n".join([f"not within {timeout_s} s: {what}", *_told(workers)]))
        if not all(worker.is_alive for worker in workers):
            raise AssertionError("\n".join([f"ended before: {what}", *_told(workers)]))
        time.sleep(0.02)


def _told(workers):
    """Let workers that still run say where they are; give all their logs."""
    for worker in workers:
        worker.send(signal.SIGABRT)
    return [f"exit code {worker.ended()}\n{worker.gist()}" for worker in workers]


class Worker:
    """A worker in a process of its own.

    Parameters
    ----------
    words
        The command.
    environ
        Complete.
    folder
        It is started there; its log is beside it.
    """

    def __init__(self, words, environ, folder):
        self._log = folder.with_name(f"{folder.name}.log")
        folder.mkdir()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                words, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    @property
    def is_alive(self):
        return self._process.poll() is None

    @property
    def returncode(self):
        return self._process.poll()

    def log(self):
        return self._log.read_text(encoding="utf-8")

    def gist(self):
        """Give its log without what the client tells of every connection that fails."""
        lines = self.log().splitlines()
        return "\n".join(line for line in lines if not _CHATTER.search(line))

    def says(self, words):
        return words in self.log()

    def send(self, number):
        self._process.send_signal(number)

    def children(self):
        """Give the ids of the processes that it has started and that live."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, parent = stat.read_text().rpartition(")")[2].split()[:2]
                if int(parent) == self._process.pid and state != "Z":
                    found.append(int(stat.parent.name))
        return found

    def is_stopped(self):
        """Whether a signal froze it."""
        found = os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT | os.WNOHANG)
        return found is not None

    def thaw(self):
        self.send(signal.SIGCONT)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def ended(self, timeout_s=WAIT_S):
        """Give the exit code once there is one."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still alive after {timeout_s} s\n{self.gist()}") from None

    def stopped(self, timeout_s=WAIT_S):
        """Stop it as an operator does; give the exit code."""
        self.send(signal.SIGTERM)
        return self.ended(timeout_s)


class Feeder(threading.Thread):
    """Publishes views while workers come and go; the rest at once when it is told to finish."""

    def __init__(self, scene, lines, per_s):
        super().__init__(daemon=True)
        self._scene, self._lines, self._pause_s = scene, lines, _SPOONFUL / per_s
        self._is_over = threading.Event()
        self.start()

    def run(self):
        for begin in range(0, len(self._lines), _SPOONFUL):
            self._scene.publish(self._lines[begin : begin + _SPOONFUL])
            self._is_over.wait(self._pause_s)

    def finish(self):
        self._is_over.set()
        self.join()


class Scene(Place):
    """A broker, topics and a snapshot folder, and the workers on them.

    Parameters
    ----------
    broker, names, folder, n_partitions
        As for `Place`.
    variables
        Environment of all workers beside what leads them here.
    """

    def __init__(self, broker, names, folder, n_partitions=2, **variables):
        super().__init__(broker, names, folder / "snapshots", n_partitions)
        self.kafka["log_level"] = "0"  # a broker that goes away is no news to a test
        self.place = folder
        self.variables = {
            **{
                name: os.environ[name]
                for name in ("PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR")
                if name in os.environ
            },
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            **{
                f"DRIFTLINE_TOPICS_{topic.upper()}": getattr(names, topic)
                for topic in TopicNames.__struct_fields__
            },
            "DRIFTLINE_WORKER_GROUP": names.group,
            "DRIFTLINE_WORKER_SNAPSHOT_FOLDER": str(self.folder),
            **QUICK,
            **variables,
        }
        self.settings = load(environ=self.variables, folder=folder).settings
        self.workers = []
        self.prefix = []
        self._producer = Producer(plain_producer_properties(self.kafka))
        self._asker = Consumer(consumer_properties(self.kafka, group=names.group, member=""))

    def make(self, **configs):
        """Make the topics; settings are given by topic."""
        topics = self.settings.topics
        added = {getattr(topics, topic): config for topic, config in configs.items()}
        specs = [
            msgspec.structs.replace(spec, config={**spec.config, **added.get(spec.name, {})})
            for spec in topic_specs(topics, TopicShape(), self.n_partitions)
        ]
        self.admin.create(specs)
        return self

    def start(
        self, *arguments, slot=0, program=("-X", "faulthandler", "-m", "streams"), **variables
    ):
        """Start a worker."""
        environ = {**self.variables, "DRIFTLINE_WORKER_SLOT": str(slot), **variables}
        words = [*self.prefix, sys.executable, *program, "worker", *arguments]
        worker = Worker(words, environ, self.place / f"worker-{len(self.workers)}")
        self.workers.append(worker)
        return worker

    def start_failing(self, point, n_calls=1, name="KILL", **variables):
        """Start a worker that something befalls: see `tests.kafka.failing_worker`."""
        program = ("-X", "faulthandler", "-m", "tests.kafka.failing_worker")
        program += (point, str(n_calls), name)
        return self.start(program=program, **variables)

    def close(self):
        """End what is left of the workers."""
        for worker in self.workers:
            worker.kill()
        self._asker.close()

    def write(self, outputs):
        """Write records and wait until they are there."""
        self._producer.send(outputs, WAIT_S)
        while self._producer.n_waiting:
            self._producer.wait(1)

    def publish(self, lines):
        """Write views, keyed and partitioned as Java would."""
        self.write(self.views_of(lines))

    def views_of(self, lines):
        return [
            Output(self.names.views, json.loads(line)["user_id"].encode(), line.rstrip())
            for line in lines
        ]

    def publish_content(self, lines):
        self.write(
            Output(self.names.content, json.loads(line)["content_id"].encode(), line.rstrip())
            for line in lines
        )

    @property
    def snapshots(self):
        """Give where its workers keep snapshots."""
        return open_store(self.settings.worker.snapshot_folder, self.settings)

    @property
    def partitions(self):
        return [Partition(self.names.views, number) for number in range(self.n_partitions)]

    def n_committed(self):
        """Give how many records of the views lie behind the committed positions."""
        try:
            found = self._asker.committed(self.partitions, 1.0)
        except KafkaCallError:  # a transaction that is not decided yet
            return -1
        return sum(position.offset for position in found.values() if position)

    def ends(self):
        """Give the offset behind the last view of each partition."""
        return [self._asker.bounds(partition, WAIT_S).end for partition in self.partitions]

    def wait_for(self, n_committed=None, *, workers=(), timeout_s=WAIT_S):
        """Wait until so many records, by default all, are committed."""
        n_wanted = sum(self.ends()) if n_committed is None else n_committed
        what = f"{n_wanted} records committed"
        wait_until(
            lambda: self.n_committed() >= n_wanted, what, timeout_s=timeout_s, workers=workers
        )

    def finish(self, *workers, timeout_s=WAIT_S):
        """Wait until the workers have committed everything, then stop them."""
        self.wait_for(workers=workers, timeout_s=timeout_s)
        wait_until(
            lambda: sum(worker.log().count(READY) for worker in workers) >= self.n_partitions,
            "all partitions ready",
            workers=workers,
        )
        for worker in workers:
            worker.send(signal.SIGTERM)
        codes = [worker.ended() for worker in workers]
        assert codes == [0] * len(workers), "\n".join(worker.gist() for worker in workers)

    def newest(self, number):
        """Give the newest snapshot of a partition, which must be valid."""
        snapshot, problems = newest_snapshot(self.snapshots / owner_of(number))
        assert not problems
        return snapshot

    def check(self, *, content=(), begins=(), is_saved=True):
        """Check all that workers wrote against an uninterrupted run; return the oracles.

        Every list equals the one that the uninterrupted run makes at the same event, every user's
        last list is there, dead letters, outcomes and drift records are the same one by one, and so
        is the state of each partition at the end. ``begins`` are the offsets of the partitions from
        which on there are any.
        """
        views = self.read(self.names.views)
        written = self.read(self.names.recommendations)
        letters = self.read(self.names.dead_letter)
        outcomes, drift = self.outcomes(), self.drift()
        oracles = []
        for number in range(self.n_partitions):
            folded = folded_lists(written[Partition(self.names.recommendations, number)], number)
            oracle = Oracle(self.settings, number, content)
            own = views[Partition(self.names.views, number)]
            if begins:
                oracle.pass_over([r for r in own if r.offset() < begins[number]])
                own = [r for r in own if r.offset() >= begins[number]]
            oracle.take(own, folded.get(NEW_USERS, ()))
            oracle.check_lists(folded)
            dead = [_origin(r) for r in letters[Partition(self.names.dead_letter, number)]]
            assert dead == oracle.refused
            assert outcomes.get(str(number).encode(), []) == oracle.aggregates
            assert drift.get(number, []) == oracle.drift
            if is_saved and oracle.next_offset:
                snapshot = self.newest(number)
                assert snapshot.manifest.next_offset == oracle.next_offset
                assert_same_state(snapshot.arrays, oracle.pipeline.snapshot())
            oracles.append(oracle)
        return oracles

    def outcomes(self):
        """Give the values of the outcomes by key, in order."""
        found = {}
        for records in self.read(self.names.outcomes).values():
            for record in records:
                found.setdefault(record.key(), []).append(record.value())
        return found

    def drift(self):
        """Give the values of the drift records by partition, in order; each key is an episode."""
        found = {}
        for records in self.read(self.names.drift).values():
            for record in records:
                assert record.key().decode() == json.loads(record.value())["episode"]
                number = int(record.key().partition(b"-")[0])
                found.setdefault(number, []).append(record.value())
        return found


def _origin(record):
    headers = dict(record.headers())
    return int(headers["__connect.errors.offset"]), headers["driftline.reason"].decode()
