"""The broker in a container, where a Docker engine answers."""

import gc
import time
import warnings

from tests.kafka.broker import QUICK, Broker, free_ports, wait_until_ready
from tests.kafka.jars import NoBrokerError

PORT = 9093


def check_docker():
    """Raise :class:`NoBrokerError` unless testcontainers is there and an engine answers."""
    try:
        import docker
        from testcontainers.community import kafka as _kafka  # noqa: F401
    except ImportError as error:
        raise NoBrokerError(f"no testcontainers ({error.name} is missing)") from None
    with warnings.catch_warnings():
        # Where no engine answers the SDK leaves its socket open, and pytest would fail for it.
        warnings.simplefilter("ignore", ResourceWarning)
        answers = _answers(docker)
        gc.collect()
    if not answers:
        raise NoBrokerError("no Docker engine answers")


def _answers(docker):
    try:
        docker.from_env(timeout=5).close()
    except docker.errors.DockerException:
        return False
    return True


class ContainerBroker(Broker):
    """The image of testcontainers, at a fixed port so that a restart keeps the address."""

    def __init__(self):
        from testcontainers.community.kafka import KafkaContainer

        (port,) = free_ports(1)
        self._container = KafkaContainer(port=PORT).with_kraft().with_bind_ports(PORT, port)
        for name, value in QUICK.items():
            self._container.with_env("KAFKA_" + name.upper().replace(".", "_"), str(value))
        self._is_made = False
        super().__init__(f"{self._container.get_container_host_ip()}:{port}")

    def start(self, timeout_s=60.0):
        if not self._is_made:
            self._container.start(timeout=int(timeout_s))
            self._is_made = True
        elif self._status() == "exited":
            self._wrapped.start()
        wait_until_ready(self.bootstrap, timeout_s)

    def stop(self):
        self.thaw()
        self._wrapped.stop(timeout=60)

    def kill(self):
        if self._status() != "exited":
            self._wrapped.kill()
            self._wait_for("exited")

    def freeze(self):
        self._wrapped.pause()

    def thaw(self):
        if self._status() == "paused":
            self._wrapped.unpause()

    def log(self):
        return self._wrapped.logs().decode(errors="replace")

    def close(self):
        if self._is_made:
            self._container.stop()

    @property
    def _wrapped(self):
        return self._container.get_wrapped_container()

    def _status(self):
        self._wrapped.reload()
        return self._wrapped.status

    def _wait_for(self, status):
        while self._status() != status:
            time.sleep(0.05)
