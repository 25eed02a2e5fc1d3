"""The second dashboard: how good the lists are, for whom, and what drifted."""

from __future__ import annotations

from monitoring.grafana.drift import DRIFT
from monitoring.grafana.panels import (
    Board,
    Panel,
    Query,
    Row,
    good_above,
)

_JUDGED = "sum(increase(driftline_judged_events_total{$W}[$window]))"


def _mean(metric: str, model: str = "driftline") -> str:
    hits = f'sum(increase({metric}{{$W, model=~"{model}"}}[$window]))'
    return f"{hits} / {_JUDGED}"


def _by_model(metric: str) -> Query:
    sums = f"sum by (model) (increase({metric}{{$W}}[$window]))"
    return Query(f"{sums} / on () group_left () {_JUDGED}", "{{model}}")


_SEGMENT_HITS = (
    "sum by (segment) (increase(driftline_segment_hits_total"
    '{$W, segment=~"$segment", model="driftline"}[$window]))'
)
_SEGMENT_BEST = (
    "max by (segment) (sum by (segment, model) (increase(driftline_segment_hits_total"
    '{$W, segment=~"$segment", model=~"popularity_.+"}[$window])))'
)
_SEGMENT_JUDGED = (
    "sum by (segment) (increase(driftline_segment_judged_events_total"
    '{$W, segment=~"$segment"}[$window]))'
)

NOW = Row(
    "How good are the lists?",
    (
        Panel(
            "Recall",
            "Share of judged views whose title was in the list, over $window.",
            (Query(_mean("driftline_hits_total")),),
            "percentunit",
            "stat",
            4,
            decimals=1,
        ),
        Panel(
            "NDCG",
            "Recall that counts less the lower the title stood.",
            (Query(_mean("driftline_discounted_gain_total")),),
            "percentunit",
            "stat",
            4,
            decimals=1,
        ),
        Panel(
            "MRR",
            "Mean of one over the rank, a miss counting 0.",
            (Query(_mean("driftline_reciprocal_rank_total")),),
            "percentunit",
            "stat",
            4,
            decimals=1,
        ),
        Panel(
            "Recall over random",
            "How many times better than a random list of the same candidates.",
            (
                Query(
                    'sum(increase(driftline_hits_total{$W, model="driftline"}[$window]))'
                    ' / sum(increase(driftline_hits_total{$W, model="random"}[$window]))'
                ),
            ),
            "short",
            "stat",
            4,
            good_above(1, 2),
            decimals=1,
        ),
        Panel(
            "Coverage",
            "Share of the known titles that recent lists showed, mean over partitions.",
            (Query("avg(driftline_list_coverage_ratio{$P})"),),
            "percentunit",
            "stat",
            4,
            maximum=1.0,
        ),
        Panel(
            "Judged in $window",
            "Views behind these numbers: with fewer than a thousand, chance is large.",
            (Query(_JUDGED),),
            "short",
            "stat",
            4,
            good_above(100, 1000),
            decimals=0,
        ),
    ),
    height=4,
)

MODELS = Row(
    "Beside the baselines",
    (
        Panel(
            "Recall by model",
            "Ours, each decayed popularity, and random order. Ours should stay on top.",
            (_by_model("driftline_hits_total"),),
            "percentunit",
        ),
        Panel(
            "NDCG by model",
            "The same, discounted by rank.",
            (_by_model("driftline_discounted_gain_total"),),
            "percentunit",
        ),
        Panel(
            "MRR by model",
            "The same by reciprocal rank.",
            (_by_model("driftline_reciprocal_rank_total"),),
            "percentunit",
        ),
    ),
)

SEGMENTS = Row(
    "For whom?",
    (
        Panel(
            "Recall by segment",
            "New users have fewer than 5 views, new titles fewer than 10; head titles are watched"
            " three times as often as the mean. A segment that falls alone says what drifted.",
            (Query(f"{_SEGMENT_HITS} / {_SEGMENT_JUDGED}", "{{segment}}"),),
            "percentunit",
        ),
        Panel(
            "Recall over popularity by segment",
            "Ours over the best decayed popularity of that segment; below 1 it does better.",
            (Query(f"{_SEGMENT_HITS} / {_SEGMENT_BEST}", "{{segment}}"),),
            "short",
            steps=good_above(0.95, 1.0),
        ),
        Panel(
            "Judged views by segment",
            "How many views of each segment were judged in a second.",
            (
                Query(
                    "sum by (segment) (rate(driftline_segment_judged_events_total"
                    '{$W, segment=~"$segment"}[$__rate_interval]))',
                    "{{segment}}",
                ),
            ),
            "reqps",
        ),
    ),
)

INPUT = Row(
    "What comes in, and what is shown",
    (
        Panel(
            "Findings in accepted views",
            "Fields missing, imputed or clipped, a second. A step is a change at the producer.",
            (
                Query(
                    "sum by (finding)"
                    " (rate(driftline_quality_findings_total{$W}[$__rate_interval]))",
                    "{{finding}}",
                ),
            ),
            "reqps",
        ),
        Panel(
            "Not judged",
            "Accepted views that say nothing of quality: the first of a user, repeats, and those"
            " that are no success.",
            (
                Query(
                    "sum by (reason) (rate(driftline_skipped_events_total{$W}[$__rate_interval]))",
                    "{{reason}}",
                ),
            ),
            "reqps",
        ),
        Panel(
            "Coverage and concentration",
            "Share of titles that recent lists showed, and share of places that the ten most"
            " listed titles took. Concentration that rises is a narrowing catalogue.",
            (
                Query("avg(driftline_list_coverage_ratio{$P})", "coverage"),
                Query("avg(driftline_list_concentration_ratio{$P})", "concentration"),
            ),
            "percentunit",
            maximum=1.0,
        ),
    ),
)

BOARD = Board(
    "driftline-quality",
    "driftline: quality and drift",
    "How good the lists are, beside what and for whom, and what has drifted.",
    (NOW, MODELS, SEGMENTS, DRIFT, INPUT),
    has_segment=True,
)
