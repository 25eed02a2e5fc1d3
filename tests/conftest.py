"""What every test may rely on: the same examples every run, and no settings from outside."""

import os

import pytest
from hypothesis import settings

from tests.object_storage import S3Server

# A failure must be repeatable by anybody, and shared machines make deadlines flaky.
settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
settings.load_profile("ci")

_SETTINGS = {
    name: os.environ.pop(name)
    for name in list(os.environ)
    if name.startswith(("DRIFTLINE_", "KAFKA_"))
}


@pytest.fixture(scope="session")
def outside():
    """Give the environment as the session was started with."""
    return {**os.environ, **_SETTINGS}


@pytest.fixture(scope="session")
def s3():
    """Give a server that speaks S3."""
    server = S3Server().start()
    yield server
    server.stop()


@pytest.fixture
def own_s3():
    """Give one to a test that stops or freezes it."""
    server = S3Server().start()
    yield server
    server.stop()
