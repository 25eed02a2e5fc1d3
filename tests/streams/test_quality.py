from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import quality
from streams.catalogue import Catalogue
from streams.errors import RejectedEvent
from streams.events import Content, View
from streams.quality import Admitted, QualityGate
from streams.settings import QualitySettings

if TYPE_CHECKING:
    from collections.abc import Iterable

NOON = 1_641_038_400.0  # 2022-01-01 12:00 UTC
DAY_S = 86_400.0


def gate_with(*titles: Content, **settings: float) -> QualityGate:
    catalogue = Catalogue()
    for title in titles:
        catalogue.put(title)
    return QualityGate(msgspec.convert(settings, QualitySettings), catalogue)


def view(n: int = 0, /, **fields: object) -> View:
    """Return the n-th view of a stream in which one event a second comes from five users."""
    defaults = {"user_id": f"u{n % 5}", "content_id": "film", "event_time": NOON + n}
    return msgspec.convert(defaults | fields, View)


def admitted(gate: QualityGate, event: View) -> Admitted:
    outcome = gate.admit(event)
    assert outcome is not None
    return outcome


def outcome(gate: QualityGate, event: View) -> object:
    try:
        return gate.admit(event)
    except RejectedEvent as error:
        return (error.reason, error.error)


def only_counted(gate: QualityGate) -> dict[str, int]:
    return {name: count for name, count in gate.counts.items() if count}


def state(gate: QualityGate, *, with_counts: bool = True) -> dict[str, bytes]:
    return {
        name: array.tobytes()
        for name, array in gate.snapshot().items()
        if with_counts or not name.startswith("counts")
    }


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"view_time": -0.5}, "view_time"),
        ({"duration": -1.0}, "duration"),
        ({"rating": -0.1}, "rating"),
        ({"rating": 10.1}, "rating"),
        ({"event_time": 631_152_000.0 - 1}, "timestamp"),
        ({"event_time": 4_102_444_800.0 + 1}, "timestamp"),
        ({"event_time": -5.0}, "timestamp"),
    ],
)
def test_an_impossible_value_is_a_range_dead_letter_that_names_the_field(
    fields: dict[str, float], word: str
) -> None:
    gate = gate_with()

    with pytest.raises(RejectedEvent, match=word) as refusal:
        gate.admit(view(**fields))

    assert refusal.value.reason == "range"
    assert only_counted(gate) == {"range": 1}


@pytest.mark.parametrize(
    "fields",
    [
        {"view_time": 0.0},
        {"duration": 0.0, "view_time": 5.0},
        {"rating": 0.0},
        {"rating": 10.0},
        {"event_time": 631_152_000.0},
        {"event_time": 4_102_444_800.0},
    ],
)
def test_the_ends_of_a_range_belong_to_it(fields: dict[str, float]) -> None:
    assert gate_with().admit(view(**fields)) is not None


def test_the_scale_of_ratings_is_a_setting() -> None:
    gate = gate_with(rating_min=1.0, rating_max=5.0)

    assert admitted(gate, view(rating=5.0)).strength == 1.0
    with pytest.raises(RejectedEvent, match="from 1 to 5"):
        gate.admit(view(1, rating=5.5))


def at_noon(**settings: float) -> QualityGate:
    gate = gate_with(**settings)
    for user_id in ("a", "b", "c"):
        gate.admit(view(user_id=user_id))
    return gate


def test_an_event_is_late_only_beyond_the_allowed_lateness() -> None:
    gate = at_noon()

    assert gate.admit(view(event_time=NOON - DAY_S)) is not None
    with pytest.raises(RejectedEvent) as refusal:
        gate.admit(view(event_time=NOON - DAY_S - 0.001))

    assert refusal.value.reason == "late"
    assert gate.counts["late"] == 1


def test_an_event_ahead_is_clipped_to_the_allowed_future() -> None:
    gate = at_noon(allowed_future_s=60.0)

    timely = admitted(gate, view(event_time=NOON + 60.0))
    ahead = admitted(gate, view(event_time=NOON + 60.001))

    assert (timely.event_time, timely.marks) == (NOON + 60.0, 0)
    assert (ahead.event_time, ahead.marks) == (NOON + 60.0, quality.CLIPPED_FUTURE)
    assert ahead.view.event_time == NOON + 60.001
    assert gate.counts["clipped_future"] == 1


