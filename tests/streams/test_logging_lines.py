import io
import json
import logging

import pytest

from streams.logging_lines import CLIENT_LOG, SELDOM_S, Calm, Seldom, start_log


class Clock:
    now_s = 1_000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def log():
    """Give a logger, and the texts it has let through."""
    found = logging.getLogger("tests.logging_lines")
    found.propagate = False
    found.setLevel(logging.DEBUG)
    texts = []
    handler = logging.Handler()
    handler.emit = lambda record: texts.append(record.getMessage())
    found.addHandler(handler)
    yield found, texts
    found.handlers.clear()
    found.filters.clear()


def test_what_a_client_says_of_every_attempt_is_said_once_a_minute(log, clock):
    logger, texts = log
    logger.addFilter(Calm(clock=clock))
    for attempt in range(100):
        clock.now_s += 0.5
        logger.error("%s [%s] %s", "FAIL", "driftline#consumer-1", f"refused ({attempt})")
    clock.now_s += SELDOM_S
    logger.error("%s [%s] %s", "FAIL", "driftline#producer-2", "refused (again)")
    assert texts == [
        "FAIL [driftline#consumer-1] refused (0)",
        "FAIL [driftline#producer-2] refused (again) (99 more like it before)",
    ]


def test_another_kind_and_what_is_worse_pass_at_once(log, clock):
    logger, texts = log
    logger.addFilter(Calm(clock=clock))
    for text in ("FAIL [a] x", "ERROR [a] y", "FAIL [a] z"):
        logger.error(text)
        logger.critical("FATAL [a] fenced")
    assert texts == [
        "FAIL [a] x",
        "FATAL [a] fenced",
        "ERROR [a] y",
        "FATAL [a] fenced",
        "FATAL [a] fenced",
    ]


def test_the_log_of_a_command_is_calm():
    client, root, text = logging.getLogger(CLIENT_LOG), logging.getLogger(), io.StringIO()
    before, level = list(root.handlers), root.level
    try:
        for _ in range(2):
            start_log(text)
        for _ in range(3):
            client.error("FAIL [a] refused")
    finally:
        for calm in list(client.filters):
            client.removeFilter(calm)
        root.handlers[:] = before
        root.setLevel(level)
    (line,) = text.getvalue().splitlines()
    assert json.loads(line)["message"] == "FAIL [a] refused"


def test_what_lasts_is_told_when_it_begins_once_a_minute_and_when_it_is_over(log, clock):
    logger, texts = log
    seldom = Seldom(logger, clock=clock)
    for _ in range(70):
        seldom.warning("no broker at %s", "here")
        clock.now_s += 1
    seldom.over("the brokers answer again")
    seldom.over("the brokers answer again")
    assert texts == ["no broker at here"] * 2 + ["the brokers answer again, after 70 s"]
    seldom.warning("gone")
    assert texts[-1] == "gone"
