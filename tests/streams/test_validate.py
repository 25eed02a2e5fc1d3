from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from streams.cli import main

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = """\
User ID, Content ID, View Time, Rating, Timestamp
1, 12345, 34.5, 4, 2022-01-01 12:00:00
"""
BROKEN = (
    EXAMPLE
    + """\
2, 12345, ten, 4, 2022-01-01 12:00:01

3, 12345, 30, 11, 2022-01-01 12:00:02
1, 12345, 34.5, 4, 2022-01-01 12:00:00
"""
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def validate(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["validate", *arguments], input=text)


def found(result: Result) -> dict[str, Any]:
    report = json.loads(result.stdout)
    return {check["name"]: check for check in report["checks"]}


def test_the_example_row_passes(tmp_path: Path) -> None:
    (tmp_path / "views.csv").write_text(EXAMPLE)

    result = validate("views.csv", "--json")

    assert result.exit_code == 0
    assert {check["status"] for check in found(result).values()} == {"PASS"}
    assert json.loads(result.stdout)["accepted"] == 1


def test_bad_records_fail_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "views.csv").write_text(BROKEN)

    result = validate("views.csv", "--json")
    checks = found(result)

    assert result.exit_code == 1
    assert [example["line"] for example in checks["schema"]["examples"]] == [2]
    assert [example["line"] for example in checks["range"]["examples"]] == [4]
    assert [example["line"] for example in checks["duplicates"]["examples"]] == [5]
    assert (checks["schema"]["status"], checks["duplicates"]["status"]) == ("FAIL", "WARN")


def test_people_get_a_table_and_examples(tmp_path: Path) -> None:
    (tmp_path / "views.csv").write_text(BROKEN)

    result = validate("views.csv")

    assert result.exit_code == 1
    assert "FAIL  range" in result.stdout
    assert "range, line 4: rating is outside the scale from 0 to 10" in result.stdout
    assert "\x1b" not in result.stdout


def test_several_inputs_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(EXAMPLE)
    (tmp_path / "b.csv").write_text(BROKEN)

    checks = found(validate("a.csv", "b.csv", "--json"))

    assert checks["schema"]["examples"][0]["file"] == "b.csv"


def test_standard_input_with_other_columns_and_another_scale() -> None:
    text = EXAMPLE.replace("User ID", "viewer").replace(" 4,", " 40,")
    result = validate("-", "--map", "user_id=viewer", "--rating-max", "100", "--json", text=text)

    assert result.exit_code == 0
    assert found(result)["range"]["status"] == "PASS"


def test_content_tells_what_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "views.csv").write_text(EXAMPLE + "2, 7, 20, 5, 2022-01-01 12:00:01\n")
    (tmp_path / "content.jsonl").write_text('{"content_id": 12345}\n{"title": "no id"}\n')

    checks = found(validate("views.csv", "--content", "content.jsonl", "--json"))

    assert checks["unknown content"]["count"] == 1
    assert (checks["content"]["count"], checks["content"]["of"]) == (1, 2)


@pytest.mark.parametrize("text", ["", EXAMPLE.splitlines()[0]])
def test_a_log_without_events_fails(tmp_path: Path, text: str) -> None:
    (tmp_path / "views.csv").write_text(text)

    result = validate("views.csv", "--json")

    assert result.exit_code == 1
    assert found(result)["volume"]["status"] == "FAIL"


def test_a_log_that_is_not_there_is_a_usage_error() -> None:
    result = validate("nowhere.csv")

    assert result.exit_code == 2
    assert "nowhere.csv" in result.stderr
