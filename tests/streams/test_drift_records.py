"""Drift records: one a change of an episode, at the record that brought it about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import jsonschema  # type: ignore[import-untyped]  # it has no types
import msgspec
import pytest

from models.alarms import Alarm, Blame, Kind, Reaction, Recovery, Severity
from models.episodes import QUIET
from streams.arrivals import Arrival
from streams.drift_records import DriftReaction, DriftRecord, DriftRecords, DriftScope
from streams.events import Origin
from streams.schemas import schema_of

Notice = Alarm | Recovery | Reaction
N = 12_000
ALARM = Alarm(
    "rank", "all", Kind.CONCEPT, Severity.DRIFT, 90.0, 100.0, 12, 4.0, 19.0, "cusum_fast",
    "genre:Horror: worse", (Blame("genre:Horror", 0.71234, 40, 0.21, 0.06),),
)  # fmt: skip
BOOST = Reaction("fast_side_boosted", "rank", "genre:Horror", is_on=True, at=100.0)
FAULT = ALARM._replace(
    statistic="view_time", scope="device:tv", kind=Kind.INPUT_FAULT, blames=(), what="unit?"
)
BACK = Recovery("view_time", "device:tv", 400.0, is_back=True)
IMPUTED = Reaction("view_time_imputed", "view_time", "device:tv", is_on=True, at=100.0)
TRUSTED = IMPUTED._replace(is_on=False, at=400.0)
SAID: list[tuple[int, Notice]] = [
    (700, ALARM),
    (700, BOOST),
    (720, ALARM),
    (3_500, FAULT),
    (3_500, IMPUTED),
    (4_100, ALARM._replace(scope="genre:War", blames=(Blame("genre:War", 1.0, 9, 0.3, 0.1),))),
    (4_800, BACK),
    (4_800, TRUSTED),
]


def arrivals(first: int, end: int) -> list[Arrival]:
    """Return records by their positions in a log; what they are plays no part."""
    nothing = msgspec.UNSET
    return [Arrival(Origin(line=n + 1), b"", nothing) for n in range(first, end)]  # type: ignore[arg-type]


def learned(first: int, end: int) -> list[tuple[int, float]]:
    """Return the positions of every third record, which is learned, with its time."""
    return [(n - first, 10.0 * n) for n in range(first, end) if n % 3 == 1]


def told(
    said: Sequence[tuple[int, Notice]], cuts: Sequence[int] = (), *, restarts: bool = False
) -> list[tuple[int, DriftRecord]]:
    """Return the records of a log that is taken in calls, by the positions in the log."""
    records, found = DriftRecords(3), []
    for first, end in pairwise([0, *cuts, N]):
        here = [(at - first, notice) for at, notice in said if first <= at < end]
        of_call = records.take(arrivals(first, end), here, learned(first, end))
        found += [(first + at, record) for at, record in of_call]
        if restarts:
            arrays, records = records.snapshot(), DriftRecords(3)
            records.restore(arrays)
    return found


def changes(found: list[tuple[int, DriftRecord]]) -> list[tuple[int, str, str]]:
    return [(at, record.episode, record.state) for at, record in found]


def test_an_episode_is_told_as_it_opens_changes_and_closes() -> None:
    assert changes(told(SAID)) == [
        (700, "3-1", "opened"),
        (720, "3-1", "updated"),
        (3_500, "3-2", "opened"),
        (4_100, "3-2", "updated"),
        (4_800, "3-2", "updated"),
        (5_722, "3-1", "closed"),
        (9_100, "3-2", "closed"),
    ]


def test_what_one_record_brings_about_is_one_record_that_tells_all() -> None:
    (at, opened), *_ = told(SAID)
    assert at == 700
    assert opened == DriftRecord(
        episode="3-1",
        state="opened",
        kind=Kind.CONCEPT,
        severity=Severity.DRIFT,
        statistic="rank",
        scopes=[DriftScope("genre:Horror", 0.7123, 40, 0.21, 0.06)],
        onset=90.0,
        detected=100.0,
        before=4.0,
        after=19.0,
        detector="cusum_fast",
        alarms=1,
        what="genre:Horror: worse",
        line=701,
        reactions=[DriftReaction("fast_side_boosted", "genre:Horror", 100.0, is_on=True)],
    )


def test_a_reaction_that_ends_with_its_fault_is_told_with_the_end() -> None:
    """Though the end of the fault comes first: detectors say it before it has consequences."""
    found = told([(100, FAULT), (100, IMPUTED), (900, BACK), (900, TRUSTED)])
    assert changes(found) == [(100, "3-1", "opened"), (900, "3-1", "closed")]
    assert [reaction.is_on for reaction in found[-1][1].reactions] == [True, False]
    assert found[-1][1].ended == 400.0


@pytest.mark.parametrize("quiet_at", range(6))
def test_quiet_ends_an_episode_at_the_first_view_that_is_learned_then(quiet_at: int) -> None:
    ((_, _), (at, closed)) = told([(600 + quiet_at, ALARM)])
    due = 600 + quiet_at + QUIET
    assert at == next(n for n in range(due, due + 3) if n % 3 == 1)
    assert (closed.state, closed.ended, closed.line) == ("closed", 10.0 * at, at + 1)


def test_an_alarm_at_the_last_moment_keeps_an_episode_open() -> None:
    """Records 5,601 to 5,602 are quiet enough; 5,602 is the first of them that is learned."""
    for at, episode, state in (
        (600 + QUIET, "3-1", "updated"),
        (602 + QUIET, "3-1", "updated"),
        (603 + QUIET, "3-2", "opened"),
    ):
        assert (at, episode, state) in changes(told([(601, ALARM), (at, ALARM)]))


WHOLE = told(SAID)
CUTS = {
    "at every change": [700, 701, 720, 721, 3_500, 3_501, 4_800, 4_801, 5_720, 5_722, 5_723, 9_100],
    "in thirds": [4_000, 8_000],
    "with empty calls": [700, 700, 701, 701, 9_100, 9_100],
    "often": [*range(13, N, 13)],
}  # fmt: skip


@pytest.mark.parametrize("restarts", [False, True], ids=["in one go", "restarted"])
@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
def test_calls_and_restarts_are_invisible(cuts: list[int], restarts: bool) -> None:
    assert told(SAID, cuts, restarts=restarts) == WHOLE


def test_one_record_at_a_time_gives_the_same() -> None:
    assert told(SAID, range(1, N)) == WHOLE


def test_notices_are_taken_by_position_whoever_gave_them_first() -> None:
    shuffled = sorted(SAID, key=lambda said: isinstance(said[1], Reaction))
    assert told(shuffled) == WHOLE


def test_a_record_of_a_topic_says_which() -> None:
    records = DriftRecords(3)
    origin = Origin(None, None, "views", 3, 77)
    ((_, record),) = records.take([Arrival(origin, b"", arrivals(0, 1)[0].view)], [(0, FAULT)], [])
    assert (record.topic, record.partition, record.offset) == ("views", 3, 77)
    assert (record.line, record.file) == (None, None)
    assert record.episode == "3-1"


def test_every_record_is_valid_under_its_schema_and_survives_it() -> None:
    schema = schema_of("drift")
    for _, record in WHOLE:
        encoded = msgspec.json.encode(record)
        jsonschema.validate(msgspec.json.decode(encoded), schema)
        assert msgspec.json.decode(encoded, type=DriftRecord) == record
        assert not any(
            isinstance(v, float) and math.isnan(v) for v in msgspec.structs.astuple(record)
        )
    unknown = next(record for _, record in WHOLE if record.kind is Kind.INPUT_FAULT).scopes[0]
    assert (unknown.scope, unknown.before, unknown.after) == ("device:tv", None, None)
