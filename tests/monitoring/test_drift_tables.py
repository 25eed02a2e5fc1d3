"""Episodes as people see them."""

from __future__ import annotations

import io

import msgspec
import pytest
from rich.console import Console

from monitoring.drift_tables import print_episodes, print_matching, print_summary
from tests.drifting import drift_record


def console(width: int = 100) -> Console:
    return Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)


def episode(name: str = "0-1", state: str = "opened", **given: object) -> dict[str, object]:
    record = msgspec.to_builtins(drift_record(name, state, **given))
    return {**record, "detected_line": record["line"]}


def text(shown: Console) -> str:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue()


def words(shown: Console) -> str:
    return " ".join(text(shown).split())


REACTIONS = [
    {"name": "view_time_imputed", "scope": "all", "event_time": 1_641_033_000.0, "is_on": True},
    {"name": "view_time_imputed", "scope": "all", "event_time": 1_641_040_000.0, "is_on": False},
    {"name": "fast_side_boosted", "scope": "all", "event_time": 1_641_033_000.0, "is_on": True},
]


def test_an_episode_says_what_where_when_and_what_was_done() -> None:
    shown = console(240)
    scopes = [
        {"scope": "genre:Horror", "share": 0.71, "events": 40},
        {"scope": "device:tv", "share": 0.2, "events": 9},
    ]
    closed = episode(state="closed", ended=1_641_060_000.0, reactions=REACTIONS, scopes=scopes)
    print_episodes(shown, [closed])
    for part in (
        "0-1",
        "closed",
        "lists became worse (drift)",
        "genre:Horror: recall@10 0.210 -> 0.060 over 40 events",
        "mostly genre:Horror 71 %, device:tv 20 %",
        "rank 4 → 19, cusum_fast",
        "2022-01-01 10:00 onset",
        "30 min later noticed, line 120",
        "2022-01-01 18:00 over",
        "view time imputed (all) 01-01 10:30 to 01-01 12:26",
        "fast side boosted (all) 01-01 10:30",
    ):
        assert part in text(shown)


def test_an_episode_without_reaction_or_end_says_so() -> None:
    shown = console()
    print_episodes(shown, [episode(state="updated")])
    assert "open" in words(shown)
    assert "nothing" in words(shown)
    assert "over" not in text(shown).replace("over 40 events", "")


def test_what_was_done_again_and_again_is_told_once() -> None:
    shown = console(140)
    print_episodes(shown, [episode(reactions=REACTIONS[:2] * 3)])
    assert "01-01 12:26, 3 times in all" in words(shown)
    assert text(shown).count("view time imputed") == 1


def test_what_was_planted_stands_beside_its_episode() -> None:
    shown = console(240)
    match = {"kind": "taste", "scope": "genre:Horror", "begin_line": 40, "delay": 80}
    episodes = [
        {**episode("0-1"), "match": {**match, "is_first": True}},
        {**episode("0-2"), "match": {**match, "is_first": False}},
        {**episode("0-3"), "match": None},
    ]
    print_episodes(shown, episodes)
    said = words(shown)
    for part in ("80 records after it", "told of before", "nothing: false"):
        assert part in said


def test_what_was_missed_is_named() -> None:
    shown = console()
    scores = {"changes": 2, "detected": 1, "episodes": 3, "false": 1, "median_delay": 80.0}
    print_matching(shown, [{"kind": "bots", "scope": "all", "begin_line": 5_000}], scores)
    assert "missed: bots, all, from line 5,000" in text(shown)
    assert "1 of 2 planted changes found, after 80 records (median); 1 of 3 episodes" in words(
        shown
    )


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_too_long_and_from_80_columns_on_no_word_is_broken(width: int) -> None:
    shown = console(width)
    print_episodes(shown, [{**episode(reactions=REACTIONS), "match": None}])
    assert all(len(line) <= width for line in text(shown).splitlines())
    assert "0-1" in text(shown)
    if width >= 80:
        for word in ("onset", "noticed", "Horror:", "imputed", "boosted", "nothing:"):
            assert word in words(shown)


def test_foreign_text_cannot_steer_the_terminal() -> None:
    shown = console()
    scopes = [{"scope": "genre:\x1b[2J", "share": 1.0, "events": 1}]
    print_episodes(shown, [episode(what="\x1b[2J[bold]", scopes=scopes)])
    assert "\x1b" not in text(shown)
    assert "[bold]" in text(shown)


def test_no_drift_is_said() -> None:
    shown = console()
    print_episodes(shown, [])
    print_summary(shown, {"episodes": 0, "open": 0, "latest": []})
    assert text(shown) == "No drift.\nDrift: none.\n\n"


def test_the_summary_names_the_latest_episodes() -> None:
    shown = console()
    fault = episode("0-2", kind="input_fault", statistic="view_time", state="closed")
    print_summary(shown, {"episodes": 2, "open": 1, "latest": [episode(), fault]})
    assert words(shown) == (
        "Drift: 2 episodes: lists became worse (genre:Horror) since 2022-01-01 10:00, still open;"
        " input fault (view_time, genre:Horror) since 2022-01-01 10:00."
    )


def test_of_many_episodes_the_last_five_are_named() -> None:
    shown = console()
    print_summary(shown, {"episodes": 40, "open": 9, "latest": [episode()] * 9})
    assert "and 35 before" in words(shown)
    assert words(shown).count("lists became worse") == 5
