"""The third dashboard: what workers do with their time, partitions and memory."""

from __future__ import annotations

from monitoring.grafana.panels import Board, Panel, Query, Row, good_above, good_below
from monitoring.grafana.partitions import PARTITIONS, SNAPSHOTS, STATE


def _quantile(q: float, metric: str, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    rates = f"sum by ({labels}) (rate({metric}_bucket{{$W}}[$__rate_interval]))"
    return f"histogram_quantile({q}, {rates})"


NOW = Row(
    "Are the workers well?",
    (
        Panel(
            "Workers",
            "Processes that answer.",
            (Query("count(driftline_build_info{$W})"),),
            "short",
            "stat",
            4,
            good_above(1, 1),
        ),
        Panel(
            "Partitions not ready",
            "Assigned partitions that are still being restored.",
            (
                Query(
                    "sum(driftline_assigned_partitions{$W}) - sum(driftline_ready_partitions{$W})"
                ),
            ),
            "short",
            "stat",
            4,
            good_below(1, 8),
        ),
        Panel(
            "Oldest turn",
            "Seconds since the loop of any worker last began a turn.",
            (Query("max(time() - driftline_tick_timestamp_seconds{$W})"),),
            "s",
            "stat",
            4,
            good_below(20, 60),
        ),
        Panel(
            "Oldest commit",
            "Seconds since any worker last committed; long at night, when nobody watches.",
            (Query("max(time() - driftline_commit_timestamp_seconds{$W})"),),
            "s",
            "stat",
            4,
        ),
        Panel(
            "Oldest snapshot",
            "Seconds since any partition was last saved: what a restart has to learn again.",
            (Query("max(time() - driftline_snapshot_timestamp_seconds{$P})"),),
            "s",
            "stat",
            4,
            good_below(1800, 3600),
        ),
        Panel(
            "Largest process",
            "Resident memory of the largest worker.",
            (Query("max(process_resident_memory_bytes{$W})"),),
            "bytes",
            "stat",
            4,
        ),
    ),
    height=4,
)

LOOP = Row(
    "The loop",
    (
        Panel(
            "Time by stage",
            "Seconds of work in each second, by stage, over all workers: the highest is what to"
            " make faster; near one a worker, they are full.",
            (
                Query(
                    "sum by (stage)"
                    " (rate(driftline_stage_duration_seconds_sum{$W}[$__rate_interval]))",
                    "{{stage}}",
                ),
            ),
            "percentunit",
            "stacked",
        ),
        Panel(
            "Batch duration",
            "Half and 99 % of the batches are shorter.",
            (
                Query(_quantile(0.5, "driftline_batch_duration_seconds"), "median"),
                Query(_quantile(0.99, "driftline_batch_duration_seconds"), "99 %"),
            ),
            "s",
            steps=good_below(0.5, 2.0),
        ),
        Panel(
            "Batch size",
            "Batches by number of records: small ones cost more a record.",
            (
                Query(
                    "sum by (le) (increase(driftline_batch_events_bucket{$W}[$__rate_interval]))",
                    "{{le}}",
                ),
            ),
            "short",
            "heatmap",
        ),
    ),
)

TRANSACTIONS = Row(
    "Transactions",
    (
        Panel(
            "Duration by stage, 99 %",
            "Producing the records and committing them with the offsets.",
            (
                Query(
                    _quantile(0.99, "driftline_stage_duration_seconds", "stage"),
                    "{{stage}}",
                ),
            ),
            "s",
            steps=good_below(0.25, 1.0),
        ),
        Panel(
            "Failures by cause",
            "Transactions a second that did not commit at first. They are sent again.",
            (
                Query(
                    "sum by (cause)"
                    " (rate(driftline_transaction_failures_total{$W}[$__rate_interval]))",
                    "{{cause}}",
                ),
            ),
            "ops",
        ),
        Panel(
            "Records written",
            "Records a second by topic.",
            (
                Query(
                    "sum by (topic) (rate(driftline_records_sent_total{$W}[$__rate_interval]))",
                    "{{topic}}",
                ),
            ),
            "wps",
        ),
    ),
)

PROCESS = Row(
    "Processes",
    (
        Panel(
            "Processor",
            "Cores in use by each worker; the loop has one.",
            (
                Query(
                    "rate(process_cpu_seconds_total{$W}[$__rate_interval])",
                    "{{instance}}",
                ),
            ),
            "percentunit",
        ),
        Panel(
            "Memory",
            "Resident memory of each worker.",
            (Query("process_resident_memory_bytes{$W}", "{{instance}}"),),
            "bytes",
        ),
        Panel(
            "What runs",
            "Version of driftline and of Python of each worker.",
            (Query("driftline_build_info{$W}"),),
            "short",
            "table",
        ),
        Panel(
            "Brokers away",
            "Workers that reach no broker.",
            (Query("sum(driftline_brokers_away{$W})", "workers"),),
            "short",
            steps=good_below(1, 2),
        ),
        Panel(
            "Open files",
            "Of each worker, as a share of what it may open.",
            (Query("process_open_fds{$W} / process_max_fds{$W}", "{{instance}}"),),
            "percentunit",
            steps=good_below(0.5, 0.8),
        ),
        Panel(
            "Failed observers",
            "Calls a second that took note of the work and failed; numbers may be missing.",
            (
                Query(
                    "sum(rate(driftline_observer_failures_total{$W}[$__rate_interval]))",
                    "failures",
                ),
            ),
            "ops",
            steps=good_below(0.001, 1.0),
        ),
    ),
)

BOARD = Board(
    "driftline-worker",
    "driftline: workers",
    "What workers do with their time, their partitions and their memory.",
    (NOW, LOOP, TRANSACTIONS, PARTITIONS, SNAPSHOTS, STATE, PROCESS),
)
