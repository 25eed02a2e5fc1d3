import pytest

from streams.mending import N_IN_A_ROW, Mending


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def mending(clock):
    return Mending(clock=clock)


def spent(mending):
    """Use all attempts up."""
    return [mending.wait_s() for _ in range(N_IN_A_ROW)]


def test_after_so_many_failures_in_a_row_new_clients_are_no_use(mending):
    assert None not in spent(mending)
    assert mending.wait_s() is None


def test_a_commit_begins_the_count_anew(mending):
    spent(mending)
    mending.went_well()
    assert mending.wait_s() == 1.0


def test_a_minute_at_work_begins_the_count_anew(mending, clock):
    spent(mending)
    mending.opened()
    clock.now_s += 60
    assert mending.wait_s() == 1.0


def test_a_minute_of_failing_to_open_does_not(mending, clock):
    mending.opened()
    spent(mending)
    clock.now_s += 60
    assert mending.wait_s() is None
