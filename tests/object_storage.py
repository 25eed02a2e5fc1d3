"""A server that speaks S3, in a process of its own on this machine, and stores that are on it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid

from streams.locations import open_store
from streams.settings import Settings
from streams.worker_settings import WorkerSettings

WAIT_S = 30
KEYS = {"aws_access_key_id": "driftline", "aws_secret_access_key": "s3cret", "aws_region": "eu-1"}


class S3Server:
    """Moto's server; what it holds is gone once it has stopped.

    Attributes
    ----------
    address : str
        Stays the same when it is started again.
    """

    def __init__(self):
        with socket.socket() as some:
            some.bind(("127.0.0.1", 0))
            self._port = some.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        self._process = None

    def start(self):
        """Start it and return once it answers."""
        words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                self._ask("GET", "/moto-api/data.json")
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return self

    def stop(self):
        """End it, also when it is frozen."""
        self._process.kill()
        self._process.wait()

    def freeze(self):
        """Let it accept connections and answer none."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self._process.pid, signal.SIGCONT)

    def new_bucket(self):
        """Make a bucket and return the URL of a prefix in it."""
        name = f"b{uuid.uuid4().hex}"
        self._ask("PUT", f"/{name}")
        return f"s3://{name}/snap/shots"

    def options(self):
        """Give the ``[snapshot_store]`` table that leads here."""
        return {**KEYS, "aws_endpoint": self.address, "allow_http": "true"}

    def variables(self):
        """Give the same as variables of driftline."""
        return {f"DRIFTLINE_SNAPSHOT_STORE_{k.upper()}": v for k, v in self.options().items()}

    def store(self, url, budget_s=WAIT_S, **options):
        """Open a store, with other options added."""
        settings = Settings(
            worker=WorkerSettings(snapshot_folder=url, store_budget_s=budget_s),
            snapshot_store={**self.options(), **options},
        )
        return open_store(url, settings)

    def _ask(self, method, path):
        request = urllib.request.Request(self.address + path, method=method)  # noqa: S310  ours
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:  # noqa: S310
            answer.read()
