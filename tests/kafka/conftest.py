"""A broker for the session, started by the first test that asks for it."""

import atexit
import uuid
from typing import NamedTuple

import pytest

from tests.kafka.broker import open_broker
from tests.kafka.jars import NoBrokerError


class TopicNames(NamedTuple):
    """Names that no other test uses."""

    views: str
    content: str
    recommendations: str
    dead_letter: str
    outcomes: str
    drift: str
    group: str
    transactional_id: str


@pytest.fixture(scope="session")
def session_broker(outside, tmp_path_factory):
    try:
        broker = open_broker(outside, tmp_path_factory.mktemp("kafka"))
    except NoBrokerError as error:
        if outside.get("DRIFTLINE_REQUIRE_KAFKA") == "1":
            pytest.fail(f"DRIFTLINE_REQUIRE_KAFKA is set, but there is no broker: {error}")
        pytest.skip(f"no broker: {error}")
    atexit.register(broker.close)
    yield broker
    broker.close()
    atexit.unregister(broker.close)


@pytest.fixture
def broker(session_broker):
    """Give the session's broker; it runs again after the test, whatever the test did to it."""
    yield session_broker
    session_broker.mend()


@pytest.fixture
def own_broker(broker):
    """Give the broker to a test that stops, kills or freezes it."""
    if not broker.is_ours:
        pytest.skip("the broker of KAFKA_BOOTSTRAP_SERVERS may not be stopped by tests")
    return broker


@pytest.fixture
def topic_names():
    mark = uuid.uuid4().hex[:12]
    return TopicNames(*(f"{field}-{mark}" for field in TopicNames._fields))
