"""An observer that takes note of nothing: others override what they care about."""

from __future__ import annotations

from collections.abc import Mapping


class Watcher:
    """Has the methods of an observer as `streams` calls them; each does nothing."""

    def update(
        self,
        share: float | None,
        n_events: int,
        *,
        event_time: float,
        recall: float | None = None,
        recall_recent: float | None = None,
    ) -> None:
        """Take note of the progress of a replay."""

    def processed(
        self,
        partition: int,
        counts: Mapping[str, int],
        *,
        seconds: Mapping[str, float],
        judged: Mapping[str, Mapping[str, float]],
    ) -> None:
        """Take note of one batch of a partition."""

    def committed(
        self,
        outcome: str,
        *,
        cause: str,
        seconds: Mapping[str, float],
        records: Mapping[str, int],
    ) -> None:
        """Take note of the end of a transaction."""

    def assigned(
        self, states: Mapping[int, str], *, change: str, seconds: float | None = None
    ) -> None:
        """Take note of a change of the assignment."""

    def saved(self, partition: int, *, seconds: float, n_bytes: int | None) -> None:
        """Take note of a snapshot."""

    def drifted(self, change: Mapping[str, str | float | None]) -> None:
        """Take note of an alarm, or of a change of an episode."""

    def measured(self, partition: int, sizes: Mapping[str, float]) -> None:
        """Take note of levels of a partition."""

    def ticked(self, *, is_ready: bool, is_broker_away: bool) -> None:
        """Take note that the loop begins a turn."""
