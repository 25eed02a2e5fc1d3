"""What came of a batch in several partitions, merged into the order of the log."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TypeVar

import msgspec

from streams.arrivals import Arrival
from streams.deadletters import dead_letter
from streams.drift_records import DriftRecord
from streams.events import DeadLetter, Recommendation, TraceLine
from streams.pipeline import Handled

Item = TypeVar("Item")


class Report(msgspec.Struct):
    """What a batch gave, in the order of the log."""

    n_records: int = 0
    dead_letters: list[DeadLetter] = []
    traces: list[TraceLine] = []
    recommendations: list[Recommendation] = []
    drift: list[DriftRecord] = []


def report_of(
    n_records: int,
    arrivals: Sequence[Arrival],
    handled: Sequence[Handled],
    at: Sequence[Sequence[int]],
) -> Report:
    """Return what a batch gave.

    Parameters
    ----------
    n_records
        Records of the batch, also those outside the window.
    arrivals
        Those inside.
    handled, at
        What each partition made of its own, and where these stood among the arrivals.
    """
    refused = _in_order([part.refused for part in handled], at)
    return Report(
        n_records=n_records,
        dead_letters=[
            dead_letter(a.value, r, line=a.line, file=a.origin.file)
            for a, r in ((arrivals[p], r) for p, r in refused)
        ],
        traces=[trace for _, trace in _in_order([part.traces for part in handled], at)],
        recommendations=[
            record for _, record in _in_order([part.recommendations for part in handled], at)
        ],
        drift=[record for _, record in _in_order([part.drift for part in handled], at)],
    )


def _in_order(
    parts: Sequence[Sequence[tuple[int, Item]]], at: Sequence[Sequence[int]]
) -> list[tuple[int, Item]]:
    """Merge what the partitions report into the order of the log."""
    if len(parts) == 1:
        return list(parts[0])
    merged = [(own[a], item) for part, own in zip(parts, at, strict=True) for a, item in part]
    return sorted(merged, key=itemgetter(0))
