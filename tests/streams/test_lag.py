import pytest

from streams.lag import MAX_MARKS, LagClock


@pytest.fixture
def lag():
    return LagClock()


def test_a_record_waits_since_its_partition_was_seen_to_reach_it(lag):
    assert lag.seen(next_offset=0, end=10, now_s=100.0) == (10, 0.0)
    assert lag.seen(next_offset=5, end=30, now_s=101.0) == (25, 1.0)
    assert lag.seen(next_offset=10, end=30, now_s=102.0) == (20, 1.0)
    assert lag.seen(next_offset=30, end=30, now_s=103.0) == (0, 0.0)


def test_a_partition_that_does_not_move_lags_ever_longer(lag):
    found = [lag.seen(next_offset=0, end=10 + n, now_s=float(n))[1] for n in range(5)]
    assert found == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_nothing_waits_where_nothing_comes(lag):
    for now_s in (0.0, 1000.0):
        assert lag.seen(next_offset=7, end=7, now_s=now_s) == (0, 0.0)


def test_an_end_that_is_known_late_is_no_lag(lag):
    assert lag.seen(next_offset=9, end=7, now_s=1.0) == (0, 0.0)


def test_a_long_backlog_takes_bounded_memory_and_is_never_taken_for_younger(lag):
    n = 2 * MAX_MARKS
    for now_s in range(n):
        lag.seen(next_offset=0, end=now_s + 1, now_s=float(now_s))
    assert len(lag._marks) == MAX_MARKS
    assert lag.seen(next_offset=n - 1, end=n, now_s=float(n))[1] >= 1.0
