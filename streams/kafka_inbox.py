"""Records that were read but not yet handed out, so that nothing that interrupts costs any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.kafka_records import Partition, Record


class Inbox:
    """What one call of ``consume`` brings: records, partitions that went away, an error.

    A rebalance callback that raises inside the client costs the records read so far; hence
    errors are kept, and raised by :meth:`take` while the records wait for the next one.
    """

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._gone: set[Partition] = set()
        self._error: BaseException | None = None

    def add(self, records: Iterable[Record]) -> None:
        """Put records behind those that wait."""
        self._records += records

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Forget the records of partitions that went away, and those that the call still adds.

        None of these can be of a partition that came back within the call: one that is assigned
        delivers nothing until it is started.
        """
        self._gone.update(partitions)

    def keep(self, error: BaseException) -> None:
        """Raise this by the next ``take``, unless there is an earlier one."""
        self._error = self._error or error

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what the block raises."""
        try:
            yield
        except BaseException as error:  # noqa: BLE001  raised again by `take`
            self.keep(error)

    def take(self) -> list[Record]:
        """Give the records, or raise what was kept and leave them for the next call."""
        if self._gone:
            self._records = [r for r in self._records if not self._is_gone(r)]
            self._gone.clear()
        self.raise_kept()
        records, self._records = self._records, []
        return records

    def raise_kept(self) -> None:
        """Raise what was kept, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _is_gone(self, record: Record) -> bool:
        return (record.topic(), record.partition()) in self._gone
