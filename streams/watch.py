"""What a worker tells observers: once a turn by looking at it, and of each batch.

It only looks: partitions that came, went or are ready again, transactions and snapshots that
ended, and once a second how far behind each partition is. All calls are on the worker's thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from streams.heartbeat import Heartbeat
from streams.lag import LagClock
from streams.telling import Teller

if TYPE_CHECKING:
    from streams.assignment import Assignment
    from streams.checkpoint import Checkpoint
    from streams.kafka import Consumer
    from streams.kafka_records import Partition
    from streams.observer import Observer
    from streams.partition import AssignedPartition
    from streams.pipeline import Handled
    from streams.saving import Saver

EVERY_S = 1.0


class Watch(Heartbeat):
    """A heartbeat that observers hear, and what else they are told.

    Parameters
    ----------
    observer
        Who is told.
    path
        Of the file of the heartbeat; empty for none.
    k
        Length of the lists.
    clock
        Seconds that never go back.
    """

    def __init__(
        self,
        observer: Observer,
        path: str = "",
        *,
        k: int = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(path, clock=clock)
        self.observer = observer
        self._clock = clock
        self._teller = Teller(observer, k=k, clock=clock)
        self._is_ready = False
        self._assigned_at_s: dict[int, float] = {}
        self._lags: dict[int, LagClock] = {}
        self._states: dict[int, str] = {}
        self._looked_at_s = -EVERY_S

    def beat(self) -> None:
        super().beat()
        self.observer.ticked(is_ready=self._is_ready, is_broker_away=self.is_broker_away)

    def processed(
        self, found: AssignedPartition, handled: Handled, *, decode_s: float, batch_s: float
    ) -> None:
        """Tell of a batch of a partition that was ready when it was last looked at."""
        times = {"decode_s": decode_s, "batch_s": batch_s}
        self._teller.processed(found.partition.number, found.pipeline, handled, **times)

    def look(
        self, assignment: Assignment, checkpoint: Checkpoint, saver: Saver, consumer: Consumer
    ) -> None:
        """Tell of what has changed since the last look; once a turn."""
        self._look_at(assignment)
        while checkpoint.ended:
            end = checkpoint.ended.popleft()
            self.observer.committed(
                end.outcome, cause=end.cause, seconds=end.seconds, records=end.records
            )
        while saver.ended:
            written = saver.ended.popleft()
            self.observer.saved(written.partition, seconds=written.seconds, n_bytes=written.n_bytes)
        if self._clock() - self._looked_at_s >= EVERY_S:
            self._looked_at_s = self._clock()
            for partition, found in assignment.partitions.items():
                if found.is_ready:
                    self._measure_lag(partition, found.next_offset, consumer)

    def _look_at(self, assignment: Assignment) -> None:
        """Tell of partitions that came, went, or are ready."""
        partitions = {p.number: found for p, found in assignment.partitions.items()}
        states = {
            number: "ready" if found.is_ready else "restoring"
            for number, found in partitions.items()
        }
        self._is_ready = assignment.change != "" and "restoring" not in states.values()
        if states == self._states:
            return
        before, self._states = self._states, states
        if states.keys() != before.keys():
            self._came_and_went(before, assignment.change)
        for number, found in partitions.items():
            if states[number] == "ready" != before.get(number):
                self._teller.begin(number, found.pipeline)
                seconds = self._clock() - self._assigned_at_s[number]
                self.observer.assigned(states, change="restored", seconds=seconds)

    def _came_and_went(self, before: dict[int, str], change: str) -> None:
        for number in before.keys() - self._states.keys():
            del self._assigned_at_s[number], self._lags[number]
        for number in self._states.keys() - before.keys():
            self._assigned_at_s[number] = self._clock()
            self._lags[number] = LagClock()
        self.observer.assigned(self._states, change=change)

    def _measure_lag(self, partition: Partition, next_offset: int, consumer: Consumer) -> None:
        end = consumer.end_seen(partition)
        if end is not None:
            # The position passes what a transaction leaves between records.
            position = max(consumer.position(partition) or 0, next_offset)
            n_events, seconds = self._lags[partition.number].seen(
                next_offset=position, end=end, now_s=self._clock()
            )
            sizes = {"lag_events": float(n_events), "lag_seconds": seconds}
            self.observer.measured(partition.number, sizes)
