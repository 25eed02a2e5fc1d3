import pytest

from streams.kafka_inbox import Inbox
from streams.kafka_records import Partition


class Read:
    """A record as far as an inbox looks at it."""

    def __init__(self, number, offset):
        self.place = ("views", number)
        self.at = offset

    def topic(self):
        return self.place[0]

    def partition(self):
        return self.place[1]


@pytest.fixture
def inbox():
    return Inbox()


def test_records_are_given_once_and_in_order(inbox):
    records = [Read(0, 0), Read(1, 0), Read(0, 1)]
    inbox.add(records)
    assert inbox.take() == records
    assert inbox.take() == []


def test_an_error_goes_first_and_the_records_wait(inbox):
    first, second = Read(0, 0), Read(0, 1)
    inbox.add([first])
    with inbox.kept():
        raise RuntimeError("earlier")
    with inbox.kept():
        raise RuntimeError("later")
    with pytest.raises(RuntimeError, match="earlier"):
        inbox.take()
    inbox.add([second])
    assert inbox.take() == [first, second]


def test_even_an_interrupt_waits_for_the_end_of_the_call(inbox):
    with inbox.kept():
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        inbox.take()


def test_records_of_a_partition_that_went_away_are_forgotten(inbox):
    kept = Read(1, 0)
    with inbox.kept():
        raise RuntimeError("rebalance")
    inbox.add([Read(0, 0)])
    with pytest.raises(RuntimeError):
        inbox.take()
    inbox.drop([Partition("views", 0)])
    inbox.add([Read(0, 1), kept])
    assert inbox.take() == [kept]


def test_a_partition_that_came_back_delivers_again(inbox):
    inbox.drop([Partition("views", 0)])
    assert inbox.take() == []
    again = Read(0, 0)
    inbox.add([again])
    assert inbox.take() == [again]
