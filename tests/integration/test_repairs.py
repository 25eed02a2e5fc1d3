"""What is clipped, imputed, dropped or accepted with a note, counted in the summary."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replays import read_lines, replay, write_lines

DAY_S = 86_400.0
NOON = 1_641_038_400.0


def event(user: str, title: str, time: float, **fields: object) -> bytes:
    return json.dumps({"user_id": user, "content_id": title, "timestamp": time, **fields}).encode()


def crowd(n: int, start: float = NOON, **fields: object) -> Iterator[bytes]:
    """Yield views of one title by many users, a second apart."""
    return (event(f"u{i}", "t", start + i, **fields) for i in range(n))


def quality_of(folder: Path, lines: list[bytes], *more: object) -> dict[str, int]:
    quality: dict[str, int] = replay(write_lines(folder / "log.jsonl", lines), *more)["quality"]
    return quality


def test_two_clocks_that_run_ahead_are_clipped_and_move_nobody(tmp_path: Path) -> None:
    ahead = [event(user, "t", NOON + 400 * DAY_S) for user in ("a", "b")]
    output = tmp_path / "output.jsonl"
    lines = [*crowd(5), *ahead, *crowd(5, NOON + 60)]
    quality = quality_of(tmp_path, lines, "--output", output)
    assert (quality["accepted"], quality["clipped_future"], quality["late"]) == (12, 2, 0)
    times = [r["event_time"] for r in read_lines(output) if r["user_id"] in {"a", "b"}]
    # One day ahead of the third-latest user, who is u2 before "a" comes and u3 after.
    assert times == [NOON + 2 + DAY_S, NOON + 3 + DAY_S]


def test_a_third_clock_moves_the_watermark(tmp_path: Path) -> None:
    ahead = [event(user, "t", NOON + 2 * DAY_S) for user in ("a", "b", "c")]
    quality = quality_of(tmp_path, [*crowd(5), *ahead, *crowd(5, NOON + 60)])
    assert quality["late"] == 5


def test_lateness_and_future_are_settings(tmp_path: Path) -> None:
    lines = [*crowd(5), event("a", "x", NOON - 100), event("b", "x", NOON + 100)]
    strict = ("--allowed-lateness-s", 50, "--allowed-future-s", 50)
    quality = quality_of(tmp_path, lines, *strict)
    assert (quality["late"], quality["clipped_future"]) == (1, 1)
    quality = quality_of(tmp_path, lines)
    assert (quality["late"], quality["clipped_future"]) == (0, 0)


@pytest.mark.parametrize(
    ("again", "n_dropped"),
    [
        (event("u0", "t", NOON), 1),
        (event("u0", "t", NOON, rating=3), 1),
        (event("u0", "t", NOON + 1), 0),
        (event("u0", "t", NOON, event_id="e2"), 0),
    ],
    ids=["same", "same but the rating", "other time", "other event id"],
)
def test_a_duplicate_is_dropped_and_counted(tmp_path: Path, again: bytes, n_dropped: int) -> None:
    trace, letters = tmp_path / "trace.jsonl", tmp_path / "letters.jsonl"
    lines = [*crowd(5), again]
    quality = quality_of(tmp_path, lines, "--trace", trace, "--dead-letters", letters)
    assert quality["duplicate"] == n_dropped
    assert len(read_lines(trace)) == quality["accepted"] == 6 - n_dropped
    assert read_lines(letters) == []


def test_one_event_id_is_one_event_whatever_else_it_says(tmp_path: Path) -> None:
    lines = [*crowd(3), event("a", "t", NOON, event_id=1), event("b", "s", NOON, event_id="1")]
    assert quality_of(tmp_path, lines)["duplicate"] == 1


def test_a_missing_view_time_is_imputed_and_a_missing_rating_stays_missing(tmp_path: Path) -> None:
    lines = [*crowd(5, view_time=30.0, duration=60.0), event("a", "t", NOON, duration=60.0)]
    quality = quality_of(tmp_path, lines)
    assert (quality["missing_view_time"], quality["imputed_view_time"]) == (1, 1)
    assert quality["missing_rating"] == 6


def test_an_outlier_and_a_view_longer_than_its_title_are_clipped(tmp_path: Path) -> None:
    usual = crowd(150, view_time=50.0, duration=60.0)
    lines = [*usual, event("a", "t", NOON, view_time=1e6), event("b", "t", NOON, view_time=70.0)]
    content = tmp_path / "content.jsonl"
    content.write_bytes(b'{"content_id": "t", "duration": 60}\n')
    quality = quality_of(tmp_path, lines, "--content", content)
    assert quality["clipped_outlier"] == 1
    assert quality["clipped_to_duration"] == 2
    assert quality["accepted"] == 152


def test_a_title_outside_the_catalogue_is_accepted_and_counted(tmp_path: Path) -> None:
    content = tmp_path / "content.jsonl"
    content.write_bytes(b'{"content_id": "other"}\n')
    quality = quality_of(tmp_path, list(crowd(5)), "--content", content)
    assert (quality["accepted"], quality["unknown_content"]) == (5, 5)


def test_the_scale_of_ratings_is_a_setting(tmp_path: Path) -> None:
    lines = [event("a", "t", NOON, rating=7), event("b", "t", NOON, rating=0.5)]
    assert quality_of(tmp_path, lines, "--rating-min", 1, "--rating-max", 5)["range"] == 2
    assert quality_of(tmp_path, lines)["range"] == 0
