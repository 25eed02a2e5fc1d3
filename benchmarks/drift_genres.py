"""MovieLens-100K with the ids of one genre permuted: found when, and blamed on whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.drift_logs import PERMUTED_AT, column, middle, movielens, permuted, shown
from benchmarks.measuring import table
from streams.drift_trials import run_trial
from streams.errors import RejectedEvent
from streams.logs import LogOptions, read_content, read_log
from streams.settings import Settings

SMALLEST, LARGEST = 0.03, 0.22


def measure(folder: Path, *, is_quick: bool) -> list[dict[str, Any]]:
    """Measure every genre of 3 to 22 % of the events."""
    plain = movielens(folder)
    contents = [c for c in read_content(str(plain.content)) if not isinstance(c, RejectedEvent)]
    titles: dict[str, set[str]] = {}
    for content in contents:
        for genre in content.genres:
            titles.setdefault(genre, set()).add(content.content_id)
    watched = [
        batch.decoder.decode_view(value).content_id
        for batch in read_log([str(plain.events)], options=LogOptions())
        for value in batch.values
    ]
    shares = {g: sum(title in own for title in watched) / len(watched) for g, own in titles.items()}
    chosen = sorted(g for g, share in shares.items() if SMALLEST <= share <= LARGEST)
    return [
        {"share": shares[genre], **_of_genre(folder, genre, titles[genre])}
        for genre in (chosen[:2] if is_quick else chosen)
    ]


def _of_genre(folder: Path, genre: str, titles: set[str]) -> dict[str, Any]:
    log = permuted(folder, f"genre:{genre}", seed=0)
    trial = run_trial(log.events, log.content, Settings())
    is_in = np.array([title in titles for title in column(log.events, "content_id")])
    before = [s for s in trial.stories if (s.line or 0) <= PERMUTED_AT]
    after = [s for s in trial.stories if (s.line or 0) > PERMUTED_AT]
    first = after[0] if after else None
    found = next((s for s in after if s.record.scopes[0].scope == f"genre:{genre}"), None)
    return {
        "genre": genre,
        "before": len(before),
        "first": None if first is None else first.record.scopes[0].scope,
        "delay": None if found is None else (found.line or 0) - 1 - PERMUTED_AT,
        "own_delay": None if found is None else int(is_in[PERMUTED_AT : found.line].sum()),
        "others": [s.record.scopes[0].scope for s in after if s is not found],
    }


def page(rows: list[dict[str, Any]]) -> str:
    """Return the table."""
    cells = [
        [
            row["genre"],
            f"{row['share']:.1%}",
            shown(row["own_delay"]),
            shown(row["delay"]),
            row["first"] or "–",
            str(row["before"]),
            ", ".join(row["others"]) or "none",
        ]
        for row in rows
    ]
    headers = [
        "genre",
        "share of events",
        "delay in its events",
        "delay in all",
        "first named",
        "episodes before",
        "other episodes after",
    ]
    right = sum(row["first"] == f"genre:{row['genre']}" for row in rows)
    delay = shown(middle(row["own_delay"] for row in rows))
    return "\n\n".join(
        [
            "## MovieLens-100K, one genre's ids permuted at event 50,000",
            f"{right} of {len(rows)} named first; delay {delay} events of the genre in the median.",
            table(headers, cells),
        ]
    )
