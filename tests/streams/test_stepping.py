import pytest

from streams.decoding import JsonDecoder
from streams.logs import Position, RecordBatch
from streams.stepping import in_steps


def line(time):
    return b'{"user_id":"u","content_id":"c","timestamp":%d}' % time


def batch(values, first=1):
    numbers = list(range(first, first + len(values)))
    return RecordBatch(None, numbers, values, JsonDecoder(), Position(0, numbers[-1] + 1))


def cut(values, step_s=60.0):
    return list(in_steps(iter([batch(values)]), step_s))


BASE = 1_600_000_020  # a multiple of a minute


@pytest.mark.parametrize(
    ("times", "sizes"),
    [
        ([0, 59], [2]),
        ([0, 60], [1, 1]),
        ([59, 60, 61, 200], [1, 2, 1]),
        ([60, 0, 61], [3]),
        ([0, 3600], [1, 1]),
    ],
)
def test_batches_are_cut_where_time_passes_a_step(times, sizes):
    parts = cut([line(BASE + time) for time in times])
    assert [len(part.values) for part in parts] == sizes


def test_what_cannot_be_decoded_stays_with_those_before_it():
    parts = cut([line(BASE), b"nonsense", line(BASE + 60)])
    assert [len(part.values) for part in parts] == [2, 1]


def test_nothing_is_lost_and_every_position_is_right():
    values = [line(BASE + 25 * n) for n in range(20)]
    parts = cut(values)
    assert [value for part in parts for value in part.values] == values
    assert [number for part in parts for number in part.numbers] == list(range(1, 21))
    for part in parts:
        assert part.position == Position(0, part.numbers[-1] + 1)


def test_a_step_goes_on_in_the_next_batch():
    batches = [batch([line(BASE)]), batch([line(BASE + 1)], first=2)]
    assert [len(part.values) for part in in_steps(iter(batches), 60.0)] == [1, 1]
