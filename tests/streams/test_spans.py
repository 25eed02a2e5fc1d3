"""Where changes begin and end, and what is said of those that are outside the log or overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from streams.change_kinds import Bound, Catalogue, Change, Missing, Taste, Unit
from streams.errors import InputError, SettingsError
from streams.scenarios import Scenario, parse_scenario
from streams.spans import Span, place_of, spans_of

DAY_S = 86_400.0


@dataclass(frozen=True)
class Days:
    """A log of a hundred events a day for ten days, measured in days."""

    n_events: int = 1_000
    first_time: float = 0.0
    last_time: float = 10 * DAY_S

    def of_number(self, n_before: float) -> float:
        return n_before / 100

    def of_time(self, event_time: float) -> float:
        return event_time / DAY_S


def spans(*changes: Change) -> list[Span]:
    return spans_of(Scenario("test", "", changes), Days())


def refusal(*changes: Change) -> str:
    with pytest.raises(InputError) as caught:
        spans(*changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("bound", "place"),
    [(0.25, 2.5), (1.0, 10.0), (1, 0.01), (300, 3.0), ("1970-01-05", 4.0), ("+36h", 1.5)],
)
def test_a_place_is_a_share_a_number_of_events_or_a_time(bound: Bound, place: float) -> None:
    assert place_of(bound, Days()) == place


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (0.0, "0.0 is no share of the log; write one between 0 and 1, or a whole number"),
        (1.5, "1.5 is no share"),
        (-0.5, "-0.5 is no share"),
        (0, "0 is outside the log, which has 1000 events"),
        (1001, "1001 is outside the log"),
        (-3, "-3 is outside the log"),
        ("1970-01-01", "1970-01-01 is outside the log, which goes from 0 to 864000 s"),
        ("1969-12-31", "outside the log"),
        ("+11d", r"\+11d is outside the log"),
        ("soon", "'soon' is no time"),
    ],
)
def test_a_place_outside_the_log_is_refused(bound: Bound, said: str) -> None:
    with pytest.raises((ValueError, SettingsError), match=said):
        place_of(bound, Days())


def test_a_change_without_end_lasts() -> None:
    assert spans(Taste(begin=0.5), Unit(begin=100, end="+2d")) == [
        Span(5.0, math.inf),
        Span(1.0, 2.0),
    ]


@pytest.mark.parametrize(("begin", "end"), [(0.5, 0.5), (0.5, 0.4), (500, "+3d"), (0.5, 499)])
def test_a_change_that_ends_before_it_begins_is_refused(begin: Bound, end: Bound) -> None:
    said = refusal(Unit(begin=0.1, end=0.2), Unit(begin=begin, end=end))
    assert said == f"scenario test, change 2: begin: {begin} is not before its end, {end}"


@pytest.mark.parametrize("begin", [1.0, 1_000, "+10d"])
def test_a_change_that_begins_at_the_end_of_the_log_is_refused(begin: Bound) -> None:
    assert refusal(Taste(begin=begin)).endswith(f"{begin} is not before the end of the log")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Taste(begin=0.2), Taste(begin=0.5)),
        (Taste(begin=0.2, end=0.51), Taste(begin=0.5, end=0.6)),
        (Taste(begin=0.2, end=0.9), Taste(begin=0.5, end=0.6)),
        (Taste(begin=0.2, end=0.3, shape="gradual"), Taste(begin=0.5)),
        (Taste(begin=0.5, scope="genre:A"), Taste(begin=0.5, scope="genre:A")),
        (Missing(begin=0.1, field="rating"), Missing(begin=0.5, field="rating")),
    ],
)
def test_changes_of_one_kind_and_scope_may_not_overlap(one: Change, other: Change) -> None:
    among = (Catalogue(begin=0.3), Unit(begin=0.45))
    said = refusal(one, *among, other)
    assert said.startswith("scenario test, change 4: it begins before change 1 of the same kind")
    assert refusal(other, *among, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Taste(begin=0.2, end=0.5), Taste(begin=0.5)),
        (Taste(begin=0.2), Taste(begin=0.2, scope="genre:A")),
        (Taste(begin=0.2), Catalogue(begin=0.2)),
        (Missing(begin=0.1, field="rating"), Missing(begin=0.1, field="view_time")),
    ],
)
def test_other_changes_may(one: Change, other: Change) -> None:
    assert len(spans(one, other)) == 2


def test_an_error_names_the_line_of_the_file() -> None:
    text = '[[change]]\nkind = "taste"\n\nbegin = 2000\n'
    with pytest.raises(InputError, match=r"scenario a\.toml, line 4, change 1: begin: 2000 is out"):
        spans_of(parse_scenario(text, "a.toml"), Days())
    text = '[[change]]\nkind = "taste"\nbegin = 0.1\n' * 2
    with pytest.raises(InputError, match=r"scenario a\.toml, line 4, change 2: it begins before"):
        spans_of(parse_scenario(text, "a.toml"), Days())
