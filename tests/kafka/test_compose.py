"""Our services of the compose file, as processes of this machine, on a real broker.

Commands and environment are those of the file. Rewritten are the address of the broker, the
folders and the ports of the containers, and the names of topics and group, which other tests must
not meet.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.events import Recommendation
from streams.kafka import Consumer
from streams.kafka_clients import reader_properties
from streams.kafka_records import Partition
from streams.slots import ordinal_of
from tests.composition import INNER, ROOT, environment, mounts, said, seconds, service
from tests.monitoring.server import free_port

WAIT_S = 120
N_PARTITIONS = 4
PORT = "9108"
# A container's; the name of this machine may have a number that would be taken for a slot.
HOSTNAME = "3f2a9c1b0d12"
PROGRAM = f"""
import runpy, socket, sys
socket.gethostname = lambda: {HOSTNAME!r}
runpy.run_module("streams", run_name="__main__")
"""


class Composed:
    """The services of the file, rewritten for one test.

    Parameters
    ----------
    bootstrap
        Address of the broker.
    folder
        Where volumes and temporary folders are.
    names
        Topics and group that nobody else uses.
    """

    def __init__(self, bootstrap, folder, names):
        self.bootstrap = bootstrap
        self.folder = folder
        self.own = {
            "DRIFTLINE_TOPICS_VIEWS": names.views,
            "DRIFTLINE_TOPICS_CONTENT": names.content,
            "DRIFTLINE_TOPICS_RECOMMENDATIONS": names.recommendations,
            "DRIFTLINE_TOPICS_DEAD_LETTER": names.dead_letter,
            "DRIFTLINE_TOPICS_OUTCOMES": names.outcomes,
            "DRIFTLINE_TOPICS_DRIFT": f"drift-{names.group}",
            "DRIFTLINE_WORKER_GROUP": names.group,
        }
        self.processes = []
        self._ports = {}

    def start(self, name, replica=0):
        """Start a service; its log goes to a file."""
        assert said("ENTRYPOINT") == ["driftline"]
        arguments = [self.rewritten(word, name, replica) for word in service(name)["command"]]
        with self.log_of(name, replica).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *arguments],
                env=self.environment(name, replica),
                cwd=self.writable(name, replica),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def run(self, name):
        """Run a service that ends by itself; give its exit code."""
        return self.start(name).wait(timeout=WAIT_S)

    def is_healthy(self, name, replica=0):
        """Ask the health check of a service."""
        command, *arguments = service(name)["healthcheck"]["test"][1:]
        assert command == "python"
        arguments = [self.rewritten(word, name, replica) for word in arguments]
        done = subprocess.run([sys.executable, *arguments], env=self.environment(name), check=False)
        return done.returncode == 0

    def environment(self, name, replica=0):
        """Give what a service sees: its own variables and what Python needs here."""
        given = {
            key: self.rewritten(value, name, replica) for key, value in environment(name).items()
        }
        # The kernels of this checkout are warm; the image has its own.
        for variable in ("NUMBA_CACHE_DIR", "NUMBA_CPU_NAME"):
            given.pop(variable)
        here = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        return {**here, "PYTHONPATH": str(ROOT), **given, **self.own}

    def rewritten(self, word, name, replica=0):
        """Give a word with the addresses and folders of this machine."""
        folders = {"/tmp": self.writable(name, replica)}  # noqa: S108  of the container
        folders |= {where: self.volume(volume) for where, volume in mounts(name).items()}
        for where, here in folders.items():
            if word == where or word.startswith(f"{where}/"):
                return str(here) + word.removeprefix(where)
        return word.replace(INNER, self.bootstrap).replace(PORT, self.port(name, replica))

    def port(self, name, replica=0):
        """Give the port of one container: each has a network of its own, a process has not."""
        return self._ports.setdefault((name, replica), str(free_port()))

    def volume(self, name):
        """Give the folder of a named volume, which services share."""
        return self._made(self.folder / "volumes" / name)

    def writable(self, name, replica=0):
        """Give the temporary folder of one container."""
        return self._made(self.folder / "tmp" / f"{name}-{replica}")

    def log_of(self, name, replica=0):
        return self._made(self.folder / "logs") / f"{name}-{replica}.log"

    def logs(self):
        paths = sorted((self.folder / "logs").glob("*.log"))
        return "\n".join(f"--- {path.stem}\n{path.read_text('utf-8')}" for path in paths)

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()

    def _made(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@pytest.fixture
def composed(broker, tmp_path, topic_names):
    services = Composed(broker.bootstrap, tmp_path, topic_names)
    yield services
    services.close()
    print(services.logs())  # noqa: T201  pytest shows it when a test fails


@pytest.fixture
def lists(broker, topic_names):
    """Give a function that reads the next committed lists."""
    reader = Consumer(reader_properties({"bootstrap.servers": broker.bootstrap}))
    is_assigned = False

    def read(n_lists, still_needed):
        nonlocal is_assigned
        if not is_assigned:
            topic = topic_names.recommendations
            reader.assign({Partition(topic, number): 0 for number in range(N_PARTITIONS)})
            is_assigned = True
        found = []
        deadline = time.monotonic() + WAIT_S
        while len(found) < n_lists:
            assert time.monotonic() < deadline, f"only {len(found)} lists came"
            assert still_needed.poll() is None, "the worker ended by itself"
            found += reader.consume(500, 0.1)
        return found

    yield read
    reader.close()


def stopped(process, number=signal.SIGTERM):
    """Stop a process as Compose does, within its grace; give its exit code."""
    process.send_signal(number)
    return process.wait(timeout=seconds(service("worker")["stop_grace_period"]))


def until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)


def test_containers_have_no_number_in_their_names():
    assert ordinal_of(HOSTNAME) is None


def test_what_comes_up_recommends_and_stops_cleanly(composed, lists, topic_names):
    assert composed.run("topics") == 0
    assert composed.run("simulation") == 0
    worker, publisher = composed.start("worker"), composed.start("publisher")

    records = lists(50, still_needed=worker)
    for record in records:
        made = json.loads(record.value())
        based_on = made["based_on"]
        assert made.keys() == set(Recommendation.__struct_fields__)
        assert made["user_id"] == record.key().decode()
        assert (based_on["topic"], based_on["partition"]) == (
            topic_names.views,
            record.partition(),
        )
    assert any(json.loads(record.value())["items"] for record in records)
    assert composed.is_healthy("worker")

    assert stopped(publisher) == 130
    assert stopped(worker) == 0
    snapshots = composed.volume("snapshots") / "snapshots"
    assert list(snapshots.glob("partition-*/*/manifest.json"))
    assert composed.run("topics") == 0


def test_a_worker_that_is_gone_is_not_healthy(composed):
    assert not composed.is_healthy("worker")


def test_scaled_workers_share_the_work_by_slots_of_one_folder(composed, lists):
    assert composed.run("topics") == 0
    assert composed.run("simulation") == 0
    workers = [composed.start("worker", replica) for replica in range(2)]
    slots = composed.volume("snapshots") / "snapshots" / "slots"
    until(lambda: len(list(slots.glob("*.lock"))) == 2, "two slots")
    assert sorted(path.name for path in slots.iterdir()) == ["0.lock", "1.lock"]

    publisher = composed.start("publisher")
    lists(50, still_needed=workers[0])
    until(lambda: all(composed.is_healthy("worker", r) for r in range(2)), "both healthy")
    assert stopped(publisher) == 130
    assert [stopped(worker) for worker in workers] == [0, 0]


def test_the_folders_of_the_containers_are_rewritten(composed):
    kept = composed.rewritten("/var/lib/driftline/snapshots", "worker")
    assert Path(kept) == composed.volume("snapshots") / "snapshots"
    assert Path(composed.rewritten("/tmp/x", "worker", 1)).parent.name == "worker-1"  # noqa: S108
    assert composed.rewritten("/var/lib/driftline/log", "worker") != (
        composed.rewritten("/var/lib/driftline/log", "publisher")
    )
    assert composed.rewritten("worker", "worker") == "worker"
