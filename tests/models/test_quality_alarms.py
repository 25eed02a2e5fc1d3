"""Alarms of the quality detectors: names, words, gravity, and what is kept of them."""

from __future__ import annotations

import numpy as np
import pytest

from models.alarms import Alarm, Kind, Severity
from models.names import Names
from models.quality_alarms import QualityAlarms
from models.quality_state import (
    ALL_EVENTS,
    FIRST_DEVICE,
    FIRST_GENRE,
    FIRST_SOURCE,
    HIT,
    HIT_SLOW,
    KNOWN_USERS,
    N_ALARMS,
    N_LABELS,
    N_LATEST,
    N_SUSPECTS,
    NEW_USERS,
    RANK,
    RANK_FAST,
    RANK_SLOW,
)
from tests.models.quality_streams import Event, Told, Visitors

N_SEEN = 20_000


def raised(detector: int, scope: int, *, before: float, after: float, n: int = 400) -> Told:
    """Return a state in which the last ``n`` events of a scope had the hit rate ``after``."""
    told = Told([[0], [1]])
    quality = told.alarms.state
    quality.n[[ALL_EVENTS, scope]] = N_SEEN, N_SEEN if scope == ALL_EVENTS else 1_000
    quality.age[:] = quality.n
    quality.level[HIT, [ALL_EVENTS, scope]] = before
    slots = np.arange(N_SEEN - n, N_SEEN) % N_LATEST
    quality.latest_residual[slots] = -2.0
    quality.latest_hit[slots] = np.arange(n) < round(after * n)
    quality.latest_scopes[slots, :2] = ALL_EVENTS, scope or -1
    quality.alarm[0] = detector, scope
    is_hit = detector == HIT_SLOW
    quality.alarm_values[0] = 7.0, N_SEEN - n, n, *((before, after) if is_hit else (-4.0, -6.0))
    quality.counts[N_ALARMS] = 1
    return told


def taken(told: Told) -> tuple[Alarm, int]:
    found = told.alarms.take(told.genres, 9.0)
    assert found is not None
    return found


def test_an_alarm_says_what_where_when_and_how_much() -> None:
    told = raised(RANK_FAST, FIRST_GENRE, before=0.21, after=0.06)
    alarm, scope = taken(told)
    assert scope == FIRST_GENRE
    assert alarm[:10] == (
        *("rank", "genre:g0", Kind.CONCEPT, Severity.DRIFT, 7.0, 9.0),
        *(400, 15.0, 63.0, "cusum_fast"),
    )
    assert alarm.what == "genre:g0: recall@10 0.210 -> 0.060 over 400 events; 100% of the loss"
    assert alarm.blames == (("genre:g0", 1.0, 400, 0.21, 0.06),)
    assert told.alarms.state.counts[N_ALARMS] == 0


@pytest.mark.parametrize("detector", [RANK_SLOW, HIT_SLOW])
@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        (0.2, 0.1, Severity.DRIFT),
        (0.2, 0.16, Severity.DRIFT),
        (0.2, 0.17, Severity.WARNING),
        (0.2, 0.185, None),
        (0.2, 0.25, None),
    ],
)
def test_a_slow_fall_is_as_grave_as_the_part_of_hits_that_it_costs(
    detector: int, before: float, after: float, severity: Severity | None
) -> None:
    told = raised(detector, FIRST_GENRE, before=before, after=after, n=2_000)
    found = told.alarms.take(told.genres, 9.0)
    assert (found[0].severity if found else None) == severity
    assert told.alarms.state.counts[N_ALARMS] == 0


def test_a_fall_that_chance_explains_is_not_told() -> None:
    told = raised(HIT_SLOW, FIRST_GENRE, before=0.2, after=0.16, n=50)
    assert told.alarms.take(told.genres, 9.0) is None


def test_a_hit_rate_is_told_as_it_is() -> None:
    told = raised(HIT_SLOW, FIRST_GENRE, before=0.2, after=0.1)
    alarm, _ = taken(told)
    assert (alarm.statistic, alarm.detector) == ("hit", "cusum_slow")
    assert (alarm.before, alarm.after) == (0.2, 0.1)


