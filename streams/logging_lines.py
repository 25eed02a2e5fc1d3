"""Log lines of long-running commands: JSON objects, or plain text on a terminal.

No line carries a payload or the id of a user.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TextIO


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


def start_log(file: TextIO, *, level: int = logging.INFO) -> None:
    """Send log lines of driftline to a file; librdkafka's warnings come with them."""
    handler = logging.StreamHandler(file)
    plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(plain if file.isatty() else JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
