"""The content topic as a worker follows it: all of it, outside the group, newest row a title.

In: ``content``, compacted, key content id; a null value withdraws the title. Rows take effect
between transactions. Their order among views is outside the promise that a replay equals the live
run (DESIGN P2).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from streams.decoding import JsonDecoder
from streams.errors import RejectedEvent
from streams.events import Content
from streams.kafka import Consumer
from streams.kafka_errors import KafkaCallError, Verdict
from streams.kafka_records import Partition, Record

_log = logging.getLogger(__name__)

BATCH = 5_000
ANSWER_S = 5.0


class ContentFeed:
    """Follows the content topic.

    Parameters
    ----------
    reader
        A consumer without a group.
    topic, n_partitions
        What it reads.
    max_bytes
        Size limit of a record.

    Attributes
    ----------
    titles : dict[str, Content | None]
        The newest row of each title, None where it was withdrawn; those with the oldest news
        first, as the catalogues of the partitions have them.
    n_refused : int
        Rows that are no content metadata.
    """

    def __init__(self, reader: Consumer, topic: str, n_partitions: int, *, max_bytes: int) -> None:
        self._reader = reader
        self._partitions = [Partition(topic, number) for number in range(n_partitions)]
        self._decoder = JsonDecoder(max_bytes=max_bytes)
        self.titles: dict[str, Content | None] = {}
        self.n_refused = 0

    def open(self, is_wanted: Callable[[], bool]) -> bool:
        """Read all that is there; return whether a broker answered.

        ``is_wanted`` is asked between two batches whether to go on.
        """
        try:
            bounds = {p: self._reader.bounds(p, ANSWER_S) for p in self._partitions}
            self._reader.assign({p: found.first for p, found in bounds.items()})
            while is_wanted() and any(
                found.first < found.end and (self._reader.position(p) or 0) < found.end
                for p, found in bounds.items()
            ):
                self._take(self._reader.consume(BATCH, 0.1))
        except KafkaCallError as error:
            if error.verdict is Verdict.FATAL:
                raise
            _log.warning("%s", error)
            return False
        return True

    def poll(self) -> dict[str, Content | None]:
        """Return the rows that came since the last call; waits for nothing."""
        return self._take(self._reader.consume(BATCH, 0.0))

    def close(self) -> None:
        """Stop following."""
        self._reader.close()

    def _take(self, records: Iterable[Record]) -> dict[str, Content | None]:
        rows: dict[str, Content | None] = {}
        for record in records:
            try:
                content_id, content = self._row(record)
                rows.pop(content_id, None)
                rows[content_id] = content
            except (RejectedEvent, UnicodeDecodeError) as error:
                self.n_refused += 1
                _log.warning(
                    "%s[%d] offset %d: %s",
                    record.topic(),
                    record.partition(),
                    record.offset(),
                    error,
                )
        for content_id in rows:
            self.titles.pop(content_id, None)
        self.titles |= rows
        return rows

    def _row(self, record: Record) -> tuple[str, Content | None]:
        key, value = record.key(), record.value()
        if value is None:
            return (key or b"").decode(), None
        content = self._decoder.decode_content(value)
        return content.content_id, content
