from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from streams.watermark import Watermark

EVENTS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 50).map(float)), max_size=60)


def fresh() -> Watermark:
    return Watermark(allowed_lateness_s=100.0, allowed_future_s=10.0)


def third_latest(events: list[tuple[str, float]]) -> float:
    newest: dict[str, float] = {}
    for user_id, event_time in events:
        newest[user_id] = max(newest.get(user_id, -math.inf), event_time)
    times = sorted(newest.values(), reverse=True)
    return times[2] if len(times) > 2 else -math.inf


@given(EVENTS)
def test_it_is_the_third_latest_of_users_newest_times_after_every_event(
    events: list[tuple[str, float]],
) -> None:
    watermark = fresh()
    for n, event in enumerate(events, 1):
        watermark.observe(*event)
        assert watermark.value == third_latest(events[:n])


def test_two_clocks_running_ahead_move_nobody() -> None:
    watermark = fresh()
    for event_time in range(100):
        watermark.observe("ahead", 1e9 + event_time)
        watermark.observe("further ahead", 2e9 + event_time)
        watermark.observe(f"right {event_time % 5}", float(event_time))

    assert watermark.value == 99.0


def test_with_two_users_nothing_is_late_or_ahead() -> None:
    watermark = fresh()
    watermark.observe("a", 1.0)
    watermark.observe("b", 1e9)

    assert (watermark.earliest, watermark.latest) == (-math.inf, math.inf)


def test_its_bounds_follow_it() -> None:
    watermark = fresh()
    for user_id in "abc":
        watermark.observe(user_id, 1000.0)

    assert (watermark.earliest, watermark.latest) == (900.0, 1010.0)


@given(EVENTS, EVENTS)
def test_restored_it_continues_as_if_uninterrupted(
    before: list[tuple[str, float]], after: list[tuple[str, float]]
) -> None:
    uninterrupted, restored = fresh(), fresh()
    for event in before:
        uninterrupted.observe(*event)
    restored.restore(uninterrupted.snapshot())
    for event in after:
        uninterrupted.observe(*event)
        restored.observe(*event)
        assert restored.value == uninterrupted.value
        assert restored.latest == uninterrupted.latest


def test_who_is_forgotten_leaves_a_time_without_a_name() -> None:
    watermark = fresh()
    for user_id, event_time in (("a", 1.0), ("b", 2.0), ("c", 3.0)):
        watermark.observe(user_id, event_time)
    watermark.forget("b")
    watermark.forget("never seen")
    assert watermark.value == 1.0
    assert b"b" not in watermark.snapshot()["users.utf8"].tobytes()
    watermark.observe("b", 5.0)  # a further witness, as nobody knows whose 2.0 was
    assert watermark.value == 2.0
    watermark.observe("d", 4.0)
    assert watermark.value == 3.0


@given(EVENTS, st.sampled_from("abc"))
def test_forgetting_never_moves_the_watermark_back(
    events: list[tuple[str, float]], user_id: str
) -> None:
    watermark = fresh()
    for event in events:
        watermark.observe(*event)
        before = watermark.value
        watermark.forget(user_id)
        assert watermark.value == before
