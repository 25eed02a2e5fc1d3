"""How transactions and snapshots ended, kept for whoever looks; the latest where nobody does."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from streams.kafka_records import Output

MAX_ENDS = 1_000


class End(NamedTuple):
    """How a transaction ended.

    Attributes
    ----------
    outcome
        ``committed``, ``aborted`` or ``undecided``.
    cause
        Name of the error, empty when it committed.
    seconds
        Duration of ``produce`` (records sent and flushed) and ``commit``, as far as it came.
    records
        Records committed, by topic.
    """

    outcome: str
    cause: str
    seconds: dict[str, float]
    records: dict[str, int]


class Written(NamedTuple):
    """How a snapshot ended: its size, None when it could not be written."""

    partition: int
    seconds: float
    n_bytes: int | None


def end_of(
    outcome: str, cause: str, outputs: Iterable[Output], began_s: float, produced_s: float | None
) -> End:
    """Describe a transaction that ends now, from when it began and, if so, was produced."""
    now_s = time.monotonic()
    seconds = {"produce": (now_s if produced_s is None else produced_s) - began_s}
    if produced_s is not None:
        seconds["commit"] = now_s - produced_s
    return End(outcome, cause, seconds, dict(Counter(output.topic for output in outputs)))
