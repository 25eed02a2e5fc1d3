"""A real Kafka for a session of tests, and what can be done to it.

In this order: the one that ``KAFKA_BOOTSTRAP_SERVERS`` names, a container when a Docker engine
answers, Apache Kafka's jars on the local Java.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka.jars import NoBrokerError, cache_folder, java, kafka_jars

CLUSTER_ID = "ZHJpZnRsaW5lLXRlc3RzLQ"  # any 16 bytes in base64
# Below the ports that the system gives to outgoing connections: a client that knocks at a port
# of that range while the broker is down may connect to itself.
PORTS = range(20_000, 32_000)

# What makes one node enough, and start, stop and recover in seconds.
QUICK = {
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 500,
    "group.consumer.session.timeout.ms": 3_000,
    "group.consumer.min.session.timeout.ms": 500,
    "group.consumer.heartbeat.interval.ms": 300,
    "group.consumer.min.heartbeat.interval.ms": 100,
    "broker.session.timeout.ms": 1_000,
    "broker.heartbeat.interval.ms": 100,
    "log.cleaner.dedupe.buffer.size": 8_388_608,
    "log.cleaner.backoff.ms": 200,
    "log.retention.check.interval.ms": 500,
    "log.initial.task.delay.ms": 500,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 200,
}
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class Broker:
    """One Kafka node.

    Attributes
    ----------
    bootstrap
        Address for ``bootstrap.servers``; stays the same over restarts.
    is_ours
        Whether it was started here and may therefore be stopped, killed and frozen.
    """

    is_ours = True

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def start(self, timeout_s=60.0):
        """Start it where it is down and return once it answers; its data are kept."""
        raise NotImplementedError

    def stop(self):
        """Stop it as an operator does: SIGTERM, then wait for the end."""
        raise NotImplementedError

    def kill(self):
        """End it at once: SIGKILL."""
        raise NotImplementedError

    def freeze(self):
        """Stop the process without ending it: connections stay open and nothing answers."""
        raise NotImplementedError

    def thaw(self):
        """Let a frozen process go on."""
        raise NotImplementedError

    def log(self):
        """Give the text of its log."""
        raise NotImplementedError

    def close(self):
        """End it for good; does nothing to a broker that was not started here."""
        raise NotImplementedError

    def restart(self):
        self.stop()
        self.start()

    def mend(self):
        """Leave it running, whatever a test did to it."""
        self.thaw()
        self.start()


class ForeignBroker(Broker):
    """A broker that somebody else runs."""

    is_ours = False

    def start(self, timeout_s=60.0):
        wait_until_ready(self.bootstrap, timeout_s)

    def thaw(self):
        pass

    def log(self):
        return ""

    def close(self):
        pass


class JavaBroker(Broker):
    """Apache Kafka's jars in a process of their own, as broker and controller in one.

    Parameters
    ----------
    java_path, jars
        Program and folder of the jars.
    folder
        Empty folder for its settings, data and log.
    """

    def __init__(self, java_path, jars, folder):
        port, controller_port = free_ports(2)
        super().__init__(f"127.0.0.1:{port}")
        self.log_file = folder / "broker.log"
        self._properties = folder / "server.properties"
        self._java = [java_path, *JVM, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        self._java += ["-cp", f"{jars}/*"]
        self._process = None
        self._format(folder / "data", port, controller_port)

    @property
    def pid(self):
        return self._process.pid if self._is_running() else None

    def start(self, timeout_s=60.0):
        if self._is_running():
            return
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*_dies_with_parent(), *self._java, "kafka.Kafka", str(self._properties)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until_ready(self.bootstrap, timeout_s, self._check_alive)

    def stop(self):
        self.thaw()
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)
        # Until every thread has stopped, one of them may still answer.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self):
        if self._is_running():
            self._process.send_signal(signal.SIGCONT)

    def log(self):
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def close(self):
        self.kill()

    def _is_running(self):
        return self._process is not None and self._process.poll() is None

    def _end(self, number):
        if self._is_running():
            self._process.send_signal(number)
            self._process.wait(timeout=60)

    def _check_alive(self):
        if not self._is_running():
            lines = self.log().splitlines()[-20:]
            raise RuntimeError("\n".join(["the broker ended by itself:", *lines]))

    def _format(self, data, port, controller_port):
        text = server_properties(data, port, controller_port)
        self._properties.write_text(text, encoding="utf-8")
        tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID]
        done = subprocess.run(
            [*self._java, *tool, "-c", str(self._properties)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the broker's storage cannot be made:\n{done.stdout}{done.stderr}")


def server_properties(data, port, controller_port):
    """Give the text of the settings of a single node."""
    own = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
    }
    return "".join(f"{name}={value}\n" for name, value in {**own, **QUICK}.items())


def open_broker(environ, folder, timeout_s=60.0):
    """Give a running broker by the first way that is open.

    Raises
    ------
    NoBrokerError
        None is; the text says why not, in one line.
    """
    if environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        broker = ForeignBroker(environ["KAFKA_BOOTSTRAP_SERVERS"])
    else:
        broker = _own_broker(environ, folder)
    try:
        broker.start(timeout_s)
    except BaseException:
        broker.close()
        raise
    return broker


def _own_broker(environ, folder):
    from tests.kafka.container import ContainerBroker, check_docker

    reasons = []
    try:
        check_docker()
        return ContainerBroker()
    except NoBrokerError as error:
        reasons.append(str(error))
    try:
        return JavaBroker(java(environ), kafka_jars(cache_folder(environ)), Path(folder))
    except NoBrokerError as error:
        reasons.append(str(error))
    raise NoBrokerError("; ".join(["KAFKA_BOOTSTRAP_SERVERS is not set", *reasons]))


def wait_until_ready(bootstrap, timeout_s, check_alive=lambda: None):
    """Return once the broker lists its topics."""
    deadline = time.monotonic() + timeout_s
    # A broker that is not up yet is no news, so the client keeps it to itself.
    quiet = {"log_level": 0, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100}
    admin = AdminClient({"bootstrap.servers": bootstrap, **quiet})
    while True:
        check_alive()
        try:
            admin.list_topics(timeout=0.5)
        except KafkaException:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no broker answers at {bootstrap}") from None
        else:
            return


def free_ports(n_ports):
    """Give ports of this machine that nobody listens at."""
    found = []
    for port in random.SystemRandom().sample(PORTS, k=len(PORTS)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) and _can_bind(port):
                found.append(port)
        if len(found) == n_ports:
            return found
    raise RuntimeError("no free port")


def _can_bind(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _dies_with_parent():
    """Give the prefix by which a test session that is killed takes the broker with it."""
    path = shutil.which("setpriv") if os.name == "posix" else None
    return [path, "--pdeathsig", "KILL"] if path else []
