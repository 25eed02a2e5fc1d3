"""Several observers as one, and a guard that keeps the work from what they raise."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from streams.observer import Judged, Observer

_log = logging.getLogger(__name__)


class Observers:
    """Tells every observer; one that fails is counted, logged once a method, and told again.

    Parameters
    ----------
    observers
        Who is told, in this order; none is fine.

    Attributes
    ----------
    n_failures : int
        Calls that raised.
    """

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self.observers = list(observers)
        self.n_failures = 0
        self._logged: set[tuple[int, str]] = set()

    def update(
        self,
        share: float | None,
        n_events: int,
        *,
        event_time: float,
        recall: float | None = None,
        recall_recent: float | None = None,
    ) -> None:
        self._tell(
            "update",
            lambda observer: observer.update(
                share, n_events, event_time=event_time, recall=recall, recall_recent=recall_recent
            ),
        )

    def processed(
        self,
        partition: int,
        counts: Mapping[str, int],
        *,
        seconds: Mapping[str, float],
        judged: Judged,
    ) -> None:
        self._tell(
            "processed",
            lambda observer: observer.processed(partition, counts, seconds=seconds, judged=judged),
        )

    def committed(
        self,
        outcome: str,
        *,
        cause: str,
        seconds: Mapping[str, float],
        records: Mapping[str, int],
    ) -> None:
        self._tell(
            "committed",
            lambda observer: observer.committed(
                outcome, cause=cause, seconds=seconds, records=records
            ),
        )

    def assigned(
        self, states: Mapping[int, str], *, change: str, seconds: float | None = None
    ) -> None:
        self._tell(
            "assigned", lambda observer: observer.assigned(states, change=change, seconds=seconds)
        )

    def saved(self, partition: int, *, seconds: float, n_bytes: int | None) -> None:
        self._tell(
            "saved", lambda observer: observer.saved(partition, seconds=seconds, n_bytes=n_bytes)
        )

    def drifted(self, change: Mapping[str, str | float | None]) -> None:
        self._tell("drifted", lambda observer: observer.drifted(change))

    def measured(self, partition: int, sizes: Mapping[str, float]) -> None:
        self._tell("measured", lambda observer: observer.measured(partition, sizes))

    def ticked(self, *, is_ready: bool, is_broker_away: bool) -> None:
        self._tell(
            "ticked",
            lambda observer: observer.ticked(is_ready=is_ready, is_broker_away=is_broker_away),
        )

    def _tell(self, method: str, call: Callable[[Observer], None]) -> None:
        for number, observer in enumerate(self.observers):
            try:
                call(observer)
            except Exception:  # noqa: BLE001  whatever it raises, the work goes on
                self.n_failures += 1
                if (number, method) not in self._logged:
                    self._logged.add((number, method))
                    name = type(observer).__name__
                    _log.exception("observer %s failed in %s; work goes on", name, method)
