"""A report of a run: one command from a log, or beside the other outputs of a replay."""

import json
import re

import pytest

from streams.events import View, encode_view
from streams.examples import example_of, latest_users
from streams.run import Plan, run
from streams.settings import ReplaySettings, Settings
from tests.replays import N_EVENTS, driftline, refusal, replay, result_of, write_lines

MEGABYTE = 1_000_000


def words_of(path):
    """Give the words of a page, without markup."""
    text = re.sub(r"<style>.*?</style>", "", path.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.fixture(scope="module")
def beside(whole, tmp_path_factory):
    """Give the report that a replay wrote beside its summary."""
    path = tmp_path_factory.mktemp("report") / "run.html"
    return path, replay(whole.log, "--content", whole.content, "--report", path)


def test_a_report_changes_no_result(whole, beside):
    assert result_of(beside[1]) == result_of(whole.summary)


def test_the_page_has_the_numbers_of_the_summary(beside):
    path, summary = beside
    words = words_of(path)
    assert path.stat().st_size < MEGABYTE
    assert f"{summary['recall@10']:.4f}"[1:] in words
    for scores in summary["segments"].values():
        assert f"{scores['recall@10']:.4f}"[1:] in words
    assert f"{N_EVENTS:,} records" in words
    assert summary["quality"]["missing_rating"]
    assert f"missing rating {summary['quality']['missing_rating']:,}" in words


def test_one_command_from_a_log_shows_the_same(whole, beside, tmp_path):
    path = tmp_path / "new" / "report.html"
    path.parent.mkdir()
    words = ("report", whole.log, "--content", whole.content, "--out", path, "--quiet")
    done = driftline(*words)
    assert (done.exit_code, done.stdout) == (0, f"{path}\n"), done.output
    without_speed = [
        re.sub(r"(What the model weighs.*?) Speed .*|speed [\d,]+ events/s", r"\1", words_of(file))
        for file in (path, beside[0])
    ]
    assert without_speed[0] == without_speed[1]


def test_partitions_and_chosen_users(whole, tmp_path):
    path = tmp_path / "report.html"
    known = json.loads(whole.log.read_bytes().splitlines()[0])["user_id"]
    users = ("--user", known, "--user", "nobody <i>")
    words = ("report", whole.log, "--out", path, "--partitions", 3, "--quiet", *users)
    assert driftline(*words).exit_code == 0
    text = words_of(path)
    assert f"User {known} Watched" in text
    assert "User nobody &lt;i&gt; Without history here" in text


def test_a_resumed_run_is_shown_from_the_beginning(whole, tmp_path):
    state, path = tmp_path / "state", tmp_path / "report.html"
    replay(whole.log, "--limit", 2_000, "--snapshot-to", state)
    for log_end in ("--snapshot-to", "--series"):
        target = state if log_end == "--snapshot-to" else tmp_path / "series.csv"
        summary = replay(whole.log, "--resume", state, log_end, target, "--report", path)
        assert f"of {N_EVENTS:,} records" in words_of(path)
        assert f"judged {summary['judged']:,}" in words_of(path)


@pytest.mark.parametrize("limit", [0, 30], ids=["nothing", "refused"])
def test_a_log_that_teaches_nothing_still_has_a_page(limit, tmp_path):
    log, path = write_lines(tmp_path / "log.jsonl", [b"{broken"] * 30), tmp_path / "report.html"
    done = driftline("report", log, "--limit", limit, "--out", path, "--quiet", "--user", "u1")
    assert done.exit_code == 0, done.output
    assert "Nothing was judged" in words_of(path)


def test_planted_changes_stand_beside_the_episodes(tmp_path):
    made = ("--scenario", "unit-change", "--events", 6_000, "--users", 200, "--titles", 200)
    folder = tmp_path / "planted"
    assert driftline("simulate", *made, "--out", folder).exit_code == 0
    log, truth, path = folder / "events.jsonl", folder / "truth.jsonl", tmp_path / "report.html"
    done = driftline("report", log, "--truth", truth, "--out", path, "--quiet")
    assert done.exit_code == 0, done.output
    page, words = path.read_text("utf-8"), words_of(path)
    assert "1 of 1 planted changes found" in words
    assert 'class="planted shade"' in page
    assert 'class="input_fault noticed"' in page
    assert re.search(r"unit, all: [\d,]+ records after it", words)


def test_a_page_that_cannot_be_written_is_refused_before_anything_is_read(whole, tmp_path):
    path = tmp_path / "no" / "report.html"
    sentence = f"{path}: cannot write: no such folder"
    assert refusal("report", whole.log, "--out", path) == sentence
    assert refusal("replay", whole.log, "--report", path) == sentence
    assert "is read" in refusal("report", whole.log, "--out", whole.log)


def test_a_full_disk_leaves_the_other_results(whole, tmp_path):
    series = tmp_path / "series.csv"
    options = ("--quiet", "--json", "--limit", 500, "--series", series)
    result = driftline("replay", whole.log, *options, "--report", "/dev/full")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["records"] == 500
    assert series.read_text().startswith("events,")
    assert "Error: /dev/full: cannot write: No space left on device" in result.stderr


def test_a_disk_that_fills_up_keeps_the_page_that_was_there(whole, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("of yesterday")

    def fill(*_given, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("streams.complete_files.complete_file", fill)
    said = refusal("report", whole.log, "--out", path, "--quiet", "--limit", 100)
    assert said == f"{path}: cannot write: No space left on device"
    assert path.read_text() == "of yesterday"


@pytest.mark.parametrize("n_partitions", [1, 3])
def test_examples_change_nothing_and_are_those_seen_last(whole, n_partitions):
    settings = Settings(replay=ReplaySettings(partitions=n_partitions))
    replayed = run(Plan((str(whole.log),), settings, content=str(whole.content))).replay
    before = [state(pipeline) for pipeline in replayed.pipelines]
    users = latest_users(replayed, 4)
    last = [json.loads(line)["user_id"] for line in reversed(whole.log.read_bytes().splitlines())]
    assert users == list(dict.fromkeys(last))[:4]
    examples = [example_of(replayed, user) for user in (*users, "nobody")]
    assert [state(pipeline) for pipeline in replayed.pipelines] == before
    assert [example.n_watched > 0 for example in examples] == [True] * 4 + [False]
    for example in examples:
        assert len(example.items) == 10
        assert not {item.content_id for item in example.items} & set(example.lately)


def test_what_was_watched_is_named_latest_first(tmp_path):
    seen = ["a", "b", "a", "c", "b"]
    lines = [encode_view(View("u", title, 1e9 + n)) for n, title in enumerate(seen)]
    log = write_lines(tmp_path / "log.jsonl", lines)
    replayed = run(Plan((str(log),), Settings())).replay
    assert example_of(replayed, "u").lately == ["b", "c", "a"]
    assert example_of(replayed, "u").n_watched == 3


def state(pipeline):
    return {name: array.tobytes() for name, array in pipeline.snapshot().items()}
