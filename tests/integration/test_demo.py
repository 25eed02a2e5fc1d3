"""The demo where MovieLens cannot be had: it says so, and shows a simulated log instead."""

import json
import re

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.errors import InputError

N_EVENTS = 3_000


@pytest.fixture
def offline(monkeypatch, tmp_path):
    def refuse(*_given, **_named):
        raise InputError("pip has no way out")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("streams.movielens.obtain_movielens", refuse)
    monkeypatch.setattr("streams.cli.demo.SIMULATED_EVENTS", N_EVENTS)
    return tmp_path


def test_without_network_a_simulated_log_is_shown_whole(offline):
    done = CliRunner().invoke(main, ["demo"])
    assert done.exit_code == 0, done.output
    assert "MovieLens-100K cannot be had: pip has no way out" in done.stderr
    assert f"simulated, {N_EVENTS:,} views" in done.stderr
    assert len(re.findall(r"^For user u\d+", done.stdout, flags=re.MULTILINE)) == 5
    assert re.search(r"because you watched|popular now|new in", done.stdout)
    for row in ("driftline ", "popularity ", "random ", "NDCG@10", "Data quality", "peak memory"):
        assert row in done.stdout
    out = offline / "driftline-demo"
    traced = [json.loads(line) for line in (out / "trace.jsonl").read_text().splitlines()]
    assert 0.9 * N_EVENTS < len(traced) <= N_EVENTS
    assert {path.name for path in out.iterdir()} == {
        "trace.jsonl",
        "dead-letters.jsonl",
        "quality.csv",
        "report.html",
        "snapshots",
    }
