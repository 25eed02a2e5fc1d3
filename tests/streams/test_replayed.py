"""Which dead letters were replayed, for how long it is known."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from streams.replayed import Replayed

# Steps of the watermark and the id that comes after it.
EVENTS = st.lists(st.tuples(st.sampled_from([0.0, 1.0, 4.0, 30.0]), st.sampled_from("abcd")))


def came(replayed: Replayed, events: list[tuple[float, str]], start: float = 0.0) -> list[bool]:
    now, seen = start, []
    for step, name in events:
        now += step
        seen.append(replayed.has_seen(name, now))
        if not seen[-1]:
            replayed.remember(name, now)
    return seen


@given(EVENTS)
def test_an_id_is_known_for_its_time_exactly(events: list[tuple[float, str]]) -> None:
    now, taken, expected = 0.0, dict[str, float](), []
    for step, name in events:
        now += step
        is_known = name in taken and now - taken[name] <= 10.0
        expected.append(is_known)
        if not is_known:
            taken[name] = now
    assert came(Replayed(10.0), events) == expected


@given(EVENTS, EVENTS)
def test_restored_it_continues_as_if_uninterrupted(
    before: list[tuple[float, str]], after: list[tuple[float, str]]
) -> None:
    uninterrupted, restored = Replayed(10.0, max_ids=3), Replayed(10.0, max_ids=3)
    came(uninterrupted, before)
    restored.restore(uninterrupted.snapshot())
    start = sum(step for step, _ in before)
    assert came(restored, after, start) == came(uninterrupted, after, start)
    assert len(restored) == len(uninterrupted)


def test_there_are_never_more_than_the_most() -> None:
    replayed = Replayed(1e9, max_ids=2)
    came(replayed, [(1.0, name) for name in "abc"])
    assert len(replayed) == 2
    assert [replayed.has_seen(name, 3.0) for name in "abc"] == [False, True, True]


def test_without_a_watermark_time_begins_with_the_first() -> None:
    replayed = Replayed(10.0)
    replayed.remember("a", -math.inf)
    assert replayed.has_seen("a", -math.inf)
    assert replayed.has_seen("a", 1_000.0)
    assert replayed.has_seen("a", 1_010.0)
    assert not replayed.has_seen("a", 1_011.0)
