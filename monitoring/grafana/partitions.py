"""Rows of the third dashboard about what workers have: partitions, snapshots, state."""

from __future__ import annotations

from monitoring.grafana.panels import Panel, Query, Row, good_below

PARTITIONS = Row(
    "Partitions",
    (
        Panel(
            "Unprocessed records",
            "By partition, the eight longest queues.",
            (
                Query(
                    "topk(8, max by (topic, partition) (driftline_lag_events{$P}))",
                    "{{topic}}[{{partition}}]",
                ),
            ),
            "short",
        ),
        Panel(
            "Event time behind the clock",
            "Clock minus the partition's own event time: old logs that are published again show"
            " their age, a live stream its quiet.",
            (
                Query(
                    "topk(8, max by (topic, partition)"
                    " (time() - driftline_watermark_timestamp_seconds{$P}))",
                    "{{topic}}[{{partition}}]",
                ),
            ),
            "s",
            minimum=None,
        ),
        Panel(
            "Partitions by worker",
            "Assigned to each worker; uneven is normal for a moment only.",
            (Query("driftline_assigned_partitions{$W}", "{{instance}}"),),
            "short",
            "stacked",
        ),
        Panel(
            "Rebalances",
            "Changes of the assignment in $window; lost means that a session ended.",
            (
                Query(
                    "sum by (change) (increase(driftline_rebalances_total{$W}[$window]))",
                    "{{change}}",
                ),
            ),
            "short",
            "stacked",
        ),
        Panel(
            "Restores",
            "Partitions brought back in $window, by how it ended.",
            (
                Query(
                    "sum by (outcome) (increase(driftline_restores_total{$W}[$window]))",
                    "{{outcome}}",
                ),
            ),
            "short",
            "stacked",
        ),
        Panel(
            "Mean duration of a restore",
            "From assignment to ready, over $window.",
            (
                Query(
                    "sum(increase(driftline_restore_duration_seconds_sum{$W}[$window]))"
                    " / sum(increase(driftline_restore_duration_seconds_count{$W}[$window]))",
                    "mean",
                ),
            ),
            "s",
            steps=good_below(60, 300),
        ),
    ),
)

SNAPSHOTS = Row(
    "Snapshots",
    (
        Panel(
            "Age",
            "Seconds since each partition was saved, the eight oldest.",
            (
                Query(
                    "topk(8, time() - driftline_snapshot_timestamp_seconds{$P})",
                    "{{topic}}[{{partition}}]",
                ),
            ),
            "s",
            steps=good_below(1800, 3600),
        ),
        Panel(
            "Size",
            "Of the newest snapshot of each partition, the eight largest.",
            (
                Query(
                    "topk(8, driftline_snapshot_size_bytes{$P})",
                    "{{topic}}[{{partition}}]",
                ),
            ),
            "bytes",
        ),
        Panel(
            "Written and failed",
            "Snapshots in $window by how they ended. Failed ones leave those before them.",
            (
                Query(
                    "sum by (outcome) (increase(driftline_snapshots_total{$W}[$window]))",
                    "{{outcome}}",
                ),
            ),
            "short",
            "stacked",
        ),
    ),
)

STATE = Row(
    "State",
    (
        Panel(
            "Users and titles",
            "Remembered over all partitions.",
            (
                Query("sum(driftline_users{$P})", "users"),
                Query("sum(driftline_titles{$P})", "titles"),
            ),
            "short",
        ),
        Panel(
            "Neighbours",
            "Of titles in co-visitation, over all partitions: most of the memory.",
            (Query("sum(driftline_neighbors{$P})", "neighbours"),),
            "short",
        ),
        Panel(
            "Evictions",
            "Users and titles forgotten to make room, a second. Many mean that the bounds are too"
            " small for the audience.",
            (
                Query(
                    "sum by (kind) (rate(driftline_evictions_total{$W}[$__rate_interval]))",
                    "{{kind}}",
                ),
            ),
            "ops",
        ),
        Panel(
            "What the ranker weighs",
            "Weight of each feature, mean over partitions and workers. One that crosses 0 says"
            " what has become good or bad evidence.",
            (Query("avg by (feature) (driftline_ranker_weight{$W})", "{{feature}}"),),
            "short",
            width=16,
            minimum=None,
        ),
        Panel(
            "Snapshot duration",
            "Mean time of writing one, beside the loop.",
            (
                Query(
                    "sum(increase(driftline_snapshot_duration_seconds_sum{$W}[$window]))"
                    " / sum(increase(driftline_snapshot_duration_seconds_count{$W}[$window]))",
                    "mean",
                ),
            ),
            "s",
            steps=good_below(10, 60),
        ),
    ),
)