def test_two_clocks_running_ahead_make_nobody_late() -> None:
    gate = at_noon()
    for n in range(20):
        gate.admit(view(user_id="fast", event_time=NOON + 900 * DAY_S + n))
        gate.admit(view(user_id="faster", event_time=NOON + 9000 * DAY_S + n))
        gate.admit(view(user_id=f"right {n}", event_time=NOON + n))

    assert gate.counts["late"] == 0
    assert gate.counts["clipped_future"] == 40


def test_with_two_users_nothing_is_late_or_ahead() -> None:
    gate = gate_with()
    for n, days in enumerate((0, 500, -500)):
        assert admitted(gate, view(user_id=f"u{n % 2}", event_time=NOON + days * DAY_S)).marks == 0


def test_a_replayed_event_is_never_late_and_moves_no_clock_back() -> None:
    gate = at_noon(allowed_lateness_s=100)
    before = gate.watermark.value
    late = view(user_id="late", event_time=NOON - 30 * DAY_S)
    with pytest.raises(RejectedEvent, match="late"):
        gate.admit(late)
    outcome = gate.admit(late, is_replayed=True)
    assert outcome is not None
    assert (outcome.event_time, outcome.marks) == (NOON - 30 * DAY_S, 0)
    assert gate.watermark.value == before
    assert gate.admit(late, is_replayed=True) is None  # a duplicate like any other
    assert gate.counts["late"] == 1


def test_a_replayed_event_is_checked_in_all_other_ways() -> None:
    gate = at_noon(allowed_future_s=10)
    with pytest.raises(RejectedEvent, match="range"):
        gate.admit(view(user_id="x", view_time=-1.0), is_replayed=True)
    ahead = gate.admit(view(user_id="x", event_time=NOON + DAY_S), is_replayed=True)
    assert ahead is not None
    assert ahead.marks == quality.CLIPPED_FUTURE


def test_who_is_forgotten_is_in_no_state_and_others_are_as_before() -> None:
    gate, untouched = gate_with(), gate_with()
    for each in (gate, untouched):
        for n in range(20):
            each.admit(view(n, view_time=5.0, event_id=f"u1 saw {n}" if n % 5 == 1 else None))
    gate.forget("u1")
    assert b"u1" not in b"".join(array.tobytes() for array in gate.snapshot().values())
    assert gate.watermark.value == untouched.watermark.value
    assert gate.counts == untouched.counts
    for n in range(20):
        if n % 5 != 1:
            assert gate.admit(view(n, view_time=5.0)) is None
    assert gate.admit(view(1, event_id="u1 saw 1")) is not None


def test_a_duplicate_is_dropped_and_counted_even_when_it_comes_late() -> None:
    gate = at_noon()
    for n in range(3):
        gate.admit(view(n, event_time=NOON + 2 * DAY_S + n))

    assert gate.admit(view(user_id="a")) is None
    assert gate.counts["duplicate"] == 1
    assert gate.counts["late"] == 0


def test_a_duplicate_beyond_the_window_is_not_recognised() -> None:
    gate = gate_with(dedup_window=3)
    for n in range(4):
        gate.admit(view(n))

    assert gate.admit(view(1)) is None
    assert gate.admit(view(0)) is not None


def test_only_accepted_events_have_duplicates() -> None:
    gate = at_noon()
    for _ in range(2):
        with pytest.raises(RejectedEvent):
            gate.admit(view(event_time=NOON - 3 * DAY_S))

    assert only_counted(gate)["late"] == 2


def test_a_missing_view_time_is_the_titles_usual_share_of_the_duration() -> None:
    gate = gate_with()
    for n, watched in enumerate((20.0, 90.0, 80.0)):
        gate.admit(view(n, view_time=watched, duration=100.0))
    gate.admit(view(3, view_time=1.0, duration=100.0, content_id="other"))

    imputed = admitted(gate, view(4, duration=50.0))

    assert (imputed.view_time, imputed.watched_share) == (40.0, 0.8)
    assert imputed.marks == quality.IMPUTED_VIEW_TIME
    assert gate.counts["imputed_view_time"] == gate.counts["missing_view_time"] == 1


