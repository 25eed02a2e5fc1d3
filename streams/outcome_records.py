"""How good the lists of a partition were, second by second of its watermark.

Out: ``outcomes``, one record a partition and second, written when that second has passed. An
event belongs to the second that the watermark was in just before it, so the event that ends a
second is its last. Events before there is a watermark belong to its first second. What is summed
up is a function of the events: the sums are integers, or fractions in units of 2^-32, and the
second that is still open is state.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from models.metrics import mrr_gain, ndcg_gain
from models.outcomes import Outcomes, Skip
from models.packing import pack_strings, unpack_strings

SKIPPED = {Skip.COLD: "cold", Skip.REPEAT: "repeat", Skip.NOT_POSITIVE: "not positive"}
_UNIT = 1 << 32
_N_SKIPS = len(Skip)
_N_SUMS = _N_SKIPS + 4
"""Sums before the hits of the popularities: events by skip, then hits and the fractions."""


class OutcomeRecord(msgspec.Struct, frozen=True):
    """Outcome record: what came of the records of one partition in one second of its watermark."""

    partition: Annotated[int, Meta(description="Partition of the views.")]
    second: Annotated[
        int, Meta(description="Epoch second that the watermark was in just before each record.")
    ]
    events: Annotated[int, Meta(description="Accepted events: judged and skipped ones.")]
    judged: Annotated[int, Meta(description="Events whose list was judged; one title is sought.")]
    hits: Annotated[int, Meta(description="Judged events whose title was in the list.")]
    ndcg_sum: Annotated[
        float, Meta(description="Sum of 1 / log2(1 + rank) over the hits, in steps of 2^-32.")
    ]
    reciprocal_rank_sum: Annotated[
        float, Meta(description="Sum of 1 / rank over the hits, in steps of 2^-32.")
    ]
    popularity_hits: Annotated[
        dict[str, int], Meta(description="Hits of a list by decayed popularity, by half-life.")
    ]
    random_expected: Annotated[
        float, Meta(description="Hits to expect of a random list, in steps of 2^-32.")
    ]
    skipped: Annotated[
        dict[str, int],
        Meta(description="Accepted events not judged: cold, repeat and not positive."),
    ]
    quality: Annotated[
        dict[str, int],
        Meta(
            description="Records by what data quality made of them; what did not occur is left out."
        ),
    ]


class _Cut(NamedTuple):
    """End of a second: accepted events of the call before it, and all counts so far."""

    row: int
    second: int
    counts: Mapping[str, int]


class OutcomeRecords:
    """Sums up judged events by second of the watermark.

    While a call's records are checked, `pass_second` is called wherever the watermark has reached
    ``end``; once they are judged, `take` gives the records of the seconds that have passed.
    A second costs about 5 µs, an event next to nothing.

    Parameters
    ----------
    popularities
        Names of the popularities that are judged beside our lists.
    k
        Length of the lists.
    partition
        What the records name.

    Attributes
    ----------
    end : float
        The watermark that ends the open second.
    """

    def __init__(self, popularities: Sequence[str], *, k: int, partition: int) -> None:
        self.popularities = popularities
        self.k = k
        self.partition = partition
        self.end = -sys.float_info.max
        self._second: int | None = None
        self._counts: Mapping[str, int] = {}  # as the open second began
        self._sums = np.zeros(_N_SUMS + len(popularities), np.int64)
        self._cuts: list[_Cut] = []
        self._ndcg, self._reciprocal = (
            np.array([round(gain(rank) * _UNIT) for rank in range(k + 1)], np.int64)
            for gain in (ndcg_gain, mrr_gain)
        )

    def pass_second(self, watermark: float, row: int, counts: Mapping[str, int]) -> None:
        """End the open second after ``row`` accepted events of the call; all counts are so far."""
        if self._second is not None:
            self._cuts.append(_Cut(row, self._second, counts))
        self._second = math.floor(watermark)
        self.end = self._second + 1.0

    def take(self, chunks: Sequence[Outcomes], *, is_wanted: bool) -> list[OutcomeRecord]:
        """Add the judged events of the call; return the seconds that passed, if wanted."""
        cuts, self._cuts = self._cuts, []
        first = cuts[-1].row if cuts and not is_wanted else 0
        values = [self._values(chunk, begin) for chunk, begin in _rows_from(chunks, first)]
        totals = np.concatenate([np.zeros((1, len(self._sums)), np.int64), *values])
        np.cumsum(totals, axis=0, out=totals)
        if not cuts:
            self._sums += totals[-1]
            return []
        ends = [cut.row for cut in cuts] if is_wanted else [0]
        sums = np.diff(totals[ends], axis=0, prepend=0)
        sums[0] += self._sums
        self._sums = totals[-1] - totals[ends[-1]]
        begins = [self._counts, *(cut.counts for cut in cuts)]
        self._counts = begins.pop()
        if not is_wanted:
            return []
        rows = zip(cuts, begins, sums.tolist(), strict=True)
        return [self._record(cut, begin, row) for cut, begin, row in rows]

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the open second and its sums."""
        return {
            "second": np.array([] if self._second is None else [self._second], np.int64),
            "sums": self._sums.copy(),
            **pack_strings("counts.names", self._counts),
            "counts.values": np.array(list(self._counts.values()), np.int64),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a snapshot with the same popularities."""
        self._sums = arrays["sums"].copy()
        names, values = unpack_strings("counts.names", arrays), arrays["counts.values"].tolist()
        self._counts = dict(zip(names, values, strict=True))
        self._second, self.end = None, -sys.float_info.max
        for second in arrays["second"].tolist():
            self._second, self.end = second, second + 1.0

    def _values(self, chunk: Outcomes, begin: int) -> NDArray[np.int64]:
        """Return what each event, from one on, adds to the sums."""
        k, skipped = self.k, chunk.skip[begin:]
        is_judged = skipped == Skip.JUDGED
        rank = np.where(is_judged & (chunk.rank[begin:] <= k), chunk.rank[begin:], 0)
        n = np.where(is_judged, chunk.random_n[begin:], 0).astype(np.float64)
        popular = chunk.popularity_rank[begin:]
        values = np.empty((len(rank), len(self._sums)), np.int64)
        for skip in Skip:
            values[:, skip] = skipped == skip
        values[:, _N_SKIPS] = rank > 0
        values[:, _N_SKIPS + 1] = self._ndcg[rank]
        values[:, _N_SKIPS + 2] = self._reciprocal[rank]
        values[:, _N_SKIPS + 3] = np.rint(_UNIT * np.minimum(n, k) / np.maximum(n, 1))
        values[:, _N_SUMS:] = is_judged[:, None] & (popular > 0) & (popular <= k)
        return values

    def _record(self, cut: _Cut, begin: Mapping[str, int], sums: list[int]) -> OutcomeRecord:
        judged, cold, repeat, not_positive, hits, ndcg, reciprocal, chance = sums[:_N_SUMS]
        return OutcomeRecord(
            partition=self.partition,
            second=cut.second,
            events=judged + cold + repeat + not_positive,
            judged=judged,
            hits=hits,
            ndcg_sum=ndcg / _UNIT,
            reciprocal_rank_sum=reciprocal / _UNIT,
            popularity_hits=dict(zip(self.popularities, sums[_N_SUMS:], strict=True)),
            random_expected=chance / _UNIT,
            skipped={"cold": cold, "repeat": repeat, "not positive": not_positive},
            quality={name: m for name, n in cut.counts.items() if (m := n - begin.get(name, 0))},
        )


def _rows_from(chunks: Sequence[Outcomes], first: int) -> Iterator[tuple[Outcomes, int]]:
    """Give the chunks that reach to a row of them all, and where in each to begin."""
    for chunk in chunks:
        if first < len(chunk.skip):
            yield chunk, first
        first = max(first - len(chunk.skip), 0)
