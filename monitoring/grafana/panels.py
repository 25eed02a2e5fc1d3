"""What a dashboard is made of, as plain rows; `monitoring.grafana.build` makes JSON of them."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["stat", "lines", "stacked", "table", "heatmap"]

GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"


class Query(NamedTuple):
    """An expression and how its series are named.

    ``$W`` stands for the matchers of job and instance, ``$P`` for those of topic as well.
    """

    expr: str
    legend: str = ""


class Step(NamedTuple):
    """A colour from a value on; the first step of a panel begins at minus infinity."""

    color: str
    value: float | None = None


class Panel(NamedTuple):
    """One panel.

    Attributes
    ----------
    sentence
        What one sees and when to worry.
    width
        Of 24 columns.
    steps
        Thresholds; a single colour where no value is good or bad.
    """

    title: str
    sentence: str
    queries: tuple[Query, ...]
    unit: str
    kind: Kind = "lines"
    width: int = 8
    steps: tuple[Step, ...] = (Step(BLUE),)
    minimum: float | None = 0.0
    maximum: float | None = None
    decimals: int | None = None


class Row(NamedTuple):
    """Panels beside each other under a heading; their widths add up to multiples of 24."""

    title: str
    panels: tuple[Panel, ...]
    height: int = 8


class Board(NamedTuple):
    """One dashboard."""

    uid: str
    title: str
    sentence: str
    rows: tuple[Row, ...]
    has_segment: bool = False


def good_below(warn: float, bad: float) -> tuple[Step, ...]:
    """Give thresholds of something that should be small."""
    return Step(GREEN), Step(YELLOW, warn), Step(RED, bad)


def good_above(bad: float, warn: float) -> tuple[Step, ...]:
    """Give thresholds of something that should be large."""
    return Step(RED), Step(YELLOW, bad), Step(GREEN, warn)
