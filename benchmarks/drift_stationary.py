"""Logs in which nothing was planted: simulated with sessions and rhythm, and the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.drift_logs import simulated
from benchmarks.logs import every_log
from benchmarks.measuring import table
from models.alarms import Kind
from models.world_settings import WorldSettings
from streams.drift_files import Story
from streams.drift_trials import Trial, run_trial
from streams.settings import Settings

N_SEEDS, N_EVENTS = 10, 500_000
WORLDS = (  # users, titles, days
    (5_000, 2_000, 30),
    (20_000, 5_000, 60),
    (100_000, 10_000, 30),
    (10_000, 3_000, 20),
    (50_000, 20_000, 90),
)


def measure(folder: Path, *, is_quick: bool) -> dict[str, Any]:
    """Count the episodes in each log."""
    rows = []
    for seed in range(1 if is_quick else N_SEEDS):
        n_users, n_titles, days = WORLDS[seed % len(WORLDS)]
        world = WorldSettings(n_users=n_users, n_titles=n_titles, days=days, seed=seed)
        log = simulated(folder, "stationary", 50_000 if is_quick else N_EVENTS, world)
        trial = run_trial(log.events, log.content, Settings())
        name = f"{n_users:,} people, {n_titles:,} titles, {days} days"
        rows.append({"log": name, **_counted(trial)})
    real = [
        {"log": log.name, **_counted(run_trial(log.events, log.content, Settings()))}
        for log in every_log(folder)
    ]
    return {"simulated": rows, "real": real}


def _counted(trial: Trial) -> dict[str, Any]:
    kinds = [story.record.kind for story in trial.stories]
    return {
        "n_records": trial.n_records,
        "recall": float(trial.is_hit.mean()) if len(trial.is_hit) else None,
        **{str(kind): kinds.count(kind) for kind in Kind},
        "told": [_told(story) for story in trial.stories],
    }


def _told(story: Story) -> str:
    return f"{story.line or 0:,}: {story.record.what}"


def page(found: dict[str, Any]) -> str:
    """Return the tables, and every episode of the real logs in words."""
    rows = found["simulated"]
    n_records = sum(row["n_records"] for row in rows)
    n_episodes = sum(row[kind] for row in rows for kind in Kind)
    told = [f"- {row['log']}, line {text}" for row in found["real"] for text in row["told"]]
    false = [f"- {row['log']}, line {text}" for row in rows for text in row["told"]]
    rate = 100_000 * n_episodes / n_records
    said = (
        f"Simulated: {n_episodes} episodes in {n_records:,} events, {rate:.2f} per 100,000, over"
        " all statistics and scopes."
    )
    return "\n\n".join(
        [
            "## Logs in which nothing was planted",
            said,
            _table([*rows, *found["real"]]),
            *(["In the simulated logs:", "\n".join(false)] if false else []),
            *(["In the real logs:", "\n".join(told)] if told else []),
        ]
    )


def _table(rows: list[dict[str, Any]]) -> str:
    cells = [
        [row["log"], f"{row['n_records']:,}", f"{row['recall']:.3f}", *(str(row[k]) for k in Kind)]
        for row in rows
    ]
    return table(["log", "records", "recall@10", *(k.replace("_", " ") for k in Kind)], cells)
