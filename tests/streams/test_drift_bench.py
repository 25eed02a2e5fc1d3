"""Trials and the bench: what is counted, and that nothing of it is made up."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import msgspec
import numpy as np
import pytest

from models.drift_scores import Zone
from monitoring.drift_bench_tables import markdown
from streams.drift_bench import (
    DETECTORS,
    HORIZON,
    LATER,
    NOTHING,
    OURS,
    OURS_LISTS,
    WINDOWS,
    Case,
    alarms_by_detector,
    detection_rows,
    is_named,
    n_named,
    recall_rows,
    tried,
)
from streams.drift_files import Story
from streams.drift_trials import ADAPTING, MODES, STEADY, UNFORGETTING, settings_of, zone_of
from streams.settings import Settings
from streams.simulator import SimulatedLog
from streams.truth import encode_truth
from tests.drifting import change, drift_record, permuted
from tests.replays import driftline, refusal, replay, simulated, write_lines

BEGIN, N_EVENTS = 3_600, 6_000


@cache
def log() -> SimulatedLog:
    folder = Path(mkdtemp(prefix="drift-bench-test-"))
    lines, titles = simulated(N_EVENTS)
    write_lines(folder / "events.jsonl", permuted(lines, BEGIN))
    write_lines(folder / "content.jsonl", titles)
    made = SimulatedLog.in_folder(folder)
    planted = change(BEGIN + 1, kind="permute", end_line=N_EVENTS)
    made.truth.write_bytes(encode_truth([planted]))
    return made


@cache
def case() -> Case:
    return tried("permuted", 0, log(), Settings())


def test_a_trial_is_a_replay(tmp_path: Path) -> None:
    drift = tmp_path / "drift.jsonl"
    summary = replay(log().events, "--content", log().content, "--drift", drift)
    trial = case().trials[ADAPTING]
    assert trial.n_records == N_EVENTS
    assert len(trial.record) == summary["judged"]
    assert trial.recall(0, N_EVENTS) == pytest.approx(summary["recall@10"], abs=1e-12)
    assert trial.loss.mean() == pytest.approx(1.0 - summary["ndcg@10"], abs=1e-9)
    best = summary["baselines"][summary["best_popularity"]]["recall@10"]
    assert trial.popularity.mean(axis=0).max() == pytest.approx(best, abs=1e-12)
    told = [json.loads(line) for line in drift.read_bytes().splitlines()]
    opened = [(r["episode"], r["line"]) for r in told if r["state"] == "opened"]
    assert [(s.record.episode, s.line) for s in trial.stories] == opened


def test_modes_differ_in_what_their_names_say() -> None:
    given = Settings()
    assert settings_of(ADAPTING, given) == given
    steady, unforgetting = (settings_of(mode, given) for mode in (STEADY, UNFORGETTING))
    assert (steady.drift.adapt, steady.drift.detect, steady.engine) == (False, True, given.engine)
    assert not unforgetting.drift.detect
    assert unforgetting.engine.slow_half_life_events == 1e12
    assert case().trials[UNFORGETTING].stories == []
    hits = [trial.is_hit.tobytes() for trial in case().trials.values()]
    assert len(set(hits)) == len(MODES)


def test_recall_is_of_the_judged_events_among_the_records() -> None:
    trial = case().trials[ADAPTING]
    inside = (trial.record >= 100) & (trial.record < 200)
    assert trial.recall(100, 200) == trial.is_hit[inside].mean()
    assert math.isnan(trial.recall(N_EVENTS, N_EVENTS + 100))


def test_zones_count_from_0_and_a_gradual_change_is_complete_at_its_end_time() -> None:
    trial = case().trials[ADAPTING]
    time = float(trial.latest[5_000])
    for planted, zone in (
        (change(1_001), Zone(1_000, 1_000)),
        (change(1_001, end_event_time=time, end_line=3_000), Zone(1_000, 2_999)),
        (change(1_001, shape="gradual", end_event_time=time), Zone(1_000, 5_000)),
    ):
        assert zone_of(planted, trial) == zone


def test_every_detector_sees_the_change_or_is_said_to_have_missed_it() -> None:
    alarms = alarms_by_detector(case())
    assert tuple(alarms) == DETECTORS
    assert alarms[NOTHING] == []
    n_judged = len(case().trials[STEADY].record)
    assert len(alarms["every 5,000 events"]) == n_judged // 5_000
    lines = [story.line for story in case().trials[ADAPTING].stories]
    assert [at + 1 for at in alarms[OURS]] == lines
    assert set(alarms[OURS_LISTS]) <= set(alarms[OURS])
    rows = {row["detector"]: row for row in detection_rows([case(), case()], HORIZON)}
    assert [rows[name]["changes"] for name in DETECTORS] == [2] * len(DETECTORS)
    assert rows[NOTHING]["detected"] == 0
    assert rows[OURS]["detected"] == 2
    assert rows[OURS]["median_delay"] == alarms[OURS][0] - BEGIN
    assert rows[OURS]["named"] == 2 * n_named(case(), HORIZON) == 2


@pytest.mark.parametrize(
    ("kind", "scope", "planted", "is_right"),
    [
        ("concept", "genre:Horror", "taste", True),
        ("data", "genre:Horror", "audience", True),
        ("concept", "genre:Drama", "taste", False),
        ("input_fault", "genre:Horror", "taste", False),
        ("input_fault", "genre:Horror", "unit", True),
        ("data", "genre:Horror", "bots", False),
        ("input_fault", "device:tv", "stuck", True),
        ("input_fault", "device:tv", "bots", False),
    ],
)
def test_a_name_is_right_when_kind_and_scope_are(
    kind: str, scope: str, planted: str, *, is_right: bool
) -> None:
    scopes = [{"scope": scope, "share": 1.0, "events": 9}]
    story = Story(drift_record(kind=kind, scopes=scopes), 9)
    assert is_named(story, change(5, kind=planted, scope="genre:Horror")) == is_right


def test_recall_is_told_before_and_after_the_change() -> None:
    rows = recall_rows([case()])
    assert [row["mode"] for row in rows] == list(MODES)
    for row in rows:
        trial = case().trials[row["mode"]]
        assert row["before"] == trial.recall(0, BEGIN)
        assert row["first 1,000"] == trial.recall(BEGIN, BEGIN + 1_000)
        assert set(row) == {"scenario", "mode", *WINDOWS, LATER}
        assert row[LATER] is None  # the log is over by then
        assert row["before"] > row["first 1,000"]


def test_the_tables_have_a_row_each_and_a_dash_for_what_is_not_known() -> None:
    detection, recall = detection_rows([case()], HORIZON), recall_rows([case()])
    results = {"n_events": 6_000, "seeds": 1, "horizon": HORIZON}
    text = markdown({**results, "detection": detection, "recall": recall})
    rows = [line for line in text.splitlines() if line.startswith("| permuted")]
    assert len(rows) == len(DETECTORS) + len(MODES)
    assert rows[DETECTORS.index(NOTHING)].split("|")[3:7] == [" 0 of 1 ", "  ", " – ", " – "]
    assert {line.count("|") for line in rows[: len(DETECTORS)]} == {11}


def test_the_command_writes_tables_numbers_and_pictures(tmp_path: Path) -> None:
    scenario, out = tmp_path / "mine.toml", tmp_path / "out"
    scenario.write_text('[[change]]\nkind = "missing"\nbegin = 0.6\nend = 0.8\nstrength = 1.0\n')
    words = ("--scenario", scenario, "--events", 10_000, "--seeds", 1, "--out", out)
    result = driftline("drift-bench", *words)
    assert result.exit_code == 0, result.output
    assert (out / "drift-bench.md").read_text() in result.stdout
    found = msgspec.json.decode((out / "drift-bench.json").read_bytes())
    ours = next(row for row in found["detection"] if row["detector"] == OURS)
    assert (ours["scenario"], ours["changes"], ours["detected"]) == ("mine", 1, 1)
    assert [row["mode"] for row in found["recall"]] == list(MODES)
    picture = (out / "mine.svg").read_text(encoding="utf-8")
    for words_in_it in ("missing, all", "adapting", "no forgetting", "popularity"):
        assert f"<!-- {words_in_it} -->" in picture


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--scenario", "taste-flp"], "no scenario taste-flp; did you mean taste-flip?"),
        (["--scenario", "gone.toml"], "scenario gone.toml: no such file or directory"),
    ],
)
def test_an_unknown_scenario_is_refused_before_anything_is_simulated(
    words: list[str], sentence: str
) -> None:
    assert refusal("drift-bench", "--scenario", "stationary", *words).startswith(sentence)


def test_places_in_time_are_found_in_the_log() -> None:
    trial = case().trials[ADAPTING]
    assert trial.record_of(float(trial.latest[-1]) + 1) == N_EVENTS
    assert np.all(np.diff(trial.latest) >= 0)
