"""The row about drift: how near detectors are to alarms, episodes, who drifted, what was done."""

from __future__ import annotations

from monitoring.grafana.panels import Panel, Query, Row, good_below

DRIFT = Row(
    "What drifted?",
    (
        Panel(
            "Detector levels",
            "How near each statistic is to its alarm at 1, the nearest of any scope and partition."
            " Evidence of worse lists begins anew after an alarm; a changed input stays at 1 until"
            " it is back or has settled.",
            (
                Query(
                    "max by (statistic) (driftline_drift_statistic_ratio{$W})",
                    "{{statistic}}",
                ),
            ),
            "short",
            width=12,
            steps=good_below(0.75, 1.0),
        ),
        Panel(
            "Open episodes",
            "Concept is taste, data is what is watched and by whom, input_fault is a broken field.",
            (
                Query(
                    "sum by (kind, severity) (driftline_drift_open_episodes{$W})",
                    "{{kind}} ({{severity}})",
                ),
            ),
            "short",
            "stacked",
            12,
        ),
        Panel(
            "Alarms",
            "Alarms of detectors by statistic, in $window, before they are merged into episodes.",
            (
                Query(
                    "sum by (statistic) (increase(driftline_drift_alarms_total{$W}[$window]))",
                    "{{statistic}}",
                ),
            ),
            "short",
            "stacked",
            12,
        ),
        Panel(
            "Episodes opened",
            "Episodes by kind and severity that opened in $window.",
            (
                Query(
                    "sum by (kind, severity)"
                    " (increase(driftline_drift_episodes_total{$W}[$window]))",
                    "{{kind}} ({{severity}})",
                ),
            ),
            "short",
            "stacked",
            6,
        ),
        Panel(
            "Latest detection",
            "Event time of the latest detection of each kind; empty before the first.",
            (
                Query(
                    "max by (kind) (driftline_drift_detected_timestamp_seconds{$W}) * 1000",
                    "{{kind}}",
                ),
            ),
            "dateTimeAsIso",
            "stat",
            6,
            minimum=None,
        ),
        Panel(
            "Recall by scope",
            "Slow mean of recall by genre, device, source, and new and known users, begun anew by"
            " alarms. A step down is a scope that drifted; it should climb again.",
            (
                Query(
                    "avg by (scope) (driftline_drift_scope_recall_ratio{$W})",
                    "{{scope}}",
                ),
            ),
            "percentunit",
            width=12,
        ),
        Panel(
            "Reactions",
            "What was begun in $window because of drift: the fast side boosted, or an input not"
            " believed.",
            (
                Query(
                    "sum by (reaction) (increase(driftline_drift_reactions_total{$W}[$window]))",
                    "{{reaction}}",
                ),
            ),
            "short",
            "stacked",
            12,
        ),
    ),
)
