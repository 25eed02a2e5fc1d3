"""What a worker or replay is doing, in one object for people and scripts."""

from __future__ import annotations

from typing import Any

from monitoring.metrics import Metrics
from monitoring.store import Store

OURS = "driftline"


def status_of(metrics: Metrics, *, is_alive: bool, now: float) -> dict[str, Any]:
    """Give the object that ``/status`` answers with; numbers count from the start of the process.

    Parameters
    ----------
    metrics
        What is known.
    is_alive
        Whether the loop ticks.
    now
        Epoch seconds.
    """
    store, names = metrics.copy(), metrics.names
    return {
        "state": _state(metrics, is_alive=is_alive),
        "version": names.version,
        "uptime_s": round(now - metrics.began_at, 1),
        "topic": names.input_topic,
        "partitions": {
            str(partition): {"state": state, **_levels(store, names.input_topic, partition)}
            for partition, state in sorted(metrics.states.items())
        },
        "events": _by_last(store, "driftline_events_total"),
        "dead_letters": _by_last(store, "driftline_dead_letters_total"),
        "transactions": _by_last(store, "driftline_transactions_total"),
        "quality": _quality(store, str(names.k)),
        "open_drift_episodes": _by_last(store, "driftline_drift_open_episodes", at=0),
    }


def _state(metrics: Metrics, *, is_alive: bool) -> str:
    if not is_alive:
        return "stuck"
    if metrics.is_draining():
        return "draining"
    return "ready" if metrics.is_ready else "starting"


def _levels(store: Store, topic: str, partition: int) -> dict[str, float]:
    names = {
        "lag_events": "driftline_lag_events",
        "lag_s": "driftline_lag_seconds",
        "watermark": "driftline_watermark_timestamp_seconds",
        "users": "driftline_users",
        "titles": "driftline_titles",
        "saved_at": "driftline_snapshot_timestamp_seconds",
    }
    key = topic, str(partition)
    found = {what: store.numbers[name].get(key) for what, name in names.items()}
    return {what: value for what, value in found.items() if value is not None}


def _by_last(store: Store, name: str, at: int = -1) -> dict[str, int]:
    """Sum a metric over all labels but one."""
    sums: dict[str, int] = {}
    for key, value in store.numbers[name].items():
        sums[key[at]] = sums.get(key[at], 0) + int(value)
    return sums


def _quality(store: Store, k: str) -> dict[str, float | None]:
    """Give the means over judged events so far, ours and the best popularity's."""
    (judged,) = store.numbers["driftline_judged_events_total"].values()
    hits = store.numbers["driftline_hits_total"]
    popular = [n for key, n in hits.items() if key[1].startswith("popularity")]
    sums = {
        f"recall@{k}": hits.get((k, OURS)),
        f"ndcg@{k}": store.numbers["driftline_discounted_gain_total"].get((k, OURS)),
        f"mrr@{k}": store.numbers["driftline_reciprocal_rank_total"].get((k, OURS)),
        f"popularity_recall@{k}": max(popular, default=None),
    }
    means = {
        name: None if total is None or not judged else total / judged
        for name, total in sums.items()
    }
    return {"judged": judged, **means}
