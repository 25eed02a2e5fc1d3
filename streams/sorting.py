"""A log that is out of order, in the order of its times. Holds the whole log in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from streams.errors import RejectedEvent
from streams.logs import LogOptions, Position, RecordBatch, read_log


class SortedBatch(RecordBatch, frozen=True):
    """Records that are consecutive in the order of time, all of one input."""

    def position_after(self, n_records: int) -> Position:
        """Return the position after the first records of the batch."""
        number = self.position.number - len(self.numbers) + n_records
        return Position(0, number, is_sorted=True)


def sorted_log(
    paths: Sequence[str], *, options: LogOptions | None = None, start: Position | None = None
) -> Iterator[RecordBatch]:
    """Yield the records of the logs by event time, equal times in the order of reading.

    A record that cannot be decoded keeps its place behind its predecessor. Unlike `read_log` this
    reads everything first: memory grows by the log and some 300 bytes a record. The positions
    count records of the sorted order, so only a sorted log can be resumed by them.

    Parameters
    ----------
    paths, options, start
        As for `read_log`.
    """
    options = options or LogOptions()
    batches = list(read_log(paths, options=options))
    order = _order(batches)
    size = options.batch_size
    for begin in range((start or Position()).number - 1, len(order), size):
        yield from _runs(batches, order[begin : begin + size], begin, len(order))


def _order(batches: list[RecordBatch]) -> list[tuple[int, int]]:
    """Return the place of each record, as batch and place in it, by event time."""
    times: list[float] = []
    for batch in batches:
        for value in batch.values:
            times.append(_event_time(batch, value, times[-1] if times else float("-inf")))
    places = [(b, r) for b, batch in enumerate(batches) for r in range(len(batch.values))]
    return [places[n] for n in sorted(range(len(times)), key=times.__getitem__)]


def _event_time(batch: RecordBatch, value: bytes, previous: float) -> float:
    try:
        return batch.decoder.decode_view(value).event_time
    except RejectedEvent:
        return previous


def _runs(
    batches: list[RecordBatch], places: list[tuple[int, int]], n_before: int, n_records: int
) -> Iterator[RecordBatch]:
    """Yield the records as batches, a new one where the input changes."""
    n_done = n_before
    for _, run in groupby(places, key=lambda place: batches[place[0]].position.input):
        records = [(batches[b], r) for b, r in run]
        n_done += len(records)
        yield SortedBatch(
            source=records[0][0].source,
            numbers=[batch.numbers[r] for batch, r in records],
            values=[batch.values[r] for batch, r in records],
            decoder=records[0][0].decoder,
            position=Position(0, n_done + 1, is_sorted=True),
            share=n_done / n_records,
        )
