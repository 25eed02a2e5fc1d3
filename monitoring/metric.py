"""What a row of the table of metrics is made of, and the values that its labels have."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]

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
OTHER = "other"

PROCESS = (
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_start_time_seconds",
    "process_open_fds",
    "process_max_fds",
)
"""Metrics of the process that the client library adds, under their usual names."""


class Label(NamedTuple):
    """A label and all its values, or what of the run gives them."""

    name: str
    values: tuple[str, ...] | str


class Metric(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    name
        As it is scraped.
    unit
        A base unit, or what is counted.
    limits
        Upper bounds of a histogram's buckets.
    """

    name: str
    kind: Kind
    unit: str
    labels: tuple[Label, ...]
    help: str
    limits: tuple[float, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels, in their order."""
        return tuple(label.name for label in self.labels)


def counter(name: str, unit: str, text: str, *labels: Label) -> Metric:
    """Give a row of something that only grows."""
    return Metric(name, "counter", unit, labels, text)


def gauge(name: str, unit: str, text: str, *labels: Label) -> Metric:
    """Give a row of something that goes up and down."""
    return Metric(name, "gauge", unit, labels, text)


def histogram(name: str, unit: str, text: str, *labels: Label, limits: tuple[float, ...]) -> Metric:
    """Give a row of something that is counted by size."""
    return Metric(name, "histogram", unit, labels, text, limits)