def test_a_title_never_watched_is_imputed_from_all() -> None:
    gate = gate_with(Content("film", duration=100.0), Content("new", duration=60.0))
    gate.admit(view(view_time=50.0))

    assert admitted(gate, view(1, content_id="new")).view_time == 30.0


def test_without_a_duration_the_usual_view_time_is_imputed() -> None:
    gate = gate_with()
    for n, watched in enumerate((10.0, 20.0, 60.0)):
        gate.admit(view(n, view_time=watched))
    gate.admit(view(3, view_time=90.0, content_id="other"))

    assert admitted(gate, view(4)).view_time == 20.0
    assert admitted(gate, view(5, content_id="new")).view_time == 40.0
    assert admitted(gate, view(6, duration=15.0)).view_time == 15.0


def test_imputed_values_teach_nothing() -> None:
    gate = gate_with()
    gate.admit(view(view_time=10.0, duration=100.0))
    before = state(gate)
    for n in range(1, 30):
        gate.admit(view(n, duration=100.0))
    after = state(gate)

    for name in before:
        if name.startswith(("shares", "view_times", "bounds")):
            assert after[name] == before[name]


def test_a_log_without_view_times_gets_none() -> None:
    gate = gate_with(Content("film", duration=100.0))
    for n in range(10):
        untouched = admitted(gate, view(n, rating=5.0))
        assert untouched.view_time is None
        assert untouched.marks == 0

    assert only_counted(gate) == {"accepted": 10, "missing_view_time": 10}


def test_a_missing_rating_is_counted_and_never_invented() -> None:
    gate = gate_with()

    assert admitted(gate, view(view_time=1.0)).view.rating is None
    assert gate.counts["missing_rating"] == 1


@pytest.mark.parametrize(
    ("fields", "strength"),
    [
        ({}, 1.0),
        ({"rating": 0.0}, 0.5),
        ({"rating": 10.0}, 1.0),
        ({"view_time": 0.0, "duration": 50.0}, 0.5),
        ({"view_time": 25.0, "duration": 50.0}, 0.75),
        ({"view_time": 50.0, "duration": 50.0, "rating": 5.0}, 0.875),
        ({"view_time": 7.0}, 1.0),
    ],
)
def test_strength_is_the_mean_of_what_is_present(fields: dict[str, float], strength: float) -> None:
    assert admitted(gate_with(), view(**fields)).strength == strength


def test_without_a_duration_strength_compares_with_the_titles_usual_view_time() -> None:
    gate = gate_with()
    gate.admit(view(view_time=40.0))

    assert admitted(gate, view(1, view_time=20.0)).strength == 0.625
    assert admitted(gate, view(2, view_time=500.0)).strength == 1.0


def test_an_outlier_is_clipped_to_the_bound_and_marked() -> None:
    gate = gate_with()
    for n in range(100):
        gate.admit(view(n, view_time=60.0 + n % 40))

    clipped = admitted(gate, view(100, view_time=1e6))

    assert clipped.marks == quality.CLIPPED_VIEW_TIME
    assert clipped.view_time is not None
    assert 99.0 < clipped.view_time < 600.0
    assert gate.counts["clipped_outlier"] == 1


def test_a_view_time_above_the_duration_is_clipped_to_it_and_marked() -> None:
    gate = gate_with(Content("film", duration=100.0))

    by_catalogue = admitted(gate, view(view_time=101.0))
    by_event = admitted(gate, view(1, view_time=101.0, duration=90.0))
    at_the_end = admitted(gate, view(2, view_time=100.0))

    assert (by_catalogue.view_time, by_catalogue.marks) == (100.0, quality.CLIPPED_TO_DURATION)
    assert (by_event.view_time, by_event.watched_share) == (90.0, 1.0)
    assert (at_the_end.watched_share, at_the_end.marks) == (1.0, 0)
    assert gate.counts["clipped_to_duration"] == 2


