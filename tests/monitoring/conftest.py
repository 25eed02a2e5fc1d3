"""Prometheus and promtool, where they are."""

import shutil
import subprocess

import pytest

from tests.monitoring.server import PrometheusServer


def program(name, outside):
    """Give the path of a program; skip without it, but fail where it is required."""
    found = shutil.which(name)
    if found is None and outside.get("DRIFTLINE_REQUIRE_PROMETHEUS") == "1":
        pytest.fail(f"DRIFTLINE_REQUIRE_PROMETHEUS is set, but there is no {name}")
    if found is None:
        pytest.skip(f"{name} is not there (Debian's package prometheus has it)")
    return found


@pytest.fixture(scope="session")
def promtool(outside):
    """Give a function that runs promtool and gives its exit code and all it says."""
    path = program("promtool", outside)

    def run(*arguments, text=None):
        words = [path, *map(str, arguments)]
        done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def prometheus(outside, tmp_path):
    """Give a function that starts a Prometheus on some targets; it ends with the test."""
    path = program("prometheus", outside)
    servers = []

    def start(targets, **options):
        server = PrometheusServer(path, tmp_path / f"prometheus-{len(servers)}", targets, **options)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()
