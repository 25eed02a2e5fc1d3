"""What watches a run from outside; `monitoring` implements it, the command line joins the two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

Judged = Mapping[str, Mapping[str, float]]
"""Sums over judged events by segment, ``all`` first; names as `streams.judged` gives them."""


class Observer(Protocol):
    """Is told what a run does.

    Every call comes on the thread that processes, with plain values. It must return soon, may
    drop what comes too often, and never raises; `streams.observing.Observers` sees to the last.
    """

    def update(
        self,
        share: float | None,
        n_events: int,
        *,
        event_time: float,
        recall: float | None = None,
        recall_recent: float | None = None,
    ) -> None:
        """Take note of the progress of a replay, after every batch.

        Parameters
        ----------
        share
            Share of the input read, None when its size is unknown.
        n_events
            Records handled so far.
        event_time
            Epoch seconds of the latest event.
        recall, recall_recent
            Recall of all judged events and of the latest ones; None before the first.
        """
        ...

    def processed(
        self,
        partition: int,
        counts: Mapping[str, int],
        *,
        seconds: Mapping[str, float],
        judged: Judged,
    ) -> None:
        """Take note of one batch of a partition; records that a restore reads again do not count.

        Parameters
        ----------
        counts
            Records of the batch by what data quality made of them.
        seconds
            Duration of ``decode``, ``learn``, ``recommend`` and of the whole ``batch``.
        judged
            What was judged since the last call with any, about once a second.
        """
        ...

    def committed(
        self,
        outcome: str,
        *,
        cause: str,
        seconds: Mapping[str, float],
        records: Mapping[str, int],
    ) -> None:
        """Take note of the end of a transaction: ``committed``, ``aborted`` or ``undecided``.

        Parameters
        ----------
        cause
            Name of the error, empty when it committed.
        seconds
            Duration of ``produce`` and ``commit``, as far as it came.
        records
            Records committed, by topic.
        """
        ...

    def assigned(
        self, states: Mapping[int, str], *, change: str, seconds: float | None = None
    ) -> None:
        """Take note of a change of the assignment.

        Parameters
        ----------
        states
            All partitions that are assigned now: ``restoring`` or ``ready``.
        change
            ``assigned``, ``revoked``, ``lost``, or of one restore ``restored`` or ``failed``.
        seconds
            How long that restore took.
        """
        ...

    def saved(self, partition: int, *, seconds: float, n_bytes: int | None) -> None:
        """Take note of a snapshot: its size, None when it could not be written."""
        ...

    def drifted(self, change: Mapping[str, str | float | None]) -> None:
        """Take note of an alarm, of a reaction, or of a change of a drift episode.

        The names are ``partition``, ``state`` (``alarm``, ``reaction``, ``opened``, ``updated`` or
        ``closed``), ``statistic``, ``scope`` and ``detected``; of a reaction its name,
        ``reaction``; else ``kind``, ``severity``, ``detector``, ``onset``, ``before`` and
        ``after``; of an episode its name, ``episode``. One that is open when its partition comes
        is told as ``updated``.
        """
        ...

    def measured(self, partition: int, sizes: Mapping[str, float]) -> None:
        """Take note of levels of a partition, about once a second; names as `streams.telling`."""
        ...

    def ticked(self, *, is_ready: bool, is_broker_away: bool) -> None:
        """Take note that the loop begins a turn; ready is all that is assigned being restored."""
        ...
