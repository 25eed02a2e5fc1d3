"""The store as metric families of the Prometheus client library."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from monitoring.metric import Metric
from monitoring.store import Histogram, Key, Store, Values


class StoreCollector(Collector):
    """Gives all metrics as of one moment.

    Parameters
    ----------
    copy
        Gives a store that nobody writes to.
    """

    def __init__(self, copy: Callable[[], Store]) -> None:
        self._copy = copy

    def collect(self) -> Iterable[Family]:
        """Give one family a metric, those without children left out."""
        store = self._copy()
        for metric in store.table.values():
            if metric.kind == "histogram":
                yield _histograms(metric, store.histograms[metric.name])
            elif store.numbers[metric.name]:
                yield _numbers(metric, store.numbers[metric.name])

    def describe(self) -> Iterable[Family]:
        """Give nothing: what cannot clash need not be collected to be registered."""
        return []


def registry_of(copy: Callable[[], Store]) -> CollectorRegistry:
    """Return a registry of these metrics and those of the process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreCollector(copy))
    ProcessCollector(registry=registry)
    return registry


def _numbers(metric: Metric, own: Values) -> Family:
    made = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = made(metric.name, metric.help, labels=metric.label_names)
    for key, value in own.items():
        family.add_metric(key, value)
    return family


def _histograms(metric: Metric, own: dict[Key, Histogram]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.label_names)
    limits = [*map(floatToGoString, metric.limits), "+Inf"]
    for key, found in own.items():
        family.add_metric(key, list(zip(limits, accumulate(found.counts), strict=True)), found.sum)
    return family
