"""What an observer is told, as values of the metrics."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from monitoring.drift_metrics import DriftMetrics
from monitoring.labels import FINDINGS, REFUSALS
from monitoring.metric_table import TABLE
from monitoring.store import Store
from monitoring.watcher import Watcher

ALL = "all"
WEIGHT = "driftline_ranker_weight"
_EVENTS = {"accepted": "accepted", "duplicate": "duplicate"}
_GAUGES = {
    "watermark": "driftline_watermark_timestamp_seconds",
    "lag_events": "driftline_lag_events",
    "lag_seconds": "driftline_lag_seconds",
    "users": "driftline_users",
    "titles": "driftline_titles",
    "neighbors": "driftline_neighbors",
    "coverage": "driftline_list_coverage_ratio",
    "concentration": "driftline_list_concentration_ratio",
}
_GAINS = {
    "hits": "driftline_hits_total",
    "ndcg": "driftline_discounted_gain_total",
    "mrr": "driftline_reciprocal_rank_total",
}
_CAUSES = {
    "ILLEGAL_GENERATION": "rebalance",
    "UNKNOWN_MEMBER_ID": "rebalance",
    "REBALANCE_IN_PROGRESS": "rebalance",
    "FENCED_INSTANCE_ID": "fenced",
    "_FENCED": "fenced",
    "INVALID_PRODUCER_EPOCH": "fenced",
    "_TIMED_OUT": "timeout",
    "_TRANSPORT": "broker",
    "_ALL_BROKERS_DOWN": "broker",
}


class Names(NamedTuple):
    """Values of labels that are known when a run starts."""

    k: int
    input_topic: str
    output_topics: Sequence[str]
    models: Sequence[str]
    segments: Sequence[str]
    features: Sequence[str] = ()
    statistics: Sequence[str] = ()
    reactions: Sequence[str] = ()
    version: str = "unknown"


class Metrics(Watcher):
    """An observer whose values can be scraped.

    The thread that works only adds to plain numbers; text is made of a copy by whoever asks.

    Parameters
    ----------
    names
        Values of labels.
    n_failures, is_draining
        Give how many calls of observers failed so far, and whether the run is about to end.
    clock, now
        Seconds that never go back, and epoch seconds.

    Attributes
    ----------
    store : Store
        The values.
    states : dict[int, str]
        Assigned partitions: ``restoring`` or ``ready``.
    is_ready : bool
        Whether all that is assigned is restored.
    """

    def __init__(
        self,
        names: Names,
        *,
        n_failures: Callable[[], int] = lambda: 0,
        is_draining: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.names = names
        self.store = Store(TABLE, _given(names))
        self.states: dict[int, str] = {}
        self.is_ready = False
        self.is_draining = is_draining
        self.began_at = now()
        self._n_failures = n_failures
        self._clock, self._now = clock, now
        self._ticked_at_s = clock()
        self._weights: dict[str, dict[int, float]] = {}
        self._drift = DriftMetrics(self.store)
        self._evicted: Counter[tuple[int, str]] = Counter()
        build = names.version, platform.python_version()
        self.store.set("driftline_build_info", *build, value=1.0)

    def copy(self) -> Store:
        """Give all values as of now."""
        with self.store.lock:
            self.refresh()
        return self.store.copy()

    def refresh(self) -> None:
        """Set what is made of other values only when somebody looks; the lock must be held."""
        failures = self.store.numbers["driftline_observer_failures_total"]
        failures[()] = float(self._n_failures())
        for feature, own in self._weights.items():
            if own:
                self.store.set(WEIGHT, feature, value=sum(own.values()) / len(own))
        self._drift.publish()

    def tick_age_s(self) -> float:
        """Seconds since the loop last began a turn, or since the start."""
        return self._clock() - self._ticked_at_s

    def update(
        self,
        share: float | None,
        n_events: int,  # noqa: ARG002  `processed` counts by outcome
        *,
        event_time: float,  # noqa: ARG002  the watermark is `measured`
        recall: float | None = None,  # noqa: ARG002  hits and judged events are counted
        recall_recent: float | None = None,  # noqa: ARG002  likewise
    ) -> None:
        if share is not None:
            with self.store.lock:
                self.store.set("driftline_replay_progress_ratio", value=share)

    def processed(
        self,
        partition: int,
        counts: Mapping[str, int],
        *,
        seconds: Mapping[str, float],
        judged: Mapping[str, Mapping[str, float]],
    ) -> None:
        store, place = self.store, (self.names.input_topic, str(partition))
        n_refused = sum(counts.get(reason, 0) for reason in REFUSALS)
        outcomes = {name: counts.get(name, 0) for name in _EVENTS} | {"dead_letter": n_refused}
        with store.lock:
            for outcome, n in outcomes.items():
                store.add("driftline_events_total", *place, outcome, n=n)
            for name, label in (
                *((reason, "driftline_dead_letters_total") for reason in REFUSALS),
                *((finding, "driftline_quality_findings_total") for finding in FINDINGS),
            ):
                if counts.get(name):
                    store.add(label, name, n=counts[name])
            if seconds:
                store.observe("driftline_batch_events", value=sum(outcomes.values()))
            self._observe(seconds)
            for segment, sums in judged.items():
                self._judge(segment, sums)

    def committed(
        self,
        outcome: str,
        *,
        cause: str,
        seconds: Mapping[str, float],
        records: Mapping[str, int],
    ) -> None:
        store = self.store
        with store.lock:
            store.add("driftline_transactions_total", outcome)
            if outcome == "committed":
                store.set("driftline_commit_timestamp_seconds", value=self._now())
            else:
                named = _CAUSES.get(cause, "other")
                store.add("driftline_transaction_failures_total", named)
            self._observe(seconds)
            for topic, n in records.items():
                store.add("driftline_records_sent_total", topic, n=n)

    def assigned(
        self, states: Mapping[int, str], *, change: str, seconds: float | None = None
    ) -> None:
        store = self.store
        with store.lock:
            for gone in self.states.keys() - states.keys():
                self._drop(gone)
            for partition in states.keys() - self.states.keys():
                store.create(partitions=str(partition))
            self.states = dict(states)
            ready = sum(state == "ready" for state in states.values())
            store.set("driftline_assigned_partitions", value=len(states))
            store.set("driftline_ready_partitions", value=ready)
            if change in {"restored", "failed"}:
                store.add("driftline_restores_total", change)
            else:
                store.add("driftline_rebalances_total", change)
            if change == "restored" and seconds is not None:
                store.observe("driftline_restore_duration_seconds", value=seconds)

    def saved(self, partition: int, *, seconds: float, n_bytes: int | None) -> None:
        store, place = self.store, (self.names.input_topic, str(partition))
        with store.lock:
            store.add("driftline_snapshots_total", "failed" if n_bytes is None else "written")
            store.observe("driftline_snapshot_duration_seconds", value=seconds)
            if n_bytes is not None and partition in self.states:
                store.set("driftline_snapshot_size_bytes", *place, value=n_bytes)
                store.set("driftline_snapshot_timestamp_seconds", *place, value=self._now())

    def drifted(self, change: Mapping[str, str | float | None]) -> None:
        with self.store.lock:
            self._drift.take(change)

    def measured(self, partition: int, sizes: Mapping[str, float]) -> None:
        store, place = self.store, (self.names.input_topic, str(partition))
        with store.lock:
            for name, value in sizes.items():
                what, _, which = name.partition(":")
                if what in _GAUGES:
                    store.set(_GAUGES[what], *place, value=value)
                elif what == "evicted":
                    seen = self._evicted[partition, which]
                    store.add("driftline_evictions_total", which, n=max(value - seen, 0.0))
                    self._evicted[partition, which] = int(value)
                elif what == "weight":
                    self._weights.setdefault(which, {})[partition] = value
                elif what == "level":
                    self._drift.levels.setdefault(which, {})[partition] = value
                elif what == "recall":
                    self._drift.recalls.setdefault(which, {})[partition] = value

    def ticked(self, *, is_ready: bool, is_broker_away: bool) -> None:
        self._ticked_at_s, self.is_ready = self._clock(), is_ready
        with self.store.lock:
            self.store.set("driftline_tick_timestamp_seconds", value=self._now())
            self.store.set("driftline_ready", value=is_ready)
            self.store.set("driftline_brokers_away", value=is_broker_away)

    def _observe(self, seconds: Mapping[str, float]) -> None:
        for stage, value in seconds.items():
            if stage == "batch":
                self.store.observe("driftline_batch_duration_seconds", value=value)
            else:
                self.store.observe("driftline_stage_duration_seconds", stage, value=value)

    def _judge(self, segment: str, sums: Mapping[str, float]) -> None:
        """Add what was judged of a segment."""
        store, k = self.store, str(self.names.k)
        for name, n in sums.items():
            what, _, which = name.partition(":")
            if what == "judged" and segment == ALL:
                store.add("driftline_judged_events_total", n=n)
            elif what == "judged":
                store.add("driftline_segment_judged_events_total", segment, n=n)
            elif what == "skipped":
                store.add("driftline_skipped_events_total", which, n=n)
            elif segment == ALL:
                store.add(_GAINS[what], k, which, n=n)
            elif what == "hits":
                store.add("driftline_segment_hits_total", k, which, segment, n=n)

    def _drop(self, partition: int) -> None:
        """Forget the levels of a partition that is somebody else's now."""
        self.store.drop("partition", str(partition))
        self._drift.drop(partition)
        for own in self._weights.values():
            own.pop(partition, None)
        self.store.numbers[WEIGHT].clear()
        for key in [key for key in self._evicted if key[0] == partition]:
            del self._evicted[key]


def _given(names: Names) -> dict[str, Iterable[str]]:
    return {
        "length of a list": (str(names.k),),
        "input topic": (names.input_topic,),
        "output topics": names.output_topics,
        "models": names.models,
        "segments": names.segments,
        "features": names.features,
        "statistics": names.statistics,
        "reactions": names.reactions,
    }
