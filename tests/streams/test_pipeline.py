"""One partition's sequence of steps: decode, check, impute, recommend, judge, learn, emit."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from streams.arrivals import arrive
from streams.decoding import JsonDecoder
from streams.errors import RejectedEvent
from streams.events import Content, Origin, View
from streams.pipeline import Emission, Handled, Pipeline, Wanted, engine_config
from streams.recommendations import NEW_USERS
from streams.settings import EngineSettings, Settings
from streams.worker_settings import WorkerSettings
from tests.records import StoredRecord, arrived, forget_record, keyed, view_record
from tests.replays import arrivals, simulated, tied

EVERYTHING = Wanted(Emission.EVERY, is_traced=True)
TINY = Settings(engine=EngineSettings(max_users=20, max_titles=40, n_neighbors=8))


def processed(
    settings: Settings, lines: list[bytes], wanted: Wanted = EVERYTHING
) -> tuple[Pipeline, Handled]:
    pipeline = Pipeline(settings)
    return pipeline, pipeline.process(arrivals(lines), wanted)


def test_a_record_arrives_decoded_or_with_the_reason() -> None:
    line = b'{"user_id": 1, "content_id": 2, "timestamp": 1641038400}'
    good = arrive(7, "a.jsonl", line, JsonDecoder())
    assert (good.origin, good.value) == (Origin(7, "a.jsonl"), line)
    assert good.view == View("1", "2", 1_641_038_400.0)
    bad = arrive(8, None, b"?", JsonDecoder())
    assert isinstance(bad.view, RejectedEvent)
    assert bad.view.reason == "decode"


def test_every_record_is_refused_dropped_or_accepted() -> None:
    lines = simulated()[0][:50]
    negative = b'{"user_id": 1, "content_id": 2, "timestamp": 1641038400, "view_time": -1}'
    mixed = [*lines[:20], b"?", negative, lines[3], *lines[20:]]
    pipeline, handled = processed(Settings(), mixed)
    assert [(at, rejected.reason) for at, rejected in handled.refused] == [
        (20, "decode"),
        (21, "range"),
    ]
    assert handled.accepted == [*range(20), *range(23, 53)]
    counts = {name: n for name, n in pipeline.counts.items() if n}
    assert (counts["decode"], counts["range"], counts["duplicate"]) == (1, 1, 1)
    assert counts["accepted"] == sum(len(part.skip) for part in handled.outcomes) == 50


def test_nothing_is_made_that_is_not_wanted() -> None:
    _, handled = processed(Settings(), simulated()[0][:50], Wanted())
    assert (handled.traces, handled.recommendations) == ([], [])
    _, handled = processed(Settings(), simulated()[0][:50], Wanted(is_traced=True))
    assert (len(handled.traces), handled.recommendations) == (50, [])


def test_what_is_wanted_changes_no_state() -> None:
    lines = simulated()[0][:300]
    plain, _ = processed(Settings(), lines, Wanted())
    full, _ = processed(Settings(), lines)
    assert_equal(plain.snapshot(), full.snapshot())


def assert_equal(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert np.array_equal(array, right[name], equal_nan=array.dtype.kind == "f"), name


@pytest.mark.parametrize("grain", [0, 86_400], ids=["no ties", "ties"])
def test_the_last_record_of_a_user_is_the_one_that_every_event_would_get(grain: int) -> None:
    lines = simulated()[0][:400]
    lines = tied(lines, grain) if grain else lines
    _, every = processed(Settings(), lines)
    _, last = processed(Settings(), lines, Wanted(Emission.LAST_OF_USER))
    records = dict(every.recommendations)
    assert [records[at] for at, _ in last.recommendations] == [r for _, r in last.recommendations]
    users = [record.user_id for _, record in last.recommendations]
    assert len(users) == len(set(users)) == len({r.user_id for r in records.values()})


def test_a_refused_event_changes_counts_and_nothing_else() -> None:
    lines = simulated()[0][:300]
    pipeline, _ = processed(Settings(), lines)
    before = pipeline.snapshot()
    late = b'{"user_id": 1, "content_id": 2, "timestamp": "2021-12-01 12:00"}'
    off_scale = b'{"user_id": 1, "content_id": 2, "timestamp": 1641038400, "rating": 99}'
    pipeline.process(arrivals([b"?", b"{}", late, off_scale, lines[-1]]), EVERYTHING)
    after = pipeline.snapshot()
    counted = ("undecoded", "gate.counts.values", "breaker.latest", "drift.n_records", "inputs.")
    assert not np.array_equal(before["undecoded"], after["undecoded"])
    assert_equal(
        {name: array for name, array in before.items() if not name.startswith(counted)},
        {name: array for name, array in after.items() if not name.startswith(counted)},
    )


def test_an_empty_call_changes_nothing() -> None:
    pipeline, _ = processed(Settings(), simulated()[0][:100])
    before = pipeline.snapshot()
    assert pipeline.process([], EVERYTHING) == Handled()
    assert_equal(pipeline.snapshot(), before)


def test_a_snapshot_shares_no_memory_with_the_state() -> None:
    pipeline, _ = processed(Settings(), simulated()[0][:100])
    taken = pipeline.snapshot()
    kept = {name: array.copy() for name, array in taken.items()}
    pipeline.process(arrivals(simulated()[0][:300])[100:], EVERYTHING)
    assert_equal(taken, kept)


def test_titles_are_named_as_they_were_when_a_list_was_made() -> None:
    """With full tables rows are given to other titles in the middle of a call."""
    lines = simulated()[0][:1500]
    known: set[str] = set()
    _, handled = processed(TINY, lines)
    for _, trace in handled.traces:
        assert known.issuperset(trace.items or [])
        known.add(trace.content_id)
    assert len(known) > TINY.engine.max_titles


def test_the_catalogue_names_titles_and_their_reasons() -> None:
    lines = simulated()[0][:400]
    pipeline = Pipeline(Settings())
    titles = {view.content_id for a in arrivals(lines) if isinstance(view := a.view, View)}
    pipeline.take_content(Content(title, title=f"Film {title}") for title in sorted(titles))
    handled = pipeline.process(arrivals(lines), EVERYTHING)
    texts = {item.reason.text for _, r in handled.recommendations[300:] for item in r.items}
    named = [text for text in texts if text.startswith("because you watched Film t")]
    assert len(named) > 20
    assert all(text.startswith("because you watched Film t") or "now" in text for text in texts)


def test_a_title_that_nobody_watched_is_listed_when_it_is_described() -> None:
    pipeline = Pipeline(Settings())
    pipeline.take_content([Content("new", genres=("Western",))])
    line = b'{"user_id": 1, "content_id": 2, "timestamp": 1641038400}'
    handled = pipeline.process(arrivals([line]), EVERYTHING)
    [(_, record)] = handled.recommendations
    assert [item.content_id for item in record.items] == ["new"]


def test_the_strength_of_views_is_used_only_when_asked_for() -> None:
    lines = simulated()[0][:300]
    weighed = Settings(engine=EngineSettings(weigh_by_strength=True))
    _, plain = processed(Settings(), lines)
    _, strong = processed(weighed, lines)
    assert msgspec.json.encode(plain.traces) != msgspec.json.encode(strong.traces)


def test_every_setting_of_the_engine_reaches_it() -> None:
    passed_on = {
        "k": 3,
        "max_users": 100,
        "max_titles": 50,
        "n_neighbors": 16,
        "learning_rate": 0.5,
        "step_every": 3,
        "weak_strength": 0.5,
        "events_per_title": 2.0,
        "protocol": "served",
    }
    config = engine_config(Settings(engine=msgspec.convert(passed_on, type=EngineSettings)))
    assert {name: getattr(config, name) for name in passed_on} == passed_on
    half_lives = Settings(
        engine=EngineSettings(slow_half_life_events=8.0, fast_half_life_events=2.0)
    )
    config = engine_config(half_lives)
    assert (config.slow_half_life, config.fast_half_life) == (8.0, 2.0)


def with_forget(lines: list[bytes], user_id: str, at: int) -> list[StoredRecord]:
    """Return records of a topic among which a user is to be forgotten."""
    records = keyed(lines[:at])
    return [*records, forget_record(user_id, at), *keyed(lines[at:], first=at + 1)]


def busiest(lines: list[bytes]) -> str:
    views = [a.view.user_id for a in arrivals(lines) if isinstance(a.view, View)]
    return max(sorted(set(views)), key=views.count)


def test_a_list_of_a_topic_is_that_of_a_log_but_for_where_it_stood() -> None:
    lines = simulated()[0][:300]
    log, topic = Pipeline(Settings()), Pipeline(Settings())
    ours = log.process(arrivals(lines), Wanted(Emission.EVERY))
    theirs = topic.process(arrived(keyed(lines)), Wanted(Emission.EVERY))
    for (at, mine), (same, yours) in zip(ours.recommendations, theirs.recommendations, strict=True):
        assert at == same
        assert yours.based_on == Origin(topic="views", partition=3, offset=at)
        assert msgspec.structs.replace(yours, based_on=mine.based_on) == mine
    assert_equal(log.snapshot(), topic.snapshot())


@pytest.mark.parametrize("emission", [Emission.EVERY, Emission.LAST_OF_USER])
def test_a_user_is_forgotten_between_the_events_around(emission: Emission) -> None:
    lines = simulated()[0][:400]
    user_id = busiest(lines)
    records = arrived(with_forget(lines, user_id, 200))
    whole, parts = Pipeline(Settings()), Pipeline(Settings())
    handled = whole.process(records, Wanted(emission))
    assert handled.forgotten == [(200, user_id)]
    assert 200 not in handled.accepted
    parts.process(records[:200], Wanted())
    parts.engine.forget(user_id)
    parts.gate.forget(user_id)
    parts.guard.forget(user_id)
    parts.breaker.take(1, refused=[])
    parts.drift.n_records += 1
    rest = parts.process(records[201:], Wanted(emission))
    assert_equal(whole.snapshot(), parts.snapshot())
    assert [record for at, record in handled.recommendations if at > 200] == [
        record for _, record in rest.recommendations
    ]


def test_nothing_is_saved_of_a_user_who_is_forgotten() -> None:
    lines = simulated()[0][:400]
    lines = [
        line.replace(b'"user_id":"' + busiest(lines).encode(), b'"user_id":"annabel')
        for line in lines
    ]
    pipeline = Pipeline(Settings())
    pipeline.process(arrived(keyed(lines)), Wanted(Emission.EVERY))
    saved = b"".join(array.tobytes() for array in pipeline.snapshot().values())
    assert b"annabel" in saved
    pipeline.process(arrived([forget_record("annabel")]), Wanted())
    saved = b"".join(array.tobytes() for array in pipeline.snapshot().values())
    assert b"annabel" not in saved


def test_a_list_made_before_its_user_was_forgotten_is_not_the_users_last() -> None:
    lines = simulated()[0][:400]
    user_id = busiest(lines)
    last = Wanted(Emission.LAST_OF_USER)
    at_end = Pipeline(Settings()).process(arrived(with_forget(lines, user_id, 400)), last)
    assert user_id not in [record.user_id for _, record in at_end.recommendations]
    between = Pipeline(Settings()).process(arrived(with_forget(lines, user_id, 100)), last)
    assert next(at for at, r in between.recommendations if r.user_id == user_id) > 100


def test_a_forget_alone_is_no_event() -> None:
    pipeline = Pipeline(Settings())
    handled = pipeline.process(arrived([forget_record("nobody")]), EVERYTHING)
    assert handled == Handled(forgotten=[(0, "nobody")])
    assert not any(pipeline.counts.values())


LATE = b'{"user_id": "7", "content_id": 2, "timestamp": "2021-12-01 12:00"}'


def replayed(value: bytes, origin: bytes = b"views/0/17") -> StoredRecord:
    return view_record(value, headers=[("driftline.replay-of", origin)])


def test_a_replayed_dead_letter_is_taken_once_however_late() -> None:
    pipeline, _ = processed(Settings(), simulated()[0][:100])
    records = [view_record(LATE), replayed(LATE), replayed(LATE.replace(b"12:00", b"13:00"))]
    handled = pipeline.process(arrived(records), EVERYTHING)
    assert [(at, r.reason) for at, r in handled.refused] == [(0, "late")]
    assert handled.accepted == [1]
    assert pipeline.counts["duplicate"] == 1
    restored = Pipeline(Settings())
    restored.restore(pipeline.snapshot())
    another = LATE.replace(b"12:00", b"14:00")
    assert restored.process(arrived([replayed(another)]), EVERYTHING).accepted == []
    assert restored.process(arrived([replayed(another, b"views/1/17")]), EVERYTHING).accepted == [0]


def test_a_replayed_dead_letter_that_is_refused_again_may_come_again() -> None:
    pipeline, _ = processed(Settings(), simulated()[0][:100])
    bad = LATE.replace(b"2,", b'2, "rating": -1,')
    handled = pipeline.process(arrived([replayed(bad), replayed(b"?"), replayed(LATE)]), EVERYTHING)
    assert [(at, r.reason) for at, r in handled.refused] == [(0, "range"), (1, "decode")]
    assert handled.accepted == [2]


def test_the_breaker_looks_at_all_that_was_refused() -> None:
    settings = Settings(worker=WorkerSettings(breaker_window=10, breaker_share=0.5))
    pipeline = Pipeline(settings)
    wrong_key = view_record(LATE, key=b"8")
    records = [*keyed(simulated()[0][:20]), view_record(b"?"), wrong_key, view_record(LATE)]
    pipeline.process(arrived([*records, view_record(b"{}"), replayed(b"?")]), Wanted())
    assert not pipeline.breaker.is_open
    assert pipeline.counts["key"] == 1
    pipeline.process(arrived([view_record(None)]), Wanted())
    assert pipeline.breaker.is_open
    restored = Pipeline(settings)
    restored.restore(pipeline.snapshot())
    assert restored.breaker.is_open


def test_outcomes_are_aggregated_only_when_wanted_and_name_the_partition() -> None:
    lines = simulated()[0][:300]
    silent, wanted = Pipeline(Settings(), partition=2), Pipeline(Settings(), partition=2)
    assert silent.process(arrivals(lines), Wanted()).aggregates == []
    found = wanted.process(arrivals(lines), Wanted(is_aggregated=True)).aggregates
    assert len(found) > 100
    assert {record.partition for record in found} == {2}
    assert sum(record.events for record in found) in range(290, 301)
    assert_equal(silent.snapshot(), wanted.snapshot())


def test_users_unknown_so_far_have_a_list_of_their_own() -> None:
    pipeline = Pipeline(Settings())
    records = arrived(keyed(simulated()[0][:200]))
    handled = pipeline.process(records, Wanted(Emission.EVERY))
    before = pipeline.snapshot()
    record = pipeline.new_users_list(records[-1])
    assert_equal(pipeline.snapshot(), before)
    assert record.user_id == NEW_USERS == "__new_users__"
    assert record.based_on == Origin(topic="views", partition=3, offset=199)
    assert record.event_time == max(r.event_time for _, r in handled.recommendations)
    assert len(record.items) == 10
    assert {item.reason.text for item in record.items} == {"popular now"}


def test_before_the_first_event_nobody_knows_what_to_show_new_users() -> None:
    (arrival,) = arrived([view_record(b"?")])
    pipeline = Pipeline(Settings())
    pipeline.process([arrival], Wanted())
    assert pipeline.new_users_list(arrival).items == []


def test_a_withdrawn_title_is_in_no_new_list_until_it_is_back() -> None:
    lines = simulated()[0][:400]
    pipeline = Pipeline(Settings())
    pipeline.process(arrivals(lines[:200]), Wanted())
    records = arrived(keyed(lines[200:]))
    shown = pipeline.new_users_list(records[0]).items[0].content_id
    pipeline.take_rows({shown: None, "never seen": None})
    handled = pipeline.process(records, EVERYTHING)
    assert all(i.content_id != shown for _, r in handled.recommendations for i in r.items)
    line = b'{"user_id": 1, "content_id": "never seen", "timestamp": 1641038400}'
    pipeline.process(arrivals([line] * 3), Wanted())
    items = pipeline.new_users_list(records[0]).items
    assert not {shown, "never seen"} & {item.content_id for item in items}
    pipeline.take_rows({shown: Content(shown)})
    assert shown in [item.content_id for item in pipeline.new_users_list(records[0]).items]
