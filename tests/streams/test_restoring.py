import pytest

from streams.kafka_records import Partition
from streams.restoring import Restores

A, B, C = (Partition("views", number) for number in range(3))


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def steps(clock, seconds, n_steps, *, works=True, told=None):
    """A restore whose every step takes so long."""
    for number in range(n_steps):
        clock.now_s += seconds
        if told is not None:
            told.append(number)
        yield works


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def restores(clock):
    return Restores(clock=clock)


@pytest.mark.parametrize("n_partitions", [1, 3, 16])
def test_a_turn_takes_its_budget_and_one_step_at_most(restores, clock, n_partitions):
    for number in range(n_partitions):
        restores.begin(Partition("views", number), steps(clock, 0.01, 100))
    while restores:
        began = clock.now_s
        restores.turn(0.05)
        assert clock.now_s - began <= 0.05 + 0.01


def test_those_that_the_time_did_not_suffice_for_come_first_in_the_next_turn(restores, clock):
    told = {partition: [] for partition in (A, B, C)}
    for partition, numbers in told.items():
        restores.begin(partition, steps(clock, 1.0, 10, told=numbers))
    for _ in range(6):
        restores.turn(0.5)
    assert {len(numbers) for numbers in told.values()} == {2}


def test_one_that_only_waits_does_not_keep_the_loop_busy(restores, clock):
    restores.begin(A, steps(clock, 0.0, 2, works=False))
    assert not restores.turn(1.0)
    restores.begin(B, steps(clock, 0.0, 1))
    assert restores.turn(1.0)


def test_the_end_of_a_restore_counts_as_work(restores, clock):
    restores.begin(A, steps(clock, 0.0, 0))
    assert restores.turn(1.0)
    assert not restores


def test_one_that_is_dropped_is_closed_half_way(restores):
    closed = []

    def endless():
        try:
            while True:
                yield True
        finally:
            closed.append(A)

    restores.begin(A, endless())
    restores.turn(0.0)
    restores.drop(A)
    restores.drop(B)
    assert closed == [A]
    assert len(restores) == 0


def test_one_that_fails_is_gone_and_says_why(restores):
    def failing():
        yield True
        raise ValueError("no such offset")

    restores.begin(A, failing())
    restores.turn(1.0)
    with pytest.raises(ValueError, match="no such offset"):
        restores.turn(1.0)
    assert not restores
