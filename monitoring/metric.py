"""What a row of the table of metrics is made of."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]

SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SAVING = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0)
LONG = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
SIZES = (1.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 2048.0, 10000.0)
"""Upper bounds of buckets: of a turn of the loop, of a snapshot, of a restore; of batches."""

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
