"""Reports of runs that never were, as large and as hostile as wanted."""

import math

import numpy as np

from models.feature_names import FEATURES
from monitoring.drift_picture import Bar
from monitoring.report.history import FATES, History
from monitoring.report.values import Drift, Item, Person, Report, Windows

HOSTILE = '<script>alert(1)</script>" onload="x\u202e\x00 & ' + "endless" * 40
T0 = 1_640_995_200.0


def scores(recall, judged=1000):
    """Give the metrics of some judged events."""
    value = {
        f"{m}@10{end}": recall * size
        for m in ("recall", "ndcg", "mrr")
        for end, size in (("", 1.0), ("_se", 0.05))
    }
    return {"judged": judged, **value}


def with_baselines(recall, judged=1000):
    """Give the same beside baselines."""
    names = ("popularity_2d", "popularity_all", "random")
    return {**scores(recall, judged), "baselines": {name: scores(recall / 3) for name in names}}


def new_history(n_batches=40, *, size=500, **counts):
    """Give what a replay of equal batches tells, each with so many records of each fate."""
    history = History()
    for n in range(n_batches):
        refused = sum(counts.get(fate, 0) for fate in FATES)
        told = {"accepted": size - refused, **counts}
        seconds = {"decode": 0.01, "learn": 0.1, "recommend": 0.002, "batch": 0.112}
        history.processed(0, told, seconds=seconds, judged={})
        history.update(None, (n + 1) * size, event_time=T0 + 3600.0 * n)
    return history


def new_windows(n=20, *, width=1000.0):
    """Give windows of equal width whose recall goes up and down."""
    ends = width * np.arange(1, n + 1)
    recall = 0.2 + 0.05 * np.sin(np.arange(n))
    return Windows(ends - width, ends, np.full(n, width), recall, recall / 3, np.full(n, 0.01))


def new_episode(number=0, *, kind="concept", scope="genre:Drama", what="lists became worse"):
    """Give an episode as plain values, with what was planted."""
    return {
        "episode": f"0-{number}",
        "state": "closed",
        "kind": kind,
        "severity": "drift",
        "statistic": "rank",
        "scopes": [{"scope": scope, "share": 1.0}],
        "onset": T0,
        "detected": T0 + 3600,
        "before": 0.3,
        "after": 0.1,
        "detector": "cusum_fast",
        "what": what,
        "ended": T0 + 7200,
        "reactions": [],
        "detected_line": 700,
        "match": None,
    }


def new_drift(n=1, *, scope="genre:Drama"):
    """Give so many episodes and a planted change."""
    kinds = [("concept", "data", "input_fault")[i % 3] for i in range(n)]
    bars = [
        Bar(scope, 400.0 + 90 * i, 800.0 + 90 * i, 600.0 + 90 * i, kind)
        for i, kind in enumerate(kinds)
    ]
    episodes = [new_episode(i, kind=kind, scope=scope, what=scope) for i, kind in enumerate(kinds)]
    planted = [Bar(f"taste, {scope}", 500.0, math.inf)]
    return Drift(episodes, bars, planted, n_episodes=n)


def new_person(user_id="u1", title="A Film", *, n_items=10):
    """Give a user with a list."""
    items = [Item(title, f"because you watched {title}, 57 %", [("fast", 1.2), ("age", -0.3)])]
    return Person(user_id, is_known=True, n_watched=7, lately=[title], items=items * n_items)


def new_report(**changed):
    """Give a report of 20,000 records; named fields are other than usual."""
    parts = ("user:new", "user:known", "title:new", "title:known", "title:head", "title:tail")
    summary = {
        "k": 10,
        "records": 20_000,
        "cold": 30,
        "repeats": 2,
        **with_baselines(0.2, 19_000),
        "best_popularity": "popularity_2d",
        "halves": {"first": with_baselines(0.18), "second": with_baselines(0.22)},
        "segments": {name: with_baselines(0.15) for name in parts},
        "titles_listed": 300,
        "catalog_coverage": 0.9,
        "popularity_bias": 1.4,
        "quality": {"accepted": 19_600, "decode": 400, "imputed_view_time": 200},
        "drift": {"open": 0},
        "elapsed_s": 5.0,
        "events_per_s": 4_000.0,
        "peak_rss_bytes": 2**28,
    }
    usual = {
        "logs": ["views.csv"],
        "summary": {**summary, **changed.pop("summary", {})},
        "windows": new_windows(),
        "drift": new_drift(),
        "history": new_history(decode=10, imputed_view_time=5),
        "weights": {name: 0.1 * (-1) ** n for n, name in enumerate(FEATURES)},
        "people": [new_person()],
        "settings": {"engine.k": 10},
        "fingerprint": "abcdef0123456789",
        "version": "0.1.0",
    }
    return Report(**{**usual, **changed})
