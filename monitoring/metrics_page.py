"""The text of ``docs/metrics.md``, made from the table of metrics."""

from __future__ import annotations

from pathlib import Path

from monitoring.metric import PROCESS, Label, Metric
from monitoring.metric_table import SECTIONS

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
_HEAD = """\
# Metrics

<!-- Written by `python -m monitoring.metrics_page`; a test compares. -->

What `/metrics` gives, of a worker and of `driftline replay --serve-metrics`. Counters count from
the start of the process: look at them through `rate` or `increase`. Means such as recall are two
counters, so that they add up over workers; the [recording rules](monitoring.md#prometheus) divide
them. A gauge is absent until it has been measured, and goes with its partition.
"""
_TAIL = """
## Of the process

The client library adds the usual {names}.
"""


def page() -> str:
    """Give the text of the page."""
    sections = "".join(_section(title, rows) for title, rows in SECTIONS.items())
    listed = ", ".join(f"`{name}`" for name in PROCESS)
    return _HEAD + sections + _TAIL.format(names=listed)


def _section(title: str, rows: tuple[Metric, ...]) -> str:
    head = f"\n## {title}\n\n| metric | kind | unit | labels | says |\n|---|---|---|---|---|\n"
    return head + "".join(map(_row, rows))


def _row(metric: Metric) -> str:
    labels = "; ".join(map(_label, metric.labels)) or "–"
    return (
        f"| `{metric.name}` | {metric.kind} | {metric.unit or '–'} | {labels} | {metric.help} |\n"
    )


def _label(label: Label) -> str:
    if isinstance(label.values, str):
        return f"`{label.name}` ({label.values})"
    return f"`{label.name}`: " + ", ".join(f"`{value}`" for value in label.values)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
