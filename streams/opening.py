"""What a worker does before it joins: it checks the topics and reads the catalogue.

Brokers that are away are waited for, with a line in the log now and then and the heartbeat going
on, because a restart would not help.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from streams.content_feed import ContentFeed
from streams.kafka import Admin, Consumer
from streams.kafka_clients import admin_properties, reader_properties
from streams.kafka_errors import KafkaCallError, Verdict
from streams.logging_lines import Seldom
from streams.topics import TopicShape, check_problems, problems, warnings

if TYPE_CHECKING:
    from streams.heartbeat import Heartbeat
    from streams.settings import Settings
    from streams.stop import Stop

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")

RETRY_S = 1.0
ANSWER_S = 5.0


class Patience:
    """Waits as long as it takes, unless it is asked to stop.

    Parameters
    ----------
    stop
        The request to stop.
    heartbeat
        Goes on meanwhile.
    """

    def __init__(self, stop: Stop, heartbeat: Heartbeat) -> None:
        self.stop = stop
        self.heartbeat = heartbeat
        self._away = Seldom(_log)

    def goes_on(self) -> bool:
        """Beat, and tell whether to go on."""
        self.heartbeat.beat()
        return not self.stop.is_asked

    def wait(self, seconds: float) -> None:
        """Let the time pass, unless it is asked to stop."""
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0 and self.goes_on():
            time.sleep(min(left_s, RETRY_S / 5))

    def answer(self, ask: Callable[[], _Answer | None]) -> _Answer | None:
        """Ask until there is an answer; None when it is asked to stop before."""
        while self.goes_on():
            try:
                answer = ask()
            except KafkaCallError as error:
                if error.verdict is not Verdict.RETRY:
                    raise
                self._away.warning("%s; trying again", error)
                self.heartbeat.is_broker_away = True
                answer = None
            if answer is not None:
                self._away.over("the brokers answer again")
                self.heartbeat.is_broker_away = False
                return answer
            self.wait(RETRY_S)
        return None


def opened_content(settings: Settings, patience: Patience) -> ContentFeed | None:
    """Check the topics and read all content; None when it is asked to stop before.

    Raises
    ------
    TopicError
        A topic is missing or not as it must be.
    """
    admin = Admin(admin_properties(settings.kafka), timeout_s=ANSWER_S)
    n_partitions = patience.answer(lambda: _checked_topics(settings, admin))
    if n_partitions is None:
        return None
    feed = ContentFeed(
        Consumer(reader_properties(settings.kafka)),
        settings.topics.content,
        n_partitions,
        max_bytes=settings.quality.max_event_bytes,
    )
    is_read = patience.answer(lambda: feed.open(patience.goes_on) or None)
    if not is_read:
        feed.close()
    return feed if is_read else None


def _checked_topics(settings: Settings, admin: Admin) -> int:
    """Refuse wrong topics; return how many partitions content has."""
    names = settings.topics
    found = admin.describe(msgspec.structs.astuple(names))
    check_problems(problems(names, TopicShape(), found))
    for warning in warnings(names, found):
        _log.warning("%s", warning)
    content = found[names.content]
    return content.n_partitions if content else 0
