"""When the latest records are mostly refused."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.breaker import Breaker

FLAGS = st.lists(st.booleans(), max_size=60)


def take(breaker: Breaker, flags: list[bool]) -> bool:
    breaker.take(len(flags), refused=[at for at, is_refused in enumerate(flags) if is_refused])
    return breaker.is_open


@given(FLAGS, st.lists(st.integers(0, 60)).map(sorted), st.sampled_from([0.01, 0.3, 0.5, 1.0]))
def test_it_opens_in_the_call_in_which_the_share_is_exceeded(
    flags: list[bool], cuts: list[int], share: float
) -> None:
    breaker, window = Breaker(7, share), 7
    for begin, end in pairwise([0, *(min(cut, len(flags)) for cut in cuts), len(flags)]):
        was_open = [
            sum(flags[max(0, n - window) : n]) > share * window for n in range(begin + 1, end + 1)
        ]
        is_open = take(breaker, flags[begin:end])
        if begin < end:
            assert is_open == any(was_open)


def test_it_takes_more_than_the_share_of_a_whole_window() -> None:
    breaker = Breaker(1000, 0.5)
    assert not take(breaker, [True] * 500)
    assert take(breaker, [True])


def test_a_burst_within_a_long_call_is_noticed() -> None:
    assert take(Breaker(10, 0.5), [False] * 50 + [True] * 6 + [False] * 50)


def test_it_closes_when_good_records_come() -> None:
    breaker = Breaker(10, 0.5)
    assert take(breaker, [True] * 6)
    assert take(breaker, [False] * 9)  # six of ten before the last of them
    assert not take(breaker, [False])


def test_nothing_new_tells_nothing_new() -> None:
    breaker = Breaker(10, 0.5)
    take(breaker, [True] * 6)
    assert take(breaker, [])


@given(FLAGS, FLAGS)
def test_a_restart_does_not_forget(before: list[bool], after: list[bool]) -> None:
    uninterrupted, restored = Breaker(9, 0.4), Breaker(9, 0.4)
    take(uninterrupted, before)
    restored.restore(uninterrupted.snapshot())
    assert take(restored, after) == take(uninterrupted, after)
    assert (restored.snapshot()["latest"] == uninterrupted.snapshot()["latest"]).all()


def test_restored_it_says_at_once_that_it_is_open() -> None:
    breaker, restored = Breaker(10, 0.5), Breaker(10, 0.5)
    take(breaker, [True] * 6)
    restored.restore(breaker.snapshot())
    assert restored.is_open


def test_a_snapshot_of_another_window_starts_anew() -> None:
    breaker, other = Breaker(10, 0.5), Breaker(20, 0.5)
    take(breaker, [True] * 10)
    other.restore(breaker.snapshot())
    assert not other.is_open
    assert not take(other, [True] * 10)


def test_a_snapshot_shares_no_memory_with_it() -> None:
    breaker = Breaker(4, 0.5)
    taken = breaker.snapshot()
    take(breaker, [True] * 4)
    assert not taken["latest"].any()
