"""Alarms, reactions, episodes and levels of detectors, as values of the metrics."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from monitoring.labels import DRIFT_KINDS, SEVERITIES
from monitoring.store import MAX_VALUES, Store

OPEN = "driftline_drift_open_episodes"
DETECTED = "driftline_drift_detected_timestamp_seconds"
ONSET = "driftline_drift_onset_timestamp_seconds"
LEVEL = "driftline_drift_statistic_ratio"
RECALL = "driftline_drift_scope_recall_ratio"


class DriftMetrics:
    """Counts alarms, and keeps which episodes are open; the lock of the store is the caller's.

    Parameters
    ----------
    store
        Where the values go.

    Attributes
    ----------
    levels, recalls : dict[str, dict[int, float]]
        Level of each statistic relative to its alarm, and recall of each scope, by partition.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.levels: dict[str, dict[int, float]] = {}
        self.recalls: dict[str, dict[int, float]] = {}
        self._open: dict[tuple[object, object], tuple[str, ...]] = {}

    def take(self, change: Mapping[str, str | float | None]) -> None:
        """Take note of an alarm, a reaction, or a change of an episode."""
        state = change["state"]
        if state == "reaction":
            self.store.add("driftline_drift_reactions_total", str(change["reaction"]))
            return
        kind, severity = str(change["kind"]), str(change["severity"])
        if state == "alarm":
            statistic = str(change["statistic"])
            self.store.add("driftline_drift_alarms_total", statistic, severity)
            return
        episode = change["partition"], change["episode"]
        self._date(kind, change["detected"], change["onset"])
        if state == "opened":
            self.store.add("driftline_drift_episodes_total", kind, severity)
        if state == "closed":
            self._open.pop(episode, None)
        else:
            self._open[episode] = kind, severity

    def publish(self) -> None:
        """Set the levels that are made of those of all partitions."""
        counts = Counter(self._open.values())
        for kind in DRIFT_KINDS:
            for severity in SEVERITIES:
                self.store.set(OPEN, kind, severity, value=counts[kind, severity])
        for statistic, own in self.levels.items():
            if own:
                self.store.set(LEVEL, statistic, value=max(own.values()))
        # Beyond the bound there would be one value for several scopes, which is none of theirs.
        for scope, own in list(self.recalls.items())[:MAX_VALUES]:
            if own:
                self.store.set(RECALL, scope, value=sum(own.values()) / len(own))

    def drop(self, partition: int) -> None:
        """Forget a partition that is somebody else's now."""
        for own in (*self.levels.values(), *self.recalls.values()):
            own.pop(partition, None)
        for name in (LEVEL, RECALL):
            self.store.numbers[name].clear()
        for episode in [episode for episode in self._open if episode[0] == partition]:
            del self._open[episode]

    def _date(self, kind: str, detected: object, onset: object) -> None:
        """Set the dates of the latest detection of a kind."""
        if isinstance(detected, float | int) and isinstance(onset, float | int):
            latest = self.store.numbers[DETECTED].get((kind,), -math.inf)
            if detected >= latest:
                self.store.set(DETECTED, kind, value=detected)
                self.store.set(ONSET, kind, value=onset)
