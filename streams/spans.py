"""Where the changes of a scenario begin and end in one log."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from streams.change_kinds import Bound, Change, Taste
from streams.errors import SettingsError
from streams.scenarios import Scenario
from streams.timebounds import parse_time_bound


class Span(NamedTuple):
    """Two places on the ruler of a log; the second, not included, is infinite if it lasts."""

    begin: float
    end: float


class Ruler(Protocol):
    """Tells where things are in one log: its unit is event time, or the number of a record.

    Attributes
    ----------
    n_events : int
        Length of the log.
    first_time, last_time : float
        Event times of its ends.
    """

    @property
    def n_events(self) -> int: ...
    @property
    def first_time(self) -> float: ...
    @property
    def last_time(self) -> float: ...

    def of_number(self, n_before: float) -> float:
        """Return the place that so many events are before."""
        ...

    def of_time(self, event_time: float) -> float:
        """Return the place of an event time."""
        ...


def spans_of(scenario: Scenario, ruler: Ruler) -> list[Span]:
    """Return where each change of a scenario is.

    Raises
    ------
    InputError
        A change is outside the log, ends before it begins, or overlaps another of its kind and
        scope.
    """
    spans = []
    for number, change in enumerate(scenario.changes):
        places = {}
        for field, bound in (("begin", change.begin), ("end", change.end)):
            try:
                places[field] = math.inf if bound is None else place_of(bound, ruler)
            except (ValueError, SettingsError) as error:
                raise scenario.refusal(number, str(error), field) from None
        span = Span(**places)
        if span.begin >= min(span.end, ruler.of_number(ruler.n_events)):
            end = "the end of the log" if change.end is None else f"its end, {change.end}"
            raise scenario.refusal(number, f"{change.begin} is not before {end}", "begin")
        spans.append(span)
    _refuse_overlaps(scenario, spans)
    return spans


def place_of(bound: Bound, ruler: Ruler) -> float:
    """Return the place of a share, a number of events or a time.

    Raises
    ------
    ValueError, SettingsError
        It is none of them, or not within the log.
    """
    if isinstance(bound, str):
        event_time = parse_time_bound(bound).resolve(ruler.first_time)
        if not ruler.first_time < event_time <= ruler.last_time:
            raise ValueError(
                f"{bound} is outside the log, which goes from {ruler.first_time:.0f} "
                f"to {ruler.last_time:.0f} s"
            )
        return ruler.of_time(event_time)
    if isinstance(bound, int):
        if not 0 < bound <= ruler.n_events:
            raise ValueError(f"{bound} is outside the log, which has {ruler.n_events} events")
        return ruler.of_number(bound)
    if not 0 < bound <= 1:
        raise ValueError(
            f"{bound} is no share of the log; write one between 0 and 1, "
            "or a whole number of events"
        )
    return ruler.of_number(bound * ruler.n_events)


def overlap(spans: Sequence[tuple[tuple[str, ...], Span]]) -> tuple[int, int] | None:
    """Return two spans on one topic that overlap, the earlier one first; None if there are none.

    >>> overlap([(("a",), Span(5, 9)), (("b",), Span(1, 6)), (("a",), Span(1, 6))])
    (2, 0)
    """
    order = sorted(range(len(spans)), key=spans.__getitem__)  # topic by topic
    for one, other in itertools.pairwise(order):
        (topic, span), (next_topic, next_span) = spans[one], spans[other]
        if topic == next_topic and next_span.begin < span.end:
            return one, other
    return None


def duration(change: Change, span: Span) -> Span:
    """Return how long what has changed stays so: a gradual change has no end."""
    is_gradual = isinstance(change, Taste) and change.shape == "gradual"
    return Span(span.begin, math.inf) if is_gradual else span


def _refuse_overlaps(scenario: Scenario, spans: Sequence[Span]) -> None:
    pairs = zip(scenario.changes, spans, strict=True)
    found = overlap([(change.topic, duration(change, span)) for change, span in pairs])
    if found:
        one, other = found
        change = scenario.changes[one]
        raise scenario.refusal(
            other,
            f"it begins before change {one + 1} of the same kind and scope "
            f"({change.kind}, {change.scope}) ends; let that end first, or change the scope",
        )
