"""Logs out of order, put in order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.logs import LogOptions, Position, RecordBatch
from streams.sorting import sorted_log


def record(time: int) -> str:
    return f'{{"user_id":1,"content_id":2,"timestamp":{time}}}'


def flat(batches: list[RecordBatch]) -> list[tuple[str | None, int]]:
    return [(batch.source, number) for batch in batches for number in batch.numbers]


def test_records_come_by_time_and_bad_ones_behind_their_predecessors(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(["bad", record(5), "bad", record(3), record(5), "", record(3)]))
    (batch,) = sorted_log([str(path)])
    assert batch.numbers == [1, 4, 7, 2, 3, 5]
    assert batch.values[1].decode() == record(3)
    assert batch.share == 1.0


def test_several_logs_are_merged(tmp_path: Path) -> None:
    for name, times in (("a.jsonl", (1, 4)), ("b.jsonl", (2, 3))):
        (tmp_path / name).write_text("\n".join(map(record, times)))
    batches = list(sorted_log([str(tmp_path)]))
    assert flat(batches) == [("a.jsonl", 1), ("b.jsonl", 1), ("b.jsonl", 2), ("a.jsonl", 2)]
    for batch in batches:
        assert all(map(batch.decoder.decode_view, batch.values))


@pytest.mark.parametrize("batch_size", [1, 3, 100])
@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(times=st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_the_sort_is_stable_and_can_be_resumed(
    tmp_path: Path, batch_size: int, times: list[int]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(record, times)))
    options = LogOptions(batch_size=batch_size)
    batches = list(sorted_log([str(path)], options=options))
    numbers = [number for _, number in flat(batches)]
    assert numbers == [n + 1 for n in sorted(range(len(times)), key=times.__getitem__)]
    for done in range(len(times) + 1):
        rest = list(sorted_log([str(path)], options=options, start=Position(0, done + 1)))
        assert [number for _, number in flat(rest)] == numbers[done:]
    assert batches[-1].position == Position(0, len(times) + 1, is_sorted=True)
