"""The first example of the event format, exactly as it is documented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.replays import driftline, read_lines, replay

HEADER = "User ID, Content ID, View Time, Rating, Timestamp"
ROW = "1, 12345, 34.5, 4, 2022-01-01 12:00:00"
OBJECT = (
    '{"User ID": 1, "Content ID": 12345, "View Time": 34.5, "Rating": 4,'
    ' "Timestamp": "2022-01-01 12:00:00"}'
)
EPOCH_S = 1_641_038_400.0


def example(folder: Path, suffix: str) -> Path:
    text = {
        ".jsonl": OBJECT,
        ".csv": f"{HEADER}\n{ROW}",
        ".tsv": f"{HEADER}\n{ROW}".replace(", ", "\t"),
    }
    path = folder / f"views{suffix}"
    path.write_text(f"{text[suffix]}\n")
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv"])
def test_the_example_row_is_learned_under_its_own_headers(tmp_path: Path, suffix: str) -> None:
    trace, output = tmp_path / "trace", tmp_path / "output"
    summary = replay(example(tmp_path, suffix), "--trace", trace, "--output", output)
    assert (summary["events"], summary["judged"], summary["cold"]) == (1, 0, 1)
    assert summary["recall@10"] is None
    quality = {name: n for name, n in summary["quality"].items() if n}
    assert quality == {"accepted": 1}
    assert read_lines(trace) == [
        {
            "line": 1,
            "user_id": "1",
            "content_id": "12345",
            "items": None,
            "skipped": "cold",
            "rank": None,
        }
    ]
    record = {"user_id": "1", "items": [], "event_time": EPOCH_S, "based_on": {"line": 1}}
    assert read_lines(output) == [record]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv"])
def test_the_example_row_validates(tmp_path: Path, suffix: str) -> None:
    result = driftline("validate", "--json", example(tmp_path, suffix))
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["status"] == "PASS"
    assert (report["records"], report["accepted"]) == (1, 1)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv"])
def test_the_example_prints_tables_for_people(tmp_path: Path, suffix: str) -> None:
    result = driftline("replay", example(tmp_path, suffix))
    assert result.exit_code == 0
    assert "Data quality: none of 1 records was refused or repaired." in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_standard_input_is_told_apart_by_its_first_bytes() -> None:
    for text in (OBJECT, f"{HEADER}\n{ROW}"):
        assert replay("-", stdin=text.encode())["events"] == 1


def test_other_column_names_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "views.csv"
    path.write_text("uid,what,when\n1,12345,2022-01-01 12:00:00\n")
    names = ("--map", "user_id=uid", "--map", "content_id=what", "--map", "timestamp=when")
    assert replay(path, *names)["events"] == 1
