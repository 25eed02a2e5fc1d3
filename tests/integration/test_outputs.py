"""What a replay writes: records, traces and dead letters that fit their schemas, and series."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import zstandard

from tests.integration.conftest import Whole
from tests.replays import driftline, read_lines, refusal, replay, simulated, write_lines

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text()))


def titles_of(whole: Whole) -> dict[str, dict[str, Any]]:
    return {title["content_id"]: title for title in read_lines(whole.content)}


def test_every_line_written_fits_its_schema(tmp_path: Path, whole: Whole) -> None:
    letters = tmp_path / "letters.jsonl"
    log = write_lines(tmp_path / "log.jsonl", [b"nonsense", b"\xff", *simulated()[0][:20]])
    replay(log, "--dead-letters", letters)
    written = {
        "recommendation": whole.output[::10],
        "trace": whole.trace,
        "dead-letter": read_lines(letters),
    }
    for name, records in written.items():
        check = validator(name)
        assert records
        for record in records:
            check.validate(record)


def test_there_is_a_recommendation_record_for_every_accepted_event(whole: Whole) -> None:
    events = read_lines(whole.log)
    assert len(whole.output) == whole.summary["events"]
    for record in whole.output:
        event = events[record["based_on"]["line"] - 1]
        assert record["based_on"] == {"line": record["based_on"]["line"]}
        assert record["user_id"] == event["user_id"]
        assert record["event_time"] == event["timestamp"]


def test_recommended_items_are_novel_distinct_and_best_first(whole: Whole) -> None:
    events = read_lines(whole.log)
    watched: dict[str, set[str]] = {}
    for record in whole.output:
        event = events[record["based_on"]["line"] - 1]
        consumed = watched.setdefault(event["user_id"], set())
        consumed.add(event["content_id"])
        items = [item["content_id"] for item in record["items"]]
        scores = [item["score"] for item in record["items"]]
        assert len(items) == len(set(items)) <= 10
        assert consumed.isdisjoint(items)
        assert scores == sorted(scores, reverse=True)
    assert all(len(record["items"]) == 10 for record in whole.output[200:])


def test_a_reason_names_watched_titles_with_their_shares(whole: Whole) -> None:
    events, titles = read_lines(whole.log), titles_of(whole)
    watched: dict[str, set[str]] = {}
    kinds = set()
    for record in whole.output:
        event = events[record["based_on"]["line"] - 1]
        consumed = watched.setdefault(event["user_id"], set())
        consumed.add(event["content_id"])
        for item in record["items"]:
            reason = item["reason"]
            kinds.add(reason["kind"])
            if reason["kind"] == "because_you_watched":
                check_sources(reason, consumed, titles)
            elif reason["kind"] == "new_in_genre":
                assert reason["genre"] in titles[item["content_id"]]["genres"]
                assert reason["text"] == f"new in {reason['genre']}, a genre you watch"
            else:
                assert reason["text"] == "popular now"
    assert kinds == {"because_you_watched", "popular_now", "new_in_genre"}


def check_sources(
    reason: dict[str, Any], consumed: set[str], titles: dict[str, dict[str, Any]]
) -> None:
    sources = [source["content_id"] for source in reason["sources"]]
    shares = [source["share"] for source in reason["sources"]]
    assert consumed.issuperset(sources)
    assert shares == sorted(shares, reverse=True)
    assert 0 < shares[0] <= sum(shares) <= 1 + 1e-6
    text = f"because you watched {titles[sources[0]]['title']}, {100 * shares[0]:.0f} %"
    assert reason["text"] == text


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_outputs_are_compressed_when_their_name_says_so(
    tmp_path: Path, whole: Whole, suffix: str
) -> None:
    path = tmp_path / f"trace.jsonl{suffix}"
    replay(whole.log, "--content", whole.content, "--trace", path)
    if suffix == ".gz":
        plain = gzip.decompress(path.read_bytes())
    else:
        plain = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    assert [json.loads(line) for line in plain.splitlines()] == whole.trace


def test_the_series_is_the_quality_by_window(tmp_path: Path, whole: Whole) -> None:
    path = tmp_path / "series.csv"
    replay(whole.log, "--content", whole.content, "--series", path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    ranks = [line["rank"] for line in whole.trace if line["skipped"] is None]
    begin = 0
    for row in rows:
        end = int(row["judged"])
        window = ranks[begin:end]
        assert float(row["recall@10"]) == pytest.approx(sum(map(bool, window)) / len(window))
        assert {"popularity_recall@10", "random_recall@10", "ndcg@10"} <= row.keys()
        begin = end
    assert begin == whole.summary["judged"]
    assert [int(row["judged"]) for row in rows[:2]] == [1000, 2000]


def test_the_summary_is_one_object_with_the_documented_names(whole: Whole) -> None:
    result = driftline("replay", "--quiet", "--json", whole.log)
    assert result.stdout.count("\n") == 1
    summary = json.loads(result.stdout)
    for name in ("events", "judged", "recall@10", "ndcg@10", "events_per_s", "peak_rss_bytes"):
        assert isinstance(summary[name], int | float)
    for baseline in ("random", "popularity_all", summary["best_popularity"]):
        assert 0 < summary["baselines"][baseline]["recall@10"] < summary["recall@10"]
    for part in (*summary["segments"].values(), *summary["halves"].values()):
        assert part["judged"] > 0
    assert {"decode", "schema", "range", "late", "duplicate"} <= summary["quality"].keys()


def test_the_length_of_lists_is_a_setting_that_names_the_metrics(
    tmp_path: Path, whole: Whole
) -> None:
    trace = tmp_path / "trace.jsonl"
    summary = replay(whole.log, "--content", whole.content, "--k", 3, "--trace", trace)
    assert 0 < summary["recall@3"] < whole.summary["recall@10"]
    lists = [line["items"] for line in read_lines(trace) if line["items"]]
    assert max(map(len, lists)) == 3


@pytest.mark.parametrize(
    ("assertions", "exit_code", "said"),
    [
        (["recall@10>=0.1"], 0, ""),
        (["recall@10 > 0.1", "judged == 2615"], 1, "judged is"),
        (["recall@10>=0.99"], 1, "Assertion failed: recall@10 is "),
        (["segments.title:new.recall@10<0.9"], 0, ""),
        (["halves.second.recall@10>=0.05"], 0, ""),
        (["quality.decode==0"], 0, ""),
        (["quality.decode!=0"], 1, "quality.decode is 0, not != 0"),
        (["baselines.random.recall@10<0.2"], 0, ""),
        (["recall@20>=0.1"], 2, "Error: no number 'recall@20' to assert; did you mean"),
        (["best_popularity>=1"], 2, "Error: no number 'best_popularity'"),
        (["recall@10"], 2, "Error: expected NAME, a comparison and a number"),
        (["recall@10>=nan"], 2, "Error: expected NAME, a comparison and a number"),
    ],
)
def test_an_assertion_sets_the_exit_code(
    whole: Whole, assertions: list[str], exit_code: int, said: str
) -> None:
    flags = [part for assertion in assertions for part in ("--assert", assertion)]
    result = driftline("replay", "--quiet", whole.log, *flags)
    assert result.exit_code == exit_code
    assert said in result.stderr
    assert len(result.stderr) < 200


def test_an_assertion_about_nothing_judged_fails(tmp_path: Path) -> None:
    log = write_lines(tmp_path / "log.jsonl", simulated()[0][:1])
    result = driftline("replay", "--quiet", log, "--assert", "recall@10>=0")
    assert result.exit_code == 1
    assert result.stderr == "Assertion failed: recall@10 is None, not >= 0\n"


def test_the_tables_name_what_was_written_and_fit_80_columns(tmp_path: Path, whole: Whole) -> None:
    trace = tmp_path / "t.jsonl"
    result = driftline("replay", "--quiet", whole.log, "--trace", trace)
    assert f"trace  {trace}" in result.stdout
    for row in ("driftline", "popularity all time", "random", "events judged", "accepted"):
        assert re.search(f"^{row} ", result.stdout, re.MULTILINE)
    longest = max(len(line) for line in result.stdout.splitlines() if str(trace) not in line)
    assert longest <= 80


def test_progress_goes_to_standard_error_and_can_be_silenced(whole: Whole) -> None:
    result = driftline("replay", "--json", whole.log)
    assert "events" in result.stderr
    assert "recall@10" in result.stderr
    assert json.loads(result.stdout)["events"] == whole.summary["events"]
    assert driftline("replay", "--json", "--quiet", whole.log).stderr == ""


@pytest.mark.parametrize("flag", ["--trace", "--output", "--dead-letters", "--series"])
class TestAnOutputThatCannotBeWritten:
    def test_its_folder_is_missing(self, tmp_path: Path, whole: Whole, flag: str) -> None:
        path = tmp_path / "missing" / "file"
        assert refusal("replay", "--quiet", whole.log, flag, path) == (
            f"{path}: cannot write: no such folder"
        )

    def test_it_is_a_folder(self, tmp_path: Path, whole: Whole, flag: str) -> None:
        said = refusal("replay", "--quiet", whole.log, flag, tmp_path)
        assert said == f"{tmp_path}: cannot write: Is a directory"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
    def test_the_disk_is_full(self, tmp_path: Path, flag: str) -> None:
        log = write_lines(tmp_path / "log.jsonl", [b"nonsense", *simulated()[0][:5]])
        said = refusal("replay", "--quiet", log, flag, "/dev/full")
        assert said == "/dev/full: cannot write: No space left on device"

    def test_it_is_the_log_itself(self, tmp_path: Path, flag: str) -> None:
        log = write_lines(tmp_path / "log.jsonl", simulated()[0][:5])
        before = log.read_bytes()
        refusal("replay", "--quiet", log, flag, tmp_path / "." / "log.jsonl")
        assert log.read_bytes() == before

    def test_a_misspelt_log_leaves_an_older_file_alone(self, tmp_path: Path, flag: str) -> None:
        older = tmp_path / "older"
        older.write_text("precious")
        refusal("replay", "--quiet", tmp_path / "mispelt.jsonl", flag, older)
        assert older.read_text() == "precious"
