"""Every metric: name, kind, unit, labels and help, in one table that one can read aloud.

`docs/metrics.md` is written from it (``python -m monitoring.metrics_page``); the collector, the
rules and the dashboards are tested against it.
"""

from __future__ import annotations

from monitoring import labels as by
from monitoring.metric import LONG, SAVING, SHORT, SIZES, Label, Metric, counter, gauge, histogram

SECTIONS: dict[str, tuple[Metric, ...]] = {
    "Events": (
        counter(
            "driftline_events_total",
            "events",
            "Records handled, by what became of them.",
            *by.PLACE,
            Label("outcome", ("accepted", "duplicate", "dead_letter")),
        ),
        counter(
            "driftline_dead_letters_total",
            "events",
            "Records refused, by reason.",
            Label("reason", by.REFUSALS),
        ),
        counter(
            "driftline_quality_findings_total",
            "findings",
            "What was missing in, imputed into or clipped of accepted events.",
            Label("finding", by.FINDINGS),
        ),
        gauge(
            "driftline_watermark_timestamp_seconds",
            "seconds",
            "The log's own clock: event time that a partition has come to.",
            *by.PLACE,
        ),
        gauge(
            "driftline_lag_events",
            "events",
            "Records of a partition that are not processed yet.",
            *by.PLACE,
        ),
        gauge(
            "driftline_lag_seconds",
            "seconds",
            "How long the oldest record that is not processed has been waiting, 0 without one.",
            *by.PLACE,
        ),
    ),
    "Durations": (
        histogram(
            "driftline_stage_duration_seconds",
            "seconds",
            "Time of a stage: decode, learn and recommend of a batch; produce and commit of a"
            " transaction.",
            Label("stage", by.STAGES),
            limits=SHORT,
        ),
        histogram(
            "driftline_batch_duration_seconds",
            "seconds",
            "Time of a batch from decoding to held records.",
            limits=SHORT,
        ),
        histogram("driftline_batch_events", "events", "Records of a batch.", limits=SIZES),
    ),
    "Transactions": (
        counter(
            "driftline_transactions_total",
            "transactions",
            "Transactions, by how they ended.",
            Label("outcome", ("committed", "aborted", "undecided")),
        ),
        counter(
            "driftline_transaction_failures_total",
            "transactions",
            "Transactions that did not commit at first, by cause.",
            Label("cause", by.CAUSES),
        ),
        counter(
            "driftline_records_sent_total", "records", "Records committed to a topic.", by.OUTPUT
        ),
        gauge(
            "driftline_commit_timestamp_seconds", "seconds", "When a transaction last committed."
        ),
    ),
    "Partitions": (
        gauge("driftline_assigned_partitions", "partitions", "Partitions assigned to this worker."),
        gauge("driftline_ready_partitions", "partitions", "Those of them that are restored."),
        counter(
            "driftline_rebalances_total",
            "rebalances",
            "Changes of the assignment.",
            Label("change", ("assigned", "revoked", "lost")),
        ),
        counter(
            "driftline_restores_total",
            "restores",
            "Partitions brought back after an assignment, by how it ended.",
            Label("outcome", ("restored", "failed")),
        ),
        histogram(
            "driftline_restore_duration_seconds",
            "seconds",
            "Time from the assignment of a partition until it is ready.",
            limits=LONG,
        ),
    ),
    "Snapshots": (
        counter(
            "driftline_snapshots_total",
            "snapshots",
            "Snapshots, by how they ended.",
            Label("outcome", ("written", "failed")),
        ),
        histogram(
            "driftline_snapshot_duration_seconds",
            "seconds",
            "Time of writing a snapshot, beside the loop.",
            limits=SAVING,
        ),
        gauge(
            "driftline_snapshot_size_bytes",
            "bytes",
            "Size of the newest snapshot of a partition.",
            *by.PLACE,
        ),
        gauge(
            "driftline_snapshot_timestamp_seconds",
            "seconds",
            "When a partition was last saved or, before that, restored.",
            *by.PLACE,
        ),
    ),
    "Quality": (
        counter(
            "driftline_judged_events_total",
            "events",
            "Events whose list was judged before they were learned.",
        ),
        counter(
            "driftline_skipped_events_total",
            "events",
            "Accepted events that were not judged.",
            Label("reason", ("cold", "repeat", "not_positive")),
        ),
        counter(
            "driftline_hits_total",
            "events",
            "Judged events whose title was in the list of k; over judged events: recall@k.",
            by.K,
            by.MODEL,
        ),
        counter(
            "driftline_discounted_gain_total",
            "events",
            "Sum of 1 / log2(1 + rank) over the hits; over judged events: NDCG@k.",
            by.K,
            by.MODEL,
        ),
        counter(
            "driftline_reciprocal_rank_total",
            "events",
            "Sum of 1 / rank over the hits; over judged events: MRR@k.",
            by.K,
            by.MODEL,
        ),
        counter(
            "driftline_segment_judged_events_total",
            "events",
            "Judged events of a segment; those of one kind (user, title) sum to all.",
            by.SEGMENT,
        ),
        counter(
            "driftline_segment_hits_total",
            "events",
            "Hits of a segment; those of one kind (user, title) sum to all.",
            by.K,
            by.MODEL,
            by.SEGMENT,
        ),
        gauge(
            "driftline_list_coverage_ratio",
            "ratio",
            "Share of the known titles that were in recent lists.",
            *by.PLACE,
        ),
        gauge(
            "driftline_list_concentration_ratio",
            "ratio",
            "Share of the places in recent lists that the ten most listed titles took.",
            *by.PLACE,
        ),
    ),
    "State": (
        gauge("driftline_users", "users", "Users remembered.", *by.PLACE),
        gauge("driftline_titles", "titles", "Titles remembered.", *by.PLACE),
        gauge(
            "driftline_neighbors", "neighbours", "Neighbours of titles in co-visitation.", *by.PLACE
        ),
        counter(
            "driftline_evictions_total",
            "evictions",
            "Users and titles forgotten to make room.",
            Label("kind", ("users", "titles")),
        ),
        gauge(
            "driftline_ranker_weight",
            "",
            "Weight of a feature in the ranker, mean over partitions.",
            Label("feature", "features"),
        ),
    ),
    "Drift": (
        counter(
            "driftline_drift_alarms_total",
            "alarms",
            "Alarms of detectors, before they are merged into episodes.",
            by.STATISTIC,
            by.SEVERITY,
        ),
        counter(
            "driftline_drift_episodes_total",
            "episodes",
            "Drift episodes opened.",
            by.KIND,
            by.SEVERITY,
        ),
        gauge(
            "driftline_drift_open_episodes",
            "episodes",
            "Drift episodes that are open.",
            by.KIND,
            by.SEVERITY,
        ),
        gauge(
            "driftline_drift_detected_timestamp_seconds",
            "seconds",
            "Event time of the latest detection; absent before the first.",
            by.KIND,
        ),
        gauge(
            "driftline_drift_onset_timestamp_seconds",
            "seconds",
            "Event time at which that change is estimated to have begun.",
            by.KIND,
        ),
        counter(
            "driftline_drift_reactions_total",
            "reactions",
            "What was begun because of drift: boosts of the fast side, and inputs not believed.",
            Label("reaction", "reactions"),
        ),
        gauge(
            "driftline_drift_statistic_ratio",
            "ratio",
            "Level of a detector relative to its alarm, the highest over partitions and scopes.",
            by.STATISTIC,
        ),
        gauge(
            "driftline_drift_scope_recall_ratio",
            "ratio",
            "Slow mean of recall in a scope, begun anew by its alarms, mean over partitions; of the"
            " scopes with most judged events.",
            Label("scope", "scopes"),
        ),
    ),
    "Process": (
        gauge(
            "driftline_build_info",
            "",
            "Always 1; the labels say what runs.",
            Label("version", "version"),
            Label("python", "version"),
        ),
        gauge("driftline_ready", "", "Whether all assigned partitions are restored."),
        gauge("driftline_tick_timestamp_seconds", "seconds", "When the loop last began a turn."),
        gauge(
            "driftline_brokers_away",
            "",
            "Whether the last call to Kafka failed because no broker answered.",
        ),
        gauge(
            "driftline_replay_progress_ratio", "ratio", "Share of the log that a replay has read."
        ),
        counter(
            "driftline_observer_failures_total",
            "calls",
            "Calls of observers that failed; the work went on.",
        ),
    ),
}

TABLE: dict[str, Metric] = {row.name: row for rows in SECTIONS.values() for row in rows}
