"""Results of the drift bench as Markdown, for people and for pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_NOTHING = "–"
DETECTION = {
    "scenario": "scenario",
    "detector": "detector",
    "found": "found",
    "named": "named",
    "median_delay": "delay (median)",
    "mean_delay": "delay (mean)",
    "false_per_10000": "false per 10,000",
    "precision": "precision",
    "recall": "recall",
    "mean_time_ratio": "mean time ratio",
}


def markdown(results: Mapping[str, Any]) -> str:
    """Return both tables with a line about each.

    Parameters
    ----------
    results
        ``n_events``, ``seeds``, ``horizon``, ``detection`` and ``recall``.
    """
    said = (
        f"Logs of {results['n_events']:,} events, {results['seeds']} a scenario; an alarm tells of"
        f" a change until {results['horizon']:,} records after it is complete. Delays are records"
        " of the log. *Named*: changes with an episode of the right kind that names their scope."
    )
    return "\n\n".join(
        [
            said,
            detection_table(results["detection"]),
            "Recall around the first change (around the middle, where there is none):",
            recall_table(results["recall"]),
        ]
    )


def detection_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return how well each detector did in each scenario."""
    return _table(list(DETECTION.values()), [_detection_cells(row) for row in rows])


def recall_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what recall each mode had before and after the change."""
    headers = list(rows[0]) if rows else ["scenario", "mode"]
    cells = [[_recall(value) for value in row.values()] for row in rows]
    return _table(headers, cells)


def _detection_cells(row: Mapping[str, Any]) -> list[str]:
    made = {
        **{name: _number(row.get(name)) for name in DETECTION},
        "scenario": row["scenario"],
        "detector": row["detector"],
        "found": f"{row['detected']} of {row['changes']}" if row["changes"] else _NOTHING,
        "named": f"{row['named']}" if row.get("named") is not None else "",
        "false_per_10000": _fixed(row["false_per_10000"], 2),
        "precision": _fixed(row["precision"], 2),
        "recall": _fixed(row["recall"], 2),
    }
    return [made[name] for name in DETECTION]


def _number(value: float | str | None) -> str:
    if value is None:
        return _NOTHING
    return value if isinstance(value, str) else f"{value:,.0f}"


def _fixed(value: float | None, digits: int) -> str:
    return _NOTHING if value is None else f"{value:.{digits}f}"


def _recall(value: float | str | None) -> str:
    return value if isinstance(value, str) else _fixed(value, 3)


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
