"""Quality by window, read back from what ``replay --series`` wrote."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import msgspec

from streams.errors import InputError

_RECALL = re.compile(r"recall@(\d+)")


class Series(msgspec.Struct, frozen=True):
    """Windows in order.

    Attributes
    ----------
    k
        Length of a list.
    events, event_time
        Accepted events up to the end of each window, and the time of its last judged one.
    recall, popularity
        Of the window; NaN where nothing is known.
    """

    k: int
    events: list[float]
    event_time: list[float]
    recall: list[float]
    popularity: list[float]


def read_series(path: Path) -> Series:
    """Return the series in a file.

    Raises
    ------
    InputError
        It cannot be read; or, naming the line, it is no series.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: no CSV: {error}") from None
    named = (_RECALL.fullmatch(name or "") for name in (rows[0] if rows else {}))
    found = next((match for match in named if match), None)
    if found is None:
        raise InputError(f"{path}: no series of replay --series: it has no row with a recall")
    names = ("events", "event_time", found[0], f"popularity_{found[0]}")
    columns = [
        [_number(f"{path}, line {line}", name, row) for line, row in enumerate(rows, 2)]
        for name in names
    ]
    return Series(int(found[1]), *columns)


def _number(place: str, name: str, row: dict[str, str]) -> float:
    text = row.get(name)
    if text == "":
        return math.nan
    try:
        return float(text or "nothing")
    except ValueError:
        raise InputError(f"{place}: {name} is {text!r}, no number") from None
