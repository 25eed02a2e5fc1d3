"""Partitions on their way back, beside those that are delivered, in bounded time a turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

from streams.kafka_records import Partition

Steps = Generator[bool, None, None]
"""The steps of one restore; each tells whether it did some work, or only found it must wait."""


class Restores:
    """Restores that share the worker's thread with the partitions that go on meanwhile.

    Parameters
    ----------
    clock
        Seconds that never go back.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: dict[Partition, Steps] = {}

    def __len__(self) -> int:
        return len(self._steps)

    def begin(self, partition: Partition, steps: Steps) -> None:
        """Let a partition take part from the next turn on."""
        self._steps[partition] = steps

    def drop(self, partition: Partition) -> None:
        """End a restore half-way, if there is one."""
        steps = self._steps.pop(partition, None)
        if steps is not None:
            steps.close()

    def turn(self, budget_s: float) -> bool:
        """Let each go a step, until the time is up; return whether any did some work.

        A turn takes at most the budget and one step. Those that the time did not suffice for come
        first in the next turn.
        """
        deadline = self._clock() + budget_s
        has_worked = False
        for partition in list(self._steps):
            steps = self._steps.pop(partition)
            try:
                has_worked |= next(steps)
            except StopIteration:
                has_worked = True
            else:
                self._steps[partition] = steps
            if self._clock() >= deadline:
                break
        return has_worked
