"""Scenarios in simulated logs: what is written is the truth."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.people import DEVICES
from models.rhythm import DAY_S, START_S, event_clock
from models.world import World, WorldSettings
from streams import change_kinds as kinds
from streams.change_kinds import Change
from streams.decoding import JsonDecoder
from streams.errors import InputError, SettingsError
from streams.events import View
from streams.planting import Planting, SimulatedRuler
from streams.scenarios import NAMED, Scenario
from streams.simulator import SimulatedLog, write_scenario, write_simulation
from streams.title_names import GENRES
from streams.truth import LogExtent, PlantedChange, read_truth

SIZE = WorldSettings(n_users=300, n_titles=400, days=10, seed=2)
N_EVENTS = 4_000


def simulated(folder: Path, *changes: Change) -> SimulatedLog:
    log = SimulatedLog.in_folder(folder)
    write_scenario(Planting.of(Scenario("test", "", changes), SIZE, N_EVENTS), log)
    return log


def events_of(log: SimulatedLog) -> list[View]:
    decoder = JsonDecoder()
    return [decoder.decode_view(line) for line in log.events.read_bytes().splitlines()]


def refusal(*changes: Change, size: WorldSettings = SIZE) -> str:
    with pytest.raises(InputError) as caught:
        Planting.of(Scenario("test", "", changes), size, N_EVENTS)
    return str(caught.value)


@pytest.mark.parametrize("name", NAMED)
def test_every_named_scenario_writes_a_log_and_its_truth(name: str, tmp_path: Path) -> None:
    log = SimulatedLog.in_folder(tmp_path)
    write_scenario(Planting.of(NAMED[name], SIZE, N_EVENTS), log)
    lines = log.events.read_bytes().splitlines()
    assert len(lines) >= N_EVENTS
    extent = LogExtent(len(lines), START_S, START_S + 11 * DAY_S)
    truth = read_truth(log.truth, extent)
    assert [(c.kind, c.scope) for c in truth] == [(c.kind, c.scope) for c in NAMED[name].changes]
    for planted in truth:
        assert planted.begin_line == pytest.approx(planted_at(NAMED[name]) * N_EVENTS, abs=150)
        assert planted.what


def planted_at(scenario: Scenario) -> float:
    begin = scenario.changes[0].begin
    assert isinstance(begin, float)
    return begin


@pytest.mark.parametrize("name", ["none", "stationary"])
def test_a_stationary_scenario_is_the_log_of_no_scenario(name: str, tmp_path: Path) -> None:
    plain, planted = (SimulatedLog.in_folder(tmp_path / part) for part in ("plain", "planted"))
    write_simulation(World(SIZE), N_EVENTS, plain)
    write_scenario(Planting.of(NAMED[name], SIZE, N_EVENTS), planted)
    assert planted.events.read_bytes() == plain.events.read_bytes()
    assert planted.content.read_bytes() == plain.content.read_bytes()
    assert planted.truth.read_bytes() == b""
    assert not plain.truth.exists()


def test_the_same_scenario_and_seed_write_the_same_bytes(tmp_path: Path) -> None:
    changes = (
        kinds.Taste(begin=0.3),
        kinds.Missing(begin=0.5),
        kinds.Audience(begin=0.4),
        kinds.Bots(begin=0.6),
        kinds.Stuck(begin=0.2, end=0.3),
        kinds.Catalogue(begin=0.7),
    )
    one, other = (simulated(tmp_path / part, *changes) for part in "ab")
    for name in ("events", "content", "truth"):
        assert getattr(one, name).read_bytes() == getattr(other, name).read_bytes(), name
    assert len(read_truth(one.truth)) == 6


def test_the_truth_of_a_flip_is_where_the_views_of_its_scope_change(tmp_path: Path) -> None:
    log = simulated(tmp_path, kinds.Taste(begin=0.5, scope="device:web"))
    (truth,) = read_truth(log.truth)
    begin = float(event_clock(0.5, 10))
    assert truth.begin_event_time == begin
    events = events_of(log)
    lines = [
        number
        for number, view in enumerate(events, 1)
        if view.device == "web" and view.event_time >= begin
    ]
    assert (truth.begin_line, truth.end_line, truth.n_lines) == (lines[0], lines[-1], len(lines))


def test_the_truth_of_a_fault_is_where_the_lines_are_faulty(tmp_path: Path) -> None:
    log = simulated(
        tmp_path,
        kinds.Taste(begin=0.2),  # whose marks stay with their lines when lines come between
        kinds.Bots(begin=0.5, end=0.6),
        kinds.Missing(begin=0.7, end=0.8, field="rating", strength=1.0),
    )
    taste, bots, missing = read_truth(log.truth)
    events = events_of(log)
    is_bot = [view.user_id.startswith("bot-") for view in events]
    check_lines(bots, np.flatnonzero(is_bot) + 1)
    begin, end = (float(event_clock(share, 10)) for share in (0.7, 0.8))
    inside = [begin <= view.event_time < end for view in events]
    assert all(view.rating is None for view, is_in in zip(events, inside, strict=True) if is_in)
    assert missing.end_line == np.flatnonzero(inside)[-1] + 1
    flipped = [view.event_time >= taste.begin_event_time for view in events]
    check_lines(taste, np.flatnonzero(np.array(flipped) & ~np.array(is_bot)) + 1)


def check_lines(truth: PlantedChange, lines: Any) -> None:
    assert (truth.begin_line, truth.end_line, truth.n_lines) == (lines[0], lines[-1], len(lines))


def test_titles_that_come_are_in_the_catalogue_and_in_the_log_from_then_on(tmp_path: Path) -> None:
    log = simulated(
        tmp_path,
        kinds.Catalogue(begin=0.5, strength=0.25),
        kinds.Popularity(begin=0.6, titles=2, scope="genre:Drama"),
    )
    content = [json.loads(line) for line in log.content.read_bytes().splitlines()]
    assert [title["content_id"] for title in content] == [f"t{n}" for n in range(1, 503)]
    assert [title["genres"] for title in content[-2:]] == [["Drama"], ["Drama"]]
    churn, hits = read_truth(log.truth)
    watched = [(line, int(view.content_id[1:])) for line, view in enumerate(events_of(log), 1)]
    check_lines(churn, [line for line, number in watched if 400 < number <= 500])
    check_lines(hits, [line for line, number in watched if number > 500])


def test_ids_of_a_simulated_log_may_be_permuted_too(tmp_path: Path) -> None:
    plain = simulated(tmp_path / "plain")
    log = simulated(tmp_path / "permuted", kinds.Permute(begin=0.5, scope="genre:Drama"))
    (truth,) = read_truth(log.truth)
    content = [json.loads(line) for line in log.content.read_bytes().splitlines()]
    drama = {title["content_id"] for title in content if "Drama" in title["genres"]}
    before, after = Counter[str](), Counter[str]()
    for line, (old, new) in enumerate(zip(events_of(plain), events_of(log), strict=True), 1):
        if line < truth.begin_line or old.content_id not in drama:
            assert new == old
        else:
            before[old.content_id] += 1
            after[new.content_id] += 1
    assert set(after) <= drama
    assert before != after
    assert sorted(before.values()) == sorted(after.values())


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_of_the_world_is_a_scope(device: str, tmp_path: Path) -> None:
    log = simulated(tmp_path, kinds.Unit(begin=0.5, scope=f"device:{device}", factor=1e-6))
    faulty = [view.device for view in events_of(log) if (view.view_time or 1) < 0.02]
    assert set(faulty) == {device}


@pytest.mark.parametrize("genre", GENRES)
def test_every_genre_of_the_world_is_a_scope(genre: str) -> None:
    change = kinds.Taste(begin=0.5, scope=f"genre:{genre}")
    planting = Planting.of(Scenario("test", "", (change,)), SIZE, N_EVENTS)
    (planted,) = planting.world().changes
    assert planted.genre == GENRES.index(genre)


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("genre:Dramma", "there is no genre Dramma; did you mean Drama?"),
        ("genre:Horror", "there is no genre Horror; there are Action, Adventure"),
        ("device:phon", "there is no device phon; did you mean phone?"),
        ("device:fridge", "there is no device fridge; there are tv, phone, tablet, web"),
        ("source:search", "simulated people say nothing about the source"),
    ],
)
def test_a_scope_that_the_world_has_not_is_refused(scope: str, said: str) -> None:
    text = refusal(kinds.Unit(begin=0.1, end=0.2), kinds.Unit(begin=0.5, scope=scope))
    assert f"scenario test, change 2: scope: {said}" in text


def test_a_small_world_has_fewer_genres() -> None:
    small = WorldSettings(n_users=300, n_titles=3, days=10)
    said = refusal(kinds.Taste(begin=0.5, scope="genre:Drama"), size=small)
    assert "there are Action, Adventure, Animation" in said


def test_times_outside_the_days_of_the_world_are_refused() -> None:
    for begin in ("2021-12-31", "2022-01-01", "2022-01-12", "+11d"):
        assert "is outside the log" in refusal(kinds.Taste(begin=begin))


def test_too_many_changes_of_a_world_are_refused() -> None:
    changes = [kinds.Taste(begin=n + 1, end=n + 2) for n in range(17)]
    assert "at most 16 changes" in refusal(*changes)


def test_a_change_that_shows_nowhere_is_refused_and_leaves_no_log(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="change 1: it shows in no line of the log"):
        simulated(tmp_path, kinds.Missing(begin=3_990, end=3_991, scope="device:tablet"))
    assert [path.name for path in tmp_path.iterdir()] == ["content.jsonl"]


def test_an_old_truth_is_not_left_beside_a_new_log(tmp_path: Path) -> None:
    log = simulated(tmp_path, kinds.Taste(begin=0.5))
    with pytest.raises(InputError, match="is there already"):
        write_simulation(World(SIZE), N_EVENTS, log)
    log.events.unlink()
    log.content.unlink()
    with pytest.raises(InputError, match=r"truth\.jsonl is there already"):
        write_simulation(World(SIZE), N_EVENTS, log)
    write_simulation(World(SIZE), N_EVENTS, log, overwrite=True)
    assert not log.truth.exists()


def test_more_views_than_people_have_time_for_are_refused(tmp_path: Path) -> None:
    planting = Planting.of(NAMED["taste-flip"], SIZE, 300 * 10 * 6 + 1)
    with pytest.raises(SettingsError, match="more users or days"):
        write_scenario(planting, SimulatedLog.in_folder(tmp_path))


def test_a_number_of_events_is_about_where_they_are_in_the_log(tmp_path: Path) -> None:
    log = simulated(tmp_path, kinds.Taste(begin=1_000))
    (truth,) = read_truth(log.truth)
    assert truth.begin_line == pytest.approx(1_000, abs=80)
    assert SimulatedRuler(SIZE, N_EVENTS).of_number(N_EVENTS) == START_S + 10 * DAY_S
