"""Log lines of long-running commands: JSON objects, or plain text on a terminal.

No line carries a payload or the id of a user.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

SELDOM_S = 60.0
CLIENT_LOG = "streams.kafka"


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class Seldom:
    """Says that something lasts: when it begins, once a minute, and when it is over.

    Parameters
    ----------
    log
        Where it says so.
    clock
        Seconds that never go back.
    """

    def __init__(self, log: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._began_s: float | None = None
        self._next_s = 0.0

    def warning(self, text: str, *arguments: object) -> None:
        """Warn, unless it was said within the last minute."""
        now_s = self._clock()
        if self._began_s is None:
            self._began_s = self._next_s = now_s
        if now_s >= self._next_s:
            self._next_s = now_s + SELDOM_S
            self._log.warning(text, *arguments)

    def over(self, text: str) -> None:
        """Say that it is over, and how long it lasted, if there was anything."""
        if self._began_s is not None:
            self._log.info("%s, after %.0f s", text, self._clock() - self._began_s)
            self._began_s = None


class Calm(logging.Filter):
    """Lets what librdkafka says of connections through once a minute, by kind.

    While brokers are away it says the same of every attempt of every client. A kind is what stands
    before its first blank: ``FAIL``, ``ERROR``, ``REQTMOUT``. What is worse than an error always
    passes.

    Parameters
    ----------
    clock
        Seconds that never go back.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._next_s: dict[str, float] = {}
        self._n_left_out: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to let a line through; it then says how many like it were left out."""
        if record.levelno > logging.ERROR:
            return True
        text = record.getMessage()
        kind, now_s = text.partition(" ")[0], self._clock()
        if now_s < self._next_s.get(kind, now_s):
            self._n_left_out[kind] = self._n_left_out.get(kind, 0) + 1
            return False
        self._next_s[kind] = now_s + SELDOM_S
        n_left_out = self._n_left_out.pop(kind, 0)
        if n_left_out:
            record.msg, record.args = f"{text} ({n_left_out} more like it before)", None
        return True


def start_log(file: TextIO, *, level: int = logging.INFO) -> None:
    """Send log lines of driftline to a file; librdkafka's warnings come with them."""
    handler = logging.StreamHandler(file)
    plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(plain if file.isatty() else JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    client_log = logging.getLogger(CLIENT_LOG)
    for calm in [known for known in client_log.filters if isinstance(known, Calm)]:
        client_log.removeFilter(calm)
    client_log.addFilter(Calm())
