"""Recall and NDCG of the default settings on every log, beside the baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.logs import every_log
from benchmarks.measuring import replay, table

HEADERS = (
    "log",
    "judged",
    "cold / repeats / never seen",
    "recall@10",
    "NDCG@10",
    "best popularity",
    "random",
    "new users",
    "new titles",
)


def measure(folder: Path) -> str:
    """Return the table of quality."""
    rows = []
    for log in every_log(folder):
        summary = replay(log.events, log.content)
        rows.append(_row(log.name, summary))
        print(" | ".join(rows[-1]), flush=True)
    return table(HEADERS, rows)


def _row(name: str, summary: dict[str, Any]) -> list[str]:
    best = summary["best_popularity"]
    baselines, segments = summary["baselines"], summary["segments"]
    return [
        name,
        f"{summary['judged']:,}",
        f"{summary['cold']:,} / {summary['repeats']:,} / {summary['never_seen']:,}",
        f"**{summary['recall@10']:.4f}** ± {summary['recall@10_se']:.4f}",
        f"{summary['ndcg@10']:.4f}",
        f"{baselines[best]['recall@10']:.4f} ({best.removeprefix('popularity_')})",
        f"{baselines['random']['recall@10']:.4f}",
        f"{segments['user:new']['recall@10']:.4f}",
        f"{segments['title:new']['recall@10']:.4f}",
    ]
