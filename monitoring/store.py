"""Current values of the metrics: plain numbers, counted by the loop, copied for a scrape."""

from __future__ import annotations

import itertools
import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from monitoring.metric import OTHER, Metric

Key = tuple[str, ...]
Values = dict[Key, float]

MAX_VALUES = 32
"""Values that a label may take beside those known at the start; further ones become one."""


class Histogram:
    """Observations counted by size."""

    def __init__(self, limits: Sequence[float]) -> None:
        self.limits = limits
        self.counts = [0] * (len(limits) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.limits, value)] += 1
        self.sum += value

    def copy(self) -> Histogram:
        made = Histogram(self.limits)
        made.counts, made.sum = self.counts.copy(), self.sum
        return made


class Store:
    """Holds a number, or a histogram, for every child of every metric.

    Children whose label values are known exist from the start, so that rates see zeros. One lock
    makes what is scraped one moment's; it is held for a call of the loop, or for a copy of all
    numbers, 50 µs for a thousand.

    Parameters
    ----------
    table
        The metrics.
    given
        Values of the labels that are known at the start only, by what gives them.

    Attributes
    ----------
    lock : threading.Lock
        To be held around calls that belong together; no method takes it but `copy`.
    """

    def __init__(self, table: Mapping[str, Metric], given: Mapping[str, Iterable[str]]) -> None:
        self.lock = threading.Lock()
        self.table = table
        self.numbers: dict[str, Values] = {}
        self.histograms: dict[str, dict[Key, Histogram]] = {}
        self._given = {name: tuple(values) for name, values in given.items()}
        self._seen: dict[tuple[str, int], set[str]] = {}
        for metric in table.values():
            if metric.kind == "histogram":
                made = {key: Histogram(metric.limits) for key in self._keys(metric)}
                self.histograms[metric.name] = made
            else:
                # A gauge that nobody has set yet is absent, not 0.
                keys = self._keys(metric) if metric.kind == "counter" else ()
                self.numbers[metric.name] = dict.fromkeys(keys, 0.0)

    def create(self, **values: str) -> None:
        """Begin counters whose labels are complete with these values at 0."""
        given = {**self._given, **{name: (value,) for name, value in values.items()}}
        for metric in self.table.values():
            sources = {label.values for label in metric.labels}
            if metric.kind == "counter" and sources & values.keys():
                own = self.numbers[metric.name]
                for key in self._keys(metric, given):
                    own.setdefault(key, 0.0)

    def add(self, name: str, *key: str, n: float = 1.0) -> None:
        """Add to a counter."""
        own = self.numbers[name]
        if key not in own:
            key = self._bounded(name, key)
        own[key] = own.get(key, 0.0) + n

    def set(self, name: str, *key: str, value: float) -> None:
        """Set a gauge."""
        own = self.numbers[name]
        own[key if key in own else self._bounded(name, key)] = value

    def observe(self, name: str, *key: str, value: float) -> None:
        """Count an observation; of labels that were not known at the start, none."""
        found = self.histograms[name].get(key)
        if found is not None:
            found.observe(value)

    def drop(self, label: str, value: str) -> None:
        """Remove the gauges of a label's value: what is gone has no level."""
        for metric in self.table.values():
            if metric.kind == "gauge" and label in metric.label_names:
                at = metric.label_names.index(label)
                own = self.numbers[metric.name]
                for key in [key for key in own if key[at] == value]:
                    del own[key]

    def copy(self) -> Store:
        """Give a store of the same moment that nobody writes to."""
        made = Store({}, {})
        with self.lock:
            made.numbers = {name: own.copy() for name, own in self.numbers.items()}
            made.histograms = {
                name: {key: found.copy() for key, found in own.items()}
                for name, own in self.histograms.items()
            }
        made.table = self.table
        return made

    def _keys(self, metric: Metric, given: Mapping[str, Key] | None = None) -> Iterable[Key]:
        """Give the label values of children that can be named now."""
        known = self._given if given is None else given
        values = [
            known.get(label.values, ()) if isinstance(label.values, str) else label.values
            for label in metric.labels
        ]
        return itertools.product(*values)

    def _bounded(self, name: str, key: Key) -> Key:
        """Give the key under which unforeseen label values are counted."""
        return tuple(
            self._allowed(name, at, value, label.values)
            for at, (label, value) in enumerate(zip(self.table[name].labels, key, strict=True))
        )

    def _allowed(self, name: str, at: int, value: str, known: Key | str) -> str:
        if isinstance(known, tuple):
            return value if value in known else OTHER
        if known == "partitions" or value in self._given.get(known, ()):
            return value
        seen = self._seen.setdefault((name, at), set())
        if value in seen or len(seen) < MAX_VALUES:
            seen.add(value)
            return value
        return OTHER
