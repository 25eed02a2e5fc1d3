"""Batches cut where the log's own time passes a multiple of a step."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from streams.errors import RejectedEvent
from streams.logs import RecordBatch
from streams.timebounds import possible_time


def in_steps(batches: Iterator[RecordBatch], step_s: float) -> Iterator[RecordBatch]:
    """Yield the records of batches in smaller ones; none holds events of two steps.

    An event that is out of order, or cannot be decoded, stays with those before it.
    """
    step = -math.inf
    for batch in batches:
        begin = 0
        for at, value in enumerate(batch.values):
            time = _time_of(batch, value)
            if time is None or time // step_s <= step:
                continue
            step = time // step_s
            if at > begin:
                yield _part(batch, begin, at)
                begin = at
        yield _part(batch, begin, len(batch.values))


def _time_of(batch: RecordBatch, value: bytes) -> float | None:
    try:
        return possible_time(batch.decoder.decode_view(value))
    except RejectedEvent:
        return None


def _part(batch: RecordBatch, begin: int, end: int) -> RecordBatch:
    if (begin, end) == (0, len(batch.values)):
        return batch
    return msgspec.structs.replace(
        batch,
        numbers=batch.numbers[begin:end],
        values=batch.values[begin:end],
        position=batch.position_after(end),
    )
