"""The metrics of a replay at their event times, as an OpenMetrics file.

``promtool tsdb create-blocks-from openmetrics FILE DIR`` makes blocks of Prometheus of it.
"""

from __future__ import annotations

import math
from array import array
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from monitoring.metric import Metric
from monitoring.metric_table import SECTIONS
from monitoring.metrics import Metrics
from monitoring.store import Key
from monitoring.watcher import Watcher

MAX_SAMPLES = 10_000
"""Samples of a series after which every second one is left out: a file stays below 200 MB."""
LABELS = {"job": "driftline-replay", "instance": "replay"}
"""What scraping would add: rules and dashboards choose by them."""
_TIMED = ("Events", "Quality", "State", "Drift")
_BUILD = "driftline_build_info"


class Backfill(Watcher):
    """Notes all metrics that have an event time, once a step of it, and writes them at the end.

    Metrics of the process, such as durations, have none and are left out. A step without events
    has no sample. Must be told after `metrics` is. Memory: 8 bytes a sample, at most 80 kB a
    series; a replay of one partition has some hundred series.

    Parameters
    ----------
    metrics
        Whose values are noted.
    path
        Where to write.
    step_s
        Event time between samples; doubled whenever there are too many.

    Raises
    ------
    OSError
        The file cannot be opened for writing, or at the end, the disk refuses.
    """

    def __init__(self, metrics: Metrics, path: str, *, step_s: float) -> None:
        self.path = path
        self.step_s = step_s
        self._metrics = metrics
        self._times = array("d")
        self._rows: dict[str, list[array[float]]] = {m.name: [] for m in _metrics()}
        self._file = Path(path).open("w", encoding="utf-8")  # noqa: SIM115  closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._file as file:
            self._write(file)

    def update(
        self,
        share: float | None,  # noqa: ARG002  of the input, not of its time
        n_events: int,  # noqa: ARG002  `processed` counts by outcome
        *,
        event_time: float,
        recall: float | None = None,  # noqa: ARG002  hits and judged events are counted
        recall_recent: float | None = None,  # noqa: ARG002  likewise
    ) -> None:
        """Note all values as of the end of the step that an event time is in, never going back."""
        if not math.isfinite(event_time):
            return
        time = (event_time // self.step_s + 1) * self.step_s
        if not self._times:
            self._note(time - self.step_s, is_zero=True)
        if time > self._times[-1]:
            self._note(time)
        elif time == self._times[-1]:
            self._forget_last()
            self._note(time)
        if len(self._times) > MAX_SAMPLES:
            self._thin()

    def _note(self, time: float, *, is_zero: bool = False) -> None:
        """Add a sample of every series; a counter begins at 0, so that its first events count."""
        self._times.append(time)
        store = self._metrics.store
        with store.lock:
            self._metrics.refresh()
            for name, rows in self._rows.items():
                # Children are only ever added here, so a row names its values by their order.
                values = store.numbers[name].values()
                is_counter = store.table[name].kind == "counter"
                rows.append(array("d", [0.0] * (is_counter * len(values)) if is_zero else values))

    def _forget_last(self) -> None:
        self._times.pop()
        for rows in self._rows.values():
            rows.pop()

    def _thin(self) -> None:
        """Leave every second sample out, the latest kept."""
        self.step_s *= 2
        keep = slice((len(self._times) - 1) % 2, None, 2)
        self._times = self._times[keep]
        self._rows = {name: rows[keep] for name, rows in self._rows.items()}

    def _write(self, file: TextIO) -> None:
        for metric in _metrics():
            rows, keys = self._rows[metric.name], list(self._metrics.store.numbers[metric.name])
            if rows and keys:
                name = metric.name.removesuffix("_total")
                file.write(f"# HELP {name} {metric.help}\n# TYPE {name} {metric.kind}\n")
                for at, key in enumerate(keys):
                    begin = f"{metric.name}{{{_labels(metric, key)}}}"
                    file.writelines(
                        f"{begin} {row[at]!r} {time:.0f}\n"
                        for time, row in zip(self._times, rows, strict=True)
                        if len(row) > at
                    )
        file.write("# EOF\n")


def _labels(metric: Metric, key: Key) -> str:
    labels = LABELS | dict(zip(metric.label_names, key, strict=True))
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _metrics() -> list[Metric]:
    build = [metric for metric in SECTIONS["Process"] if metric.name == _BUILD]
    return [metric for section in _TIMED for metric in SECTIONS[section]] + build


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
