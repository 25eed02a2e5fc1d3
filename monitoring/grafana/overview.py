"""The first dashboard: is it well, and if not, since when and where to look."""

from __future__ import annotations

from monitoring.grafana.panels import (
    BLUE,
    RED,
    Board,
    Panel,
    Query,
    Row,
    Step,
    good_above,
    good_below,
)

_JUDGED = "sum(increase(driftline_judged_events_total{$W}[$window]))"
_OURS = 'sum(increase(driftline_hits_total{$W, model="driftline"}[$window]))'
_BY_MODEL = "sum by (model) (increase(driftline_hits_total{$W}[$window]))"
_BEST = 'max(sum by (model) (increase(driftline_hits_total{$W, model=~"popularity_.+"}[$window])))'
_FIRING = 'ALERTS{alertname=~"Driftline.+", alertstate="firing"}'

WELL = Row(
    "Is it well?",
    (
        Panel(
            "Alerts firing",
            "Alerts of driftline that fire now. Any is a reason to look at the list below.",
            (Query(f"count({_FIRING}) or vector(0)"),),
            "short",
            "stat",
            3,
            (*good_below(1, 1)[:1], Step(RED, 1)),
        ),
        Panel(
            "Workers ready",
            "Workers whose partitions are all restored, of those that answer. Below 100 % for"
            " longer than a restore takes, look at the worker dashboard.",
            (Query("avg(driftline_ready{$W})"),),
            "percentunit",
            "stat",
            3,
            good_above(0.5, 1.0),
            maximum=1.0,
        ),
        Panel(
            "Lag",
            "How long the oldest view that is not processed has waited, over all partitions.",
            (Query("max(driftline_lag_seconds{$P})"),),
            "s",
            "stat",
            3,
            good_below(10, 60),
        ),
        Panel(
            "Views per second",
            "Records handled. Compare with the same hour of other days.",
            (Query("sum(rate(driftline_events_total{$P}[$__rate_interval]))"),),
            "reqps",
            "stat",
            3,
        ),
        Panel(
            "Refused",
            "Share of the views that became dead letters. More than 1 % is a broken producer.",
            (
                Query(
                    'sum(rate(driftline_events_total{$P, outcome="dead_letter"}[$__rate_interval]))'
                    " / sum(rate(driftline_events_total{$P}[$__rate_interval]))"
                ),
            ),
            "percentunit",
            "stat",
            3,
            good_below(0.001, 0.01),
            maximum=1.0,
        ),
        Panel(
            "Recall",
            "Share of judged views whose title was in the list made just before, over $window.",
            (Query(f"{_OURS} / {_JUDGED}"),),
            "percentunit",
            "stat",
            3,
            maximum=1.0,
            decimals=1,
        ),
        Panel(
            "Recall over popularity",
            "Our recall over that of the best decayed popularity. Below 1, a list of popular"
            " titles would do better.",
            (Query(f"{_OURS} / {_BEST}"),),
            "short",
            "stat",
            3,
            good_above(0.95, 1.0),
            decimals=2,
        ),
        Panel(
            "Open drift episodes",
            "Changes of taste or of the input that have been noticed and are not over.",
            (Query("sum(driftline_drift_open_episodes{$W})"),),
            "short",
            "stat",
            3,
            good_below(1, 3),
        ),
    ),
    height=4,
)

COURSE = Row(
    "Since when?",
    (
        Panel(
            "Views by outcome",
            "Records a second. Dead letters are refused, duplicates were seen before.",
            (
                Query(
                    "sum by (outcome) (rate(driftline_events_total{$P}[$__rate_interval]))",
                    "{{outcome}}",
                ),
            ),
            "reqps",
            "stacked",
        ),
        Panel(
            "Lag by partition",
            "Seconds that the oldest unprocessed view has waited. One line above the others is a"
            " partition that does not move; all rising together is too much load.",
            (
                Query(
                    "topk(8, max by (topic, partition) (driftline_lag_seconds{$P}))",
                    "{{topic}}[{{partition}}]",
                ),
            ),
            "s",
            steps=good_below(10, 60),
        ),
        Panel(
            "Recall beside popularity",
            "Recall@k over $window: ours, each decayed popularity, and a random list.",
            (Query(f"{_BY_MODEL} / on () group_left () {_JUDGED}", "{{model}}"),),
            "percentunit",
        ),
    ),
)

CAUSES = Row(
    "Where to look",
    (
        Panel(
            "Alerts",
            "What fires or is about to. The name leads to its runbook.",
            (Query('ALERTS{alertname=~"Driftline.+"}'),),
            "short",
            "table",
            12,
        ),
        Panel(
            "Refused by reason",
            "Dead letters a second: decode and schema are the producer's code, range and late its"
            " data or clock, key its partitioning.",
            (
                Query(
                    "sum by (reason) (rate(driftline_dead_letters_total{$W}[$__rate_interval]))",
                    "{{reason}}",
                ),
            ),
            "reqps",
            width=6,
            steps=(Step(BLUE),),
        ),
        Panel(
            "Transactions",
            "Transactions a second by how they ended; aborts belong to rebalances, undecided ones"
            " to brokers that went away.",
            (
                Query(
                    "sum by (outcome) (rate(driftline_transactions_total{$W}[$__rate_interval]))",
                    "{{outcome}}",
                ),
            ),
            "ops",
            width=6,
        ),
    ),
)

BOARD = Board(
    "driftline-overview",
    "driftline",
    "Whether the recommendations are made, in time, and good.",
    (WELL, COURSE, CAUSES),
)
