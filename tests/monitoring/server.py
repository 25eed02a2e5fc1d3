"""A real Prometheus that scrapes what a test names, every fifth of a second."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

WAIT_S = 60.0
EVERY = "200ms"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_until(answer, what, timeout_s=WAIT_S):
    """Return the first answer that is true."""
    deadline = time.monotonic() + timeout_s
    while not (found := answer()):
        if time.monotonic() > deadline:
            raise AssertionError(
                f"not within {timeout_s:g} s: {what() if callable(what) else what}"
            )
        time.sleep(0.05)
    return found


def quick(paths, folder):
    """Give copies of files of rules whose alerts wait for nothing."""
    copies = [folder / path.name for path in paths]
    for path, copy in zip(paths, copies, strict=True):
        lines = path.read_text("utf-8").splitlines()
        text = "\n".join(line for line in lines if " for: " not in line)
        copy.write_text(text, encoding="utf-8")
    return copies


def states(server):
    """Give the states of all alerts that are not inactive."""
    found = server.api("alerts")["alerts"]
    return {alert["labels"]["alertname"]: alert["state"] for alert in found}


class PrometheusServer:
    """A process of its own, ended by its id.

    Parameters
    ----------
    path
        Of the program.
    folder
        For its configuration and data.
    targets
        ``host:port`` of what it scrapes.
    rules
        Files of rules.
    blocks
        Folder of blocks to begin with.
    """

    def __init__(self, path, folder, targets, *, rules=(), blocks=None):
        folder.mkdir()
        job = {"job_name": "driftline", "static_configs": [{"targets": list(targets)}]}
        config = {
            "global": {"scrape_interval": EVERY, "evaluation_interval": EVERY},
            "rule_files": [str(rule) for rule in rules],
            "scrape_configs": [job],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.address = f"http://127.0.0.1:{free_port()}"
        words = [
            path,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={blocks or folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={self.address.removeprefix('http://')}",
            "--log.level=error",
        ]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log)
        wait_until(self._is_ready, "Prometheus is ready")

    def query(self, expression, at=None):
        """Give the result of an expression: labels and value of each series."""
        asked = {"query": expression} | ({} if at is None else {"time": at})
        found = self.api(f"query?{urllib.parse.urlencode(asked)}")
        if found["resultType"] == "scalar":
            return [({}, float(found["result"][1]))]
        return [(row["metric"], float(row["value"][1])) for row in found["result"]]

    def api(self, path):
        """Give what the HTTP API answers; its error is the test's."""
        try:
            place = f"{self.address}/api/v1/{path}"
            with urllib.request.urlopen(place, timeout=10) as answer:  # noqa: S310  our own server
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from error

    def close(self):
        self._process.terminate()
        self._process.wait(30)

    def _is_ready(self):
        assert self._process.poll() is None, "Prometheus has ended"
        try:
            with urllib.request.urlopen(f"{self.address}/-/ready", timeout=5):  # noqa: S310
                return True
        except OSError:
            return False
