"""Labels of metrics, and the values that they have."""

from __future__ import annotations

from monitoring.metric import Label

REFUSALS = ("decode", "schema", "key", "range", "late")
FINDINGS = (
    "missing_view_time",
    "imputed_view_time",
    "missing_rating",
    "clipped_outlier",
    "clipped_to_duration",
    "clipped_future",
    "unknown_content",
)
STAGES = ("decode", "learn", "recommend", "produce", "commit")
CAUSES = ("rebalance", "fenced", "timeout", "broker", "other")
DRIFT_KINDS = ("concept", "data", "input_fault")
SEVERITIES = ("warning", "drift")

INPUT = Label("topic", "input topic")
OUTPUT = Label("topic", "output topics")
PARTITION = Label("partition", "partitions")
PLACE = (INPUT, PARTITION)
K = Label("k", "length of a list")
MODEL = Label("model", "models")
SEGMENT = Label("segment", "segments")
KIND = Label("kind", DRIFT_KINDS)
SEVERITY = Label("severity", SEVERITIES)
STATISTIC = Label("statistic", "statistics")
