"""A worker that is not there: what it would tell an observer."""

from monitoring.metrics import Metrics, Names

SEGMENTS = ("user:new", "user:known", "title:new", "title:known", "title:head", "title:tail")
POPULARITIES = tuple(f"popularity_{age}" for age in ("30d", "7d", "2d", "12h", "3h", "45min"))
MODELS = ("driftline", *POPULARITIES, "popularity_all", "random")
TOPICS = ("recommendations", "views.dead-letter", "outcomes", "drift")
FEATURES = tuple(f"feature_{n}" for n in range(20))
STATISTICS = ("rank", "hit", "view_time", *(f"statistic_{n}" for n in range(21)))
REACTIONS = ("fast_side_boosted", "view_time_imputed", *(f"reaction_{n}" for n in range(4)))
SCOPES = ("all", "user:new", *(f"genre:{n}" for n in range(30)))
NOW = 1_700_000_000.0


def names():
    return Names(
        k=10,
        input_topic="views",
        output_topics=TOPICS,
        models=MODELS,
        segments=SEGMENTS,
        features=FEATURES,
        statistics=STATISTICS,
        reactions=REACTIONS,
        version="0.1.0",
    )


def new_metrics(**options):
    return Metrics(names(), **options)


def episode(state, **changes):
    """Give a change of an episode of drifting taste."""
    found = {
        "partition": 0,
        "episode": "e1",
        "state": state,
        "kind": "concept",
        "severity": "drift",
        "statistic": "rank",
        "scope": "all",
        "detector": "page_hinkley",
        "onset": NOW - 100,
        "detected": NOW,
        "before": 0.2,
        "after": 0.05,
    }
    return {**found, **changes}


def reaction(name):
    """Give what was done about a change."""
    return {
        "partition": 0,
        "state": "reaction",
        "reaction": name,
        "statistic": "rank",
        "scope": "all",
        "detected": NOW,
    }


def sums(n_judged, n_hits):
    """Give the sums of one segment, equal for all models."""
    gains = {
        f"{gain}:{model}": n_hits * part
        for gain, part in (("hits", 1.0), ("ndcg", 0.5), ("mrr", 0.25))
        for model in MODELS
    }
    return {"judged": n_judged, **gains}


def feed_partition(metrics, partition, *, n_events=90):
    """Tell of one batch, its measures and a snapshot."""
    judged = {segment: sums(n_events / 2, 9.0) for segment in ("all", *SEGMENTS)}
    judged["all"] |= {"skipped:cold": 3.0, "skipped:repeat": 2.0, "skipped:not_positive": 1.0}
    metrics.processed(
        partition,
        {"accepted": n_events, "duplicate": 2, "range": 1, "imputed_view_time": 3},
        seconds={"decode": 0.001, "learn": 0.02, "recommend": 0.003, "batch": 0.03},
        judged=judged,
    )
    sizes = {
        "watermark": NOW,
        "lag_events": 3,
        "lag_seconds": 0.2,
        "users": 100,
        "titles": 50,
        "neighbors": 1000,
        "coverage": 0.3,
        "concentration": 0.2,
        "evicted:users": 3,
        "evicted:titles": 0,
        **{f"level:{statistic}": 0.5 for statistic in STATISTICS},
        **{f"recall:{scope}": 0.2 for scope in SCOPES},
        **{f"weight:{feature}": 0.1 for feature in FEATURES},
    }
    metrics.measured(partition, sizes)
    metrics.saved(partition, seconds=0.1, n_bytes=10_000)


def feed(metrics, n_partitions=1):
    """Tell of one turn of everything that a worker does."""
    states = dict.fromkeys(range(n_partitions), "ready")
    metrics.assigned(states, change="assigned")
    metrics.assigned(states, change="restored", seconds=1.5)
    for partition in range(n_partitions):
        feed_partition(metrics, partition)
    metrics.committed(
        "committed",
        cause="",
        seconds={"produce": 0.01, "commit": 0.002},
        records={"recommendations": 10, "outcomes": 1},
    )
    metrics.committed("aborted", cause="ILLEGAL_GENERATION", seconds={"produce": 0.01}, records={})
    metrics.drifted(episode("alarm"))
    metrics.drifted(reaction("fast_side_boosted"))
    metrics.drifted(episode("opened"))
    metrics.update(0.5, 100, event_time=NOW)
    metrics.ticked(is_ready=True, is_broker_away=False)
    return metrics
