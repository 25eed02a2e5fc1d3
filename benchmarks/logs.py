"""The logs that are measured, as JSON lines in a work folder.

MovieLens-100K is obtained at run time. KuaiRand and MovieTweetings are read from the folder named
by ``BENCH_DATA`` (by default ``../shared/data``); without it their rows are skipped.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from streams.errors import InputError
from streams.movielens import obtain_movielens

Row = Mapping[str, str]
FIVE_STARS = 5.0
DATA = Path(os.environ.get("BENCH_DATA", "../shared/data"))


@dataclass(frozen=True, slots=True)
class Log:
    """One log to measure: its events as JSON lines and its catalogue."""

    name: str
    events: Path
    content: Path


def every_log(folder: Path) -> Iterator[Log]:
    """Yield the logs that can be had, saying which cannot."""
    yield from _movielens(folder)
    yield from movietweetings(folder)
    yield from _shared(
        folder,
        "KuaiRand",
        "kuairand",
        [("KuaiRand clicks", lambda row: row["is_click"] == "1"), ("KuaiRand", lambda _: True)],
    )


def movietweetings(folder: Path) -> Iterator[Log]:
    """Yield MovieTweetings, if it is there."""
    kept: list[tuple[str, Callable[[Row], bool]]] = [("MovieTweetings", lambda _: True)]
    yield from _shared(folder, "MovieTweetings", "movietweetings", kept)


def _movielens(folder: Path) -> Iterator[Log]:
    try:
        found = obtain_movielens(folder / "movielens-100k")
    except InputError as error:
        print(f"skipped: MovieLens-100K ({error})")
        return
    kept: list[tuple[str, Callable[[Row], bool]]] = [
        ("MovieLens-100K", lambda _: True),
        ("MovieLens-100K, rating 5", lambda row: float(row["rating"]) == FIVE_STARS),
    ]
    for name, keep in kept:
        with found.events.open(newline="", encoding="utf-8") as file:
            yield Log(name, _written(folder, name, csv.DictReader(file), keep), found.content)


def _shared(
    folder: Path, title: str, place: str, kept: list[tuple[str, Callable[[Row], bool]]]
) -> Iterator[Log]:
    source = DATA / place
    if not source.is_dir():
        print(f"skipped: {title} ({source} is not there; set BENCH_DATA)")
        return
    for name, keep in kept:
        with gzip.open(source / "events.csv.gz", "rt", newline="", encoding="utf-8") as file:
            events = _written(folder, name, csv.DictReader(file), keep)
        yield Log(name, events, source / "content.csv.gz")


def _written(folder: Path, name: str, rows: Iterable[Row], keep: Callable[[Row], bool]) -> Path:
    """Write the kept rows as JSON lines."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.lower().replace(' ', '-').replace(',', '')}.jsonl"
    with path.open("wb") as file:
        for row in rows:
            if keep(row):
                file.write(orjson.dumps(_event(row), option=orjson.OPT_APPEND_NEWLINE))
    return path


def _event(row: Row) -> dict[str, str | float]:
    names = ("user_id", "content_id", "view_time", "duration", "rating")
    numbers = ("timestamp", "timestamp_ms", "view_time", "duration", "rating")
    return {
        name: float(row[name]) if name in numbers else row[name]
        for name in (*names, "timestamp", "timestamp_ms")
        if row.get(name)
    }
