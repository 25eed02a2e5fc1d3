"""Every row of the table of data quality, through ``replay --dead-letters`` and ``validate``."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.replays import (
    HEADER,
    driftline,
    read_lines,
    replay,
    simulated,
    without_line,
    write_lines,
)

N_GOOD = 1_000
TIMELY = '"timestamp": 1641038400'
REASONS = ("decode", "schema", "range", "late")

BAD_RECORDS: dict[str, tuple[bytes | str, str]] = {
    "no JSON": (b"hello", "decode"),
    "cut off": (b'{"user_id": "1", "content_id": ', "decode"),
    "not UTF-8": (b'{"user_id": "\xff\xfe", "content_id": "2", "timestamp": 1641038400}', "decode"),
    "a NaN literal": (f'{{"user_id":1,"content_id":2,{TIMELY},"rating":NaN}}', "decode"),
    "nested absurdly": (b'{"user_id": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "decode"),
    "over the size limit": (
        f'{{"user_id":1,"content_id":2,{TIMELY},"x":"{"y" * 65_536}"}}',
        "decode",
    ),
    "a missing id": (f'{{"content_id": 2, {TIMELY}}}', "schema"),
    "an empty id": (f'{{"user_id": " ", "content_id": 2, {TIMELY}}}', "schema"),
    "a long id": (f'{{"user_id": "{"é" * 129}", "content_id": 2, {TIMELY}}}', "schema"),
    "a null id": (f'{{"user_id": null, "content_id": 2, {TIMELY}}}', "schema"),
    "true as an id": (f'{{"user_id": true, "content_id": 2, {TIMELY}}}', "schema"),
    "a fraction as an id": (f'{{"user_id": 1, "content_id": 2.5, {TIMELY}}}', "schema"),
    "no time": (b'{"user_id": 1, "content_id": 2}', "schema"),
    "a word as a time": (b'{"user_id": 1, "content_id": 2, "timestamp": "noon"}', "schema"),
    "a word as a view time": (
        f'{{"user_id":1,"content_id":2,{TIMELY},"view_time":"ten"}}',
        "schema",
    ),
    "a list as a rating": (f'{{"user_id":1,"content_id":2,{TIMELY},"rating":[4]}}', "schema"),
    "a number as a type": (f'{{"user_id":1,"content_id":2,{TIMELY},"event_type":1}}', "schema"),
    "no object": (b"[1, 2, 3]", "schema"),
    "a negative view time": (f'{{"user_id":1,"content_id":2,{TIMELY},"view_time":-1}}', "range"),
    "a rating off the scale": (f'{{"user_id":1,"content_id":2,{TIMELY},"rating":10.5}}', "range"),
    "before 1990": (b'{"user_id": 1, "content_id": 2, "timestamp": "1989-12-31 23:59"}', "range"),
    "after 2100": (b'{"user_id": 1, "content_id": 2, "timestamp": "2100-01-02T00:00Z"}', "range"),
    "late": (b'{"user_id": 1, "content_id": 2, "timestamp": "2021-12-30 00:00"}', "late"),
}


@dataclass(frozen=True)
class Spoilt:
    """A log of good events with bad records between them, and what replay made of it."""

    log: Path
    places: dict[str, int]
    dead_letters: dict[int, dict[str, Any]]
    trace: list[dict[str, Any]]
    output: list[dict[str, Any]]
    quality: dict[str, int]
    good: dict[str, list[dict[str, Any]]]


def replayed(log: Path) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    files = {what: log.with_suffix(f".{what}") for what in ("trace", "output", "dead-letters")}
    summary = replay(log, *(part for what, path in files.items() for part in (f"--{what}", path)))
    return {what: read_lines(path) for what, path in files.items()}, summary


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Spoilt:
    folder = tmp_path_factory.mktemp("spoilt")
    good = simulated()[0][:N_GOOD]
    lines, places = list(good[:500]), {}
    for n, (name, (record, _)) in enumerate(BAD_RECORDS.items()):
        lines.append(record.encode() if isinstance(record, str) else record)
        places[name] = len(lines)
        lines.extend(good[500 + 10 * n : 510 + 10 * n])
    lines.extend(good[500 + 10 * len(BAD_RECORDS) :])
    found, summary = replayed(write_lines(folder / "spoilt.jsonl", lines))
    return Spoilt(
        folder / "spoilt.jsonl",
        places,
        {letter["line"]: letter for letter in found["dead-letters"]},
        found["trace"],
        found["output"],
        summary["quality"],
        replayed(write_lines(folder / "good.jsonl", good))[0],
    )


@pytest.mark.parametrize("name", BAD_RECORDS)
def test_a_bad_record_becomes_a_dead_letter(spoilt: Spoilt, name: str) -> None:
    record, reason = BAD_RECORDS[name]
    raw = record.encode() if isinstance(record, str) else record
    letter = spoilt.dead_letters[spoilt.places[name]]
    assert letter["reason"] == reason
    assert letter["error"]
    assert "\n" not in letter["error"]
    if "value_base64" in letter:
        assert "value" not in letter
        assert base64.b64decode(letter["value_base64"]) == raw
    elif name == "over the size limit":
        assert letter["value"] == raw[:1024].decode()
    else:
        assert letter["value"].encode() == raw


def test_only_bytes_that_are_no_text_are_kept_as_base64(spoilt: Spoilt) -> None:
    encoded = {n for n, letter in spoilt.dead_letters.items() if "value_base64" in letter}
    assert encoded == {spoilt.places["not UTF-8"]}


def test_nothing_else_becomes_a_dead_letter_and_all_are_counted(spoilt: Spoilt) -> None:
    assert sorted(spoilt.dead_letters) == sorted(spoilt.places.values())
    expected = Counter(reason for _, reason in BAD_RECORDS.values())
    assert {reason: spoilt.quality[reason] for reason in REASONS} == expected
    assert spoilt.quality["accepted"] == N_GOOD


def test_bad_records_change_nothing_for_the_good_ones(spoilt: Spoilt) -> None:
    assert without_line(spoilt.trace) == without_line(spoilt.good["trace"])
    without_origin = [{**record, "based_on": None} for record in spoilt.output]
    assert without_origin == [{**record, "based_on": None} for record in spoilt.good["output"]]
    at = {record["based_on"]["line"] for record in spoilt.output}
    assert at.isdisjoint(spoilt.places.values())


def test_validate_finds_the_same_with_their_lines(spoilt: Spoilt) -> None:
    result = driftline("validate", "--json", spoilt.log)
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["status"] == "FAIL"
    named = {"decodable": "decode", "schema": "schema", "range": "range", "lateness": "late"}
    checks = {named[c["name"]]: c for c in report["checks"] if c["name"] in named}
    for reason, check in checks.items():
        letters = [x for x in spoilt.dead_letters.values() if x["reason"] == reason]
        assert check["count"] == len(letters) == spoilt.quality[reason]
        examples = [(example["line"], example["error"]) for example in check["examples"]]
        assert examples == [(x["line"], x["error"]) for x in letters[:5]]


CSV_ROWS = {
    "too few fields": ("1,2,3", "schema"),
    "too many fields": ("1,2,3,4,2022-01-01,6", "schema"),
    "an empty id": (",2,3,4,2022-01-01 12:00", "schema"),
    "no time": ("1,2,3,4,", "schema"),
    "NaN": ("1,2,nan,4,2022-01-01 12:00", "schema"),
    "infinity": ("1,2,inf,4,2022-01-01 12:00", "schema"),
    "an infinite rating": ("1,2,3,1e999,2022-01-01 12:00", "schema"),
    "a word as a rating": ("1,2,3,good,2022-01-01 12:00", "schema"),
    "an open quote": ('1,"2,3,4,2022-01-01 12:00', "decode"),
    "a negative view time": ("1,2,-0.5,4,2022-01-01 12:00", "range"),
}


@pytest.mark.parametrize("name", CSV_ROWS)
def test_a_bad_row_becomes_a_dead_letter(tmp_path: Path, name: str) -> None:
    row, reason = CSV_ROWS[name]
    log, letters = tmp_path / "log.csv", tmp_path / "letters.jsonl"
    log.write_text(f"{HEADER}\n7,8,9,5,2022-01-01 11:59\n\n{row}\n7,9,9,5,2022-01-01 12:01\n")
    summary = replay(log, "--dead-letters", letters)
    [letter] = read_lines(letters)
    assert (letter["line"], letter["reason"], letter["value"]) == (3, reason, row)
    assert summary["quality"][reason] == 1
    assert (summary["events"], summary["records"]) == (2, 3)


def test_only_bad_records_leave_exit_code_0_and_fail_the_validation(tmp_path: Path) -> None:
    log = write_lines(tmp_path / "log.jsonl", [b"one", b"two"])
    summary = replay(log)
    assert (summary["events"], summary["records"], summary["judged"]) == (0, 2, 0)
    assert driftline("replay", log).exit_code == 0
    assert driftline("validate", log).exit_code == 1


@pytest.mark.parametrize(
    "column", ["view_time", "rating", "duration"], ids=lambda column: f"no {column}"
)
def test_an_absent_optional_column_never_fails(tmp_path: Path, column: str) -> None:
    lines = []
    for line in simulated()[0][:300]:
        known = json.loads(line)
        known.pop(column, None)
        lines.append(json.dumps(known).encode())
    result = driftline("validate", "--json", write_lines(tmp_path / "log.jsonl", lines))
    assert result.exit_code == 0
    absent = [c for c in json.loads(result.stdout)["checks"] if c["name"] == f"missing {column}"]
    assert all(check["status"] == "PASS" for check in absent)


@pytest.mark.parametrize("spoil", [bytes.upper, lambda line: line[:-3]], ids=["upper", "cut"])
def test_spoiling_every_tenth_record_loses_at_most_those(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    lines = [line.rstrip() for line in simulated()[0][:500]]
    lines[::10] = map(spoil, lines[::10])
    summary = replay(write_lines(tmp_path / "log.jsonl", lines))
    lost = sum(summary["quality"][reason] for reason in REASONS)
    assert summary["events"] + summary["quality"]["duplicate"] == 500 - lost
    assert lost <= 50