def test_content_outside_the_catalogue_is_accepted_and_counted() -> None:
    gate = gate_with(Content("film"))

    assert admitted(gate, view()).marks == 0
    assert admitted(gate, view(1, content_id="unheard of")).marks == quality.UNKNOWN_CONTENT
    assert gate.counts["unknown_content"] == 1


def test_without_a_catalogue_no_content_is_unknown() -> None:
    assert admitted(gate_with(), view()).marks == 0


def test_every_count_is_there_from_the_start() -> None:
    assert gate_with().counts == dict.fromkeys(quality.COUNTED, 0)


def test_a_refused_or_dropped_event_changes_nothing_but_a_count() -> None:
    gate = at_noon()
    gate.admit(view(view_time=5.0, duration=9.0))
    before = state(gate, with_counts=False)
    for bad in (
        view(1, view_time=-1.0, user_id="new"),
        view(event_time=NOON - 2 * DAY_S, user_id="new", view_time=3.0),
        view(view_time=8.0, rating=3.0),
    ):
        outcome(gate, bad)

    assert only_counted(gate) | {"range": 1, "late": 1, "duplicate": 1} == only_counted(gate)
    assert state(gate, with_counts=False) == before


def noisy_stream(n_events: int, seed: int) -> Iterable[View]:
    """Yield views with everything wrong that the gate knows about."""
    random = Random(seed)
    view_times = [None, -1.0, *(random.lognormvariate(3, 1) for _ in range(20)), 1e7]
    for n in range(n_events):
        user = random.randrange(12)
        days = random.choices([0, 3 if user < 2 else 0, -2], [90, 7, 3])[0]
        yield View(
            f"u{user}",
            f"c{random.randrange(8)}",
            NOON + n * 60 + days * DAY_S,
            view_time=random.choice(view_times),
            rating=random.choice([None, 11.0, *map(float, range(11))]),
            duration=random.choice([None, None, 0.0, 30.0, 100.0]),
            event_id=random.choice([None, f"e{random.randrange(n_events)}"]),
        )


@pytest.mark.parametrize("cut", [0, 1, 50, 333, 599])
def test_restored_it_continues_as_if_uninterrupted(cut: int) -> None:
    events = list(noisy_stream(600, seed=1))
    settings = {"dedup_window": 100, "max_titles": 6}
    uninterrupted = gate_with(Content("c1", duration=50.0), **settings)
    restored = gate_with(Content("c1", duration=50.0), **settings)
    for event in events[:cut]:
        outcome(uninterrupted, event)
    restored.restore(uninterrupted.snapshot())
    assert state(restored) == state(uninterrupted)

    for event in events[cut:]:
        assert outcome(restored, event) == outcome(uninterrupted, event)
    assert state(restored) == state(uninterrupted)


def test_the_noisy_stream_has_every_outcome() -> None:
    gate = gate_with(Content("c1", duration=50.0))
    for event in noisy_stream(600, seed=1):
        outcome(gate, event)

    assert min(gate.counts.values()) > 0


VIEWS = st.builds(
    View,
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(["x", "y"]),
    st.floats(NOON - 3 * DAY_S, NOON + 3 * DAY_S),
    view_time=st.none() | st.floats(0.0, 1.7e308),
    rating=st.none() | st.floats(0.0, 10.0),
    duration=st.none() | st.floats(0.0, 1.7e308),
)


@given(st.lists(VIEWS, max_size=30))
def test_whatever_is_admitted_is_plausible(views: list[View]) -> None:
    gate = gate_with(Content("x", duration=0.0))
    for event in views:
        result = outcome(gate, event)
        if isinstance(result, Admitted):
            assert 0.0 < result.strength <= 1.0
            assert result.watched_share is None or 0.0 <= result.watched_share <= 1.0
            assert result.view_time is None or 0.0 <= result.view_time < math.inf
            assert result.event_time <= event.event_time
    outcomes = [gate.counts[name] for name in ("accepted", "late", "duplicate", "range")]
    assert sum(outcomes) == len(views)
