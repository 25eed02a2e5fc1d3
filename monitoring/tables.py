"""Results of a replay as tables for people, from plain values.

Everything fits 80 columns, and is plain text when it does not go to a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from io import TextIOWrapper
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from monitoring.formats import duration, fraction, mebibytes, percent, printable

_WIDTH = 80
ALL_TIME = "popularity_all"
_Scores = dict[str, Any]
_DEAD_LETTERS = "decode", "schema", "range", "late"
OPTIONAL = {"missing_view_time": "view times", "missing_rating": "ratings"}


def new_console(file: TextIO) -> Console:
    """Open a console that takes text literally; 80 columns wide when it is no terminal.

    Characters that the file's encoding lacks become question marks.
    """
    if isinstance(file, TextIOWrapper):
        file.reconfigure(errors="replace")
    width = None if file.isatty() else _WIDTH
    return Console(file=file, width=width, markup=False, highlight=False, emoji=False)


def print_scores(console: Console, summary: Mapping[str, Any]) -> None:
    """Print our lists beside the baselines, overall, by half and where it is hard.

    Parameters
    ----------
    console
        Where to.
    summary
        What an evaluation sums up: ``k``, ``judged``, ``recall@k``, ``ndcg@k``, ``baselines``,
        ``best_popularity``, ``halves`` and ``segments``.
    """
    k, columns = summary["k"], _columns(summary)
    table = _table("How often the next title was in the list", "", *columns)
    for column in table.columns[1:]:
        column.justify = "left"
    recall, ndcg = f"recall@{k}", f"ndcg@{k}"
    table.add_row(recall, style="bold")
    for label, scores in _rankings(summary, columns.values()):
        table.add_row(label, *(_with_error(s, recall) for s in scores))
    table.add_row(f"NDCG@{k}", style="bold")
    for label, scores in _rankings(summary, columns.values()):
        table.add_row(label, *(fraction(s[ndcg]) for s in scores))
    table.add_row("events judged", *(f"{s['judged']:,}" for s in columns.values()))
    console.print(table)
    console.print(_reading_aid(summary))


def print_recommendations(console: Console, users: Iterable[Mapping[str, Any]]) -> None:
    """Print lists with titles and reasons.

    Each user has ``user_id`` and ``items``, best first; an item has ``content_id``, ``reason``
    in words, and ``title`` if it is known.
    """
    for user in users:
        table = _table(f"For user {printable(user['user_id'])}", "", "title", "why")
        for column, ratio in zip(table.columns[1:], (4, 5), strict=True):
            column.justify, column.ratio = "left", ratio
        table.expand = True
        for place, item in enumerate(user["items"], start=1):
            title = item.get("title") or item["content_id"]
            table.add_row(str(place), printable(title), printable(item["reason"]))
        console.print(table, "")


def print_data_quality(console: Console, quality: Mapping[str, int], n_events: int) -> None:
    """Print how many of `n_events` records met which fate, by name; zeros are left out.

    A field that no accepted event has is no finding but a log without that column: it is said in a
    sentence.
    """
    absent = absent_fields(quality)
    counts = {name: n for name, n in quality.items() if n and name not in absent}
    if not counts.keys() - {"accepted"}:
        console.print(f"Data quality: none of {n_events:,} records was refused or repaired.")
    else:
        # As a title of the table it would be broken to the width of a narrow one.
        console.print(f"Data quality of {n_events:,} records", style="bold")
        table = _table(None, "", "records", "share")
        for name, n in counts.items():
            share = percent(n / n_events) if n_events else ""
            table.add_row(fate_of(name), f"{n:,}", share)
        console.print(table)
    for name in absent:
        console.print(f"The log has no {OPTIONAL[name]}, which is fine.")
    console.print()


def absent_fields(quality: Mapping[str, int]) -> list[str]:
    """Return names of `OPTIONAL` that all accepted events have: the log has no such column."""
    return [name for name in OPTIONAL if 0 < quality.get(name, 0) == quality.get("accepted")]


def fate_of(name: str) -> str:
    """Return what became of a record in words."""
    label = printable(name.replace("_", " "))
    return f"dead letter: {label}" if name in _DEAD_LETTERS else label


def print_speed(
    console: Console, *, n_events: int, elapsed_s: float, events_per_s: float, peak_rss_bytes: int
) -> None:
    """Print speed and memory."""
    console.print(
        f"{n_events:,} events in {duration(elapsed_s)}, {events_per_s:,.0f} events/s, "
        f"peak memory {mebibytes(peak_rss_bytes)}\n"
    )


def print_files(console: Console, files: Mapping[str, str]) -> None:
    """Print where files were written, by what they hold; paths are never broken."""
    width = max(map(len, files), default=0)
    for content, path in files.items():
        console.print(f"{content:{width}}  {printable(path)}", soft_wrap=True)


def _table(title: str | None, *headers: str) -> Table:
    table = Table(*headers, title=title, title_justify="left", title_style="bold", box=None)
    table.padding = (0, 1, 0, 0)
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _columns(summary: Mapping[str, Any]) -> dict[str, _Scores]:
    return {
        "all": dict(summary),
        "first half": summary["halves"]["first"],
        "second half": summary["halves"]["second"],
        "cold users": summary["segments"]["user:new"],
        "new titles": summary["segments"]["title:new"],
    }


def _rankings(
    summary: Mapping[str, Any], columns: Iterable[_Scores]
) -> Iterable[tuple[str, list[_Scores]]]:
    columns = list(columns)
    yield "driftline", columns
    for name in (best_decayed(summary), ALL_TIME, "random"):
        if name is not None and name in summary["baselines"]:
            yield label_of(name), [scores["baselines"][name] for scores in columns]


def best_decayed(summary: Mapping[str, Any]) -> str | None:
    """Return the half-life whose lists hit most often; None before anything was judged."""
    recall = f"recall@{summary['k']}"
    hits = {
        name: scores[recall]
        for name, scores in summary["baselines"].items()
        if name.startswith("popularity_") and name != ALL_TIME and scores[recall] is not None
    }
    return max(hits, key=hits.__getitem__) if hits else None


def label_of(baseline: str) -> str:
    """Return a baseline's name for people."""
    if baseline == ALL_TIME:
        return "popularity all time"
    half_life = re.fullmatch(r"popularity_(\d+)(\w+)", baseline)
    return f"popularity {half_life[1]} {half_life[2]}" if half_life else baseline


def _with_error(scores: _Scores, metric: str) -> str:
    error = scores.get(f"{metric}_se")
    value = fraction(scores[metric])
    return value if error is None else f"{value}±{fraction(error)}"


def _reading_aid(summary: Mapping[str, Any]) -> str:
    error = "± is one standard error, taking events as independent.\n"
    best = best_decayed(summary)
    if best is None:
        return error
    n_decayed = sum(name.startswith("popularity_") for name in summary["baselines"]) - 1
    return f"“{label_of(best)}” is the best of {n_decayed} half-lives.\n{error}"