def test_every_scope_has_a_name() -> None:
    alarms, genres = QualityAlarms(10), Names(256)
    genres.add("Horror")
    genres.add("Sci-Fi")
    for label in ("tv", "phone"):
        alarms.row_of(label, alarms.devices)
    alarms.row_of("search", alarms.sources)
    numbers = [ALL_EVENTS, NEW_USERS, KNOWN_USERS, FIRST_DEVICE + 1, FIRST_SOURCE, FIRST_GENRE + 1]
    assert [alarms.scope_name(number, genres) for number in numbers] == [
        *("all", "user:new", "user:known"),
        *("device:phone", "source:search", "genre:Sci-Fi"),
    ]


def test_labels_beyond_the_first_have_no_scope() -> None:
    alarms = QualityAlarms(10)
    rows = [alarms.row_of(f"{n}", alarms.devices) for n in range(N_LABELS + 3)]
    assert rows == [*range(N_LABELS), -1, -1, -1]
    assert alarms.row_of("0", alarms.devices) == 0
    assert alarms.row_of(None, alarms.devices) == -1


def test_of_the_alarms_of_an_event_the_first_that_is_worth_telling_is_told() -> None:
    for detectors, scope in (((RANK_FAST, RANK_FAST), "all"), ((HIT_SLOW, RANK_FAST), "genre:g0")):
        told = raised(RANK_FAST, FIRST_GENRE, before=0.2, after=0.199)
        state = told.alarms.state
        state.alarm[:2] = (detectors[0], ALL_EVENTS), (detectors[1], FIRST_GENRE)
        state.alarm_values[1] = state.alarm_values[0]
        state.counts[N_ALARMS] = 2
        assert taken(told)[0].scope == scope


def test_a_row_that_is_freed_leaves_no_suspicion_behind() -> None:
    """Or its next user would be kept from bringing what the former one brought."""
    told, people = Told([[0], [1]]), Visitors(2)
    told.feed(people.events(3_000))
    told.feed(Event(7, 0, 0) for _ in range(40))
    told.feed([Event(8, 0, 0)])
    state = told.alarms.state
    at = RANK_FAST, ALL_EVENTS
    evidence = state.evidence.copy()
    assert state.amount[at][state.suspect[at] == 7] > 10.0
    told.alarms.forget([7, 9])
    assert not (state.suspect == 7).any()
    assert (state.suspect[at] == 8).any()
    assert (state.amount[state.suspect == -1] == 0.0).all()
    assert (state.evidence == evidence).all()
    told.feed([Event(7, 0, 0)])
    assert state.evidence[at] > evidence[at]


def test_a_snapshot_holds_everything_and_shares_nothing() -> None:
    told, people = Told([[0], [1], [0, 1]]), Visitors(3)
    told.feed(people.events(2_500) + [Event(n, 0, 0) for n in range(6)])
    arrays = told.alarms.snapshot()
    other = Told([[0], [1], [0, 1]])
    other.alarms.restore({name: array.copy() for name, array in arrays.items()})
    other.watched.quality, other.watched.n_fed = other.alarms.state, told.watched.n_fed
    kept = {name: array.tobytes() for name, array in arrays.items()}
    further = [*people.events(300, worse=3.0), *(Event(n, 0, 0) for n in range(40))]
    found = told.feed(further)
    assert found
    assert other.feed(further) == found
    assert {name: array.tobytes() for name, array in arrays.items()} == kept
    for mine, yours in zip(told.alarms.state, other.alarms.state, strict=True):
        assert mine.tobytes() == yours.tobytes()
    assert other.alarms.devices.row("phone") == 1
    assert arrays["state.suspects"].shape[2] == N_SUSPECTS
    assert {f"state.{name}" for name in told.alarms.state._fields} <= arrays.keys()


def test_ranks_are_told_as_places_in_the_shortlist() -> None:
    told, people = Told([[0]]), Visitors(1)
    told.feed(people.events(4_000))
    ((_, alarm), *_) = told.feed(people.events(300, worse=3.0))
    level = 2.0 ** -told.alarms.state.level[RANK, ALL_EVENTS] - 1.0
    assert 8.0 < alarm.before < 25.0
    assert alarm.before * 3.0 < alarm.after
    assert alarm.before < level
