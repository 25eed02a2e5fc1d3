"""Aggregates of judged lists, second by second."""

from __future__ import annotations

import math

import jsonschema  # type: ignore[import-untyped]  # it has no types
import msgspec
import numpy as np
import pytest

from models.outcomes import Outcomes, Skip
from streams.outcome_records import OutcomeRecord, OutcomeRecords
from streams.schemas import schema_of


def outcomes(*rows: tuple[Skip, int, tuple[int, int], int]) -> Outcomes:
    """Return events by skip, rank, the popularities' ranks and the number of candidates."""
    skip, rank, popular, n = zip(*rows, strict=True)
    return Outcomes(
        skip=np.array(skip, np.int8),
        rank=np.array(rank, np.int16),
        segment_bits=np.zeros(len(rows), np.int32),
        popularity_rank=np.array(popular, np.int32),
        random_n=np.array(n, np.int32),
        lists=np.zeros((len(rows), 3), np.int32),
        event_time=np.zeros(len(rows)),
    )


def fresh() -> OutcomeRecords:
    return OutcomeRecords(["1d", "all"], k=3, partition=2)


HIT = (Skip.JUDGED, 2, (1, 0), 100)
MISS = (Skip.JUDGED, 0, (0, 3), 0)
COLD = (Skip.COLD, 0, (0, 0), 0)


def test_a_second_is_written_when_it_has_passed() -> None:
    records = fresh()
    records.pass_second(1000.2, 1, {"accepted": 1})  # the watermark is there: its first second
    assert records.take([outcomes(COLD)], is_wanted=True) == []
    assert records.end == 1001.0
    records.pass_second(1003.9, 2, {"accepted": 3, "late": 2, "key": 0})
    (record,) = records.take([outcomes(HIT, MISS, HIT)], is_wanted=True)
    assert record == OutcomeRecord(
        partition=2,
        second=1000,
        events=3,
        judged=2,
        hits=1,
        ndcg_sum=pytest.approx(1 / math.log2(3), abs=2**-32),
        reciprocal_rank_sum=0.5,
        popularity_hits={"1d": 1, "all": 1},
        random_expected=pytest.approx(0.03, abs=2**-32),
        skipped={"cold": 1, "repeat": 0, "not positive": 0},
        quality={"accepted": 3, "late": 2},
    )
    records.pass_second(1005.0, 0, {"accepted": 4, "late": 2, "duplicate": 1})
    (record,) = records.take([], is_wanted=True)
    assert (record.second, record.events, record.hits) == (1003, 1, 1)
    assert record.quality == {"accepted": 1, "duplicate": 1}


def test_several_seconds_may_pass_in_a_call_and_in_a_chunk() -> None:
    records = fresh()
    for row, watermark in enumerate((10.0, 11.5, 12.0, 20.0), start=1):
        records.pass_second(watermark, row, {"accepted": row})
    found = records.take([outcomes(COLD, HIT), outcomes(MISS, HIT, HIT)], is_wanted=True)
    assert [(r.second, r.events, r.hits) for r in found] == [(10, 2, 1), (11, 1, 0), (12, 1, 1)]
    records.pass_second(21.0, 1, {"accepted": 6})
    (last,) = records.take([outcomes(HIT)], is_wanted=True)
    assert (last.second, last.events, last.hits) == (20, 2, 2)


def test_chance_is_certain_among_few_and_nothing_for_a_title_never_seen() -> None:
    records = fresh()
    records.pass_second(10.0, 0, {})
    records.pass_second(11.0, 3, {})
    few, never = (Skip.JUDGED, 1, (0, 0), 2), (Skip.JUDGED, 0, (0, 0), 0)
    (record,) = records.take([outcomes(few, never, HIT)], is_wanted=True)
    assert record.random_expected == pytest.approx(1.03, abs=2**-31)


def test_what_is_not_judged_counts_for_nothing_else() -> None:
    records = fresh()
    records.pass_second(10.0, 0, {})
    records.pass_second(11.0, 3, {})
    rows = [(skip, 1, (1, 1), 5) for skip in (Skip.COLD, Skip.REPEAT, Skip.NOT_POSITIVE)]
    (record,) = records.take([outcomes(*rows)], is_wanted=True)
    assert record.skipped == {"cold": 1, "repeat": 1, "not positive": 1}
    assert (record.judged, record.hits, record.random_expected) == (0, 0, 0.0)
    assert record.popularity_hits == {"1d": 0, "all": 0}


def test_ranks_beyond_the_list_are_misses() -> None:
    records = fresh()
    records.pass_second(10.0, 0, {})
    records.pass_second(11.0, 1, {})
    (record,) = records.take([outcomes((Skip.JUDGED, 4, (9, 4), 10))], is_wanted=True)
    assert (record.judged, record.hits) == (1, 0)
    assert record.popularity_hits == {"1d": 0, "all": 0}


def test_what_is_not_wanted_leaves_the_same_state() -> None:
    wanted, silent = fresh(), fresh()
    for records, is_wanted in ((wanted, True), (silent, False)):
        records.pass_second(10.0, 1, {"accepted": 1})
        records.pass_second(12.0, 2, {"accepted": 2})
        found = records.take([outcomes(HIT, MISS, HIT, COLD)], is_wanted=is_wanted)
        assert len(found) == is_wanted
        records.take([outcomes(HIT)], is_wanted=is_wanted)
    assert {n: a.tolist() for n, a in wanted.snapshot().items()} == {
        n: a.tolist() for n, a in silent.snapshot().items()
    }


def test_a_record_is_valid_by_its_schema() -> None:
    records = fresh()
    records.pass_second(10.0, 0, {})
    records.pass_second(11.0, 1, {"accepted": 1})
    (record,) = records.take([outcomes(HIT)], is_wanted=True)
    plain = msgspec.json.decode(msgspec.json.encode(record))
    jsonschema.Draft202012Validator(schema_of("outcome")).validate(plain)
