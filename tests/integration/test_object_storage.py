"""Every command that reads or writes snapshots does so in object storage too."""

import json

import pytest

from streams.snapshots import offsets, owner_of
from tests.replays import driftline, refusal, replay, result_of, simulated, write_lines

SMALL = ("--set", "engine.n_neighbors=16", "--set", "replay.batch_size=50")


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_lines(tmp_path / "events.jsonl", simulated(600)[0])


def test_a_replay_goes_on_from_s3_and_its_state_is_looked_at_and_handed_over(s3, log):
    url, variables = s3.new_bucket(), s3.variables()

    def run(*arguments):
        result = driftline(*SMALL, *arguments, **variables)
        assert result.exit_code == 0, result.output
        return result

    replayed = ("--quiet", "--json", "--partitions", 2, "--snapshot-to", url)
    run("replay", log, *replayed, "--snapshot-every", 200, "--limit", 450)
    resumed = json.loads(run("replay", log, *replayed, "--resume", url).stdout)
    whole = replay(log, "--partitions", 2, "--k", 10, DRIFTLINE_ENGINE_N_NEIGHBORS="16")
    assert result_of(resumed) == result_of(whole)

    listed = run("snapshot", "list", url).stdout.splitlines()[1:]
    places = [line.split()[0] for line in listed]
    assert places == [
        f"{owner}/{n:020d}"
        for owner in (owner_of(0), owner_of(1), "replay")
        for n in (400, 450, 600)
    ]
    inspected = json.loads(run("snapshot", "inspect", f"{url}/{places[0]}", "--json").stdout)
    assert inspected["problem"] == ""
    assert inspected["counts"]["users"] > 0

    answer = json.loads(run("recommend", "--snapshot", url, "--user", "u1", "--json").stdout)
    assert len(answer["items"]) == 10

    workers = f"{url}-of-workers"
    adopted = run(
        *("snapshot", "adopt", url, "--partition", 1, "--offset", 77),
        *("--to", workers),
    )
    assert adopted.stdout == f"{workers}/{owner_of(1)}/{77:020d}\n"
    assert offsets(s3.store(workers) / owner_of(1)) == [77]


def test_a_store_that_cannot_be_had_is_refused_before_the_log_is_read(s3, log):
    variables = {**s3.variables(), "DRIFTLINE_WORKER_STORE_BUDGET_S": "0.2"}
    replayed = ("replay", log, "--quiet", "--snapshot-to")
    assert "NoSuchBucket" in refusal(*replayed, "s3://nobody-made-this/x", **variables)
    assert "kept in a folder or at" in refusal(*replayed, "ftp://host/x", **variables)
    assert "kept in a folder or at" in refusal("worker", "--snapshot-folder", "ftp://host/x")
    variables["DRIFTLINE_SNAPSHOT_STORE_AWS_ENDPOINT"] = "http://127.0.0.1:9"
    assert "error sending request" in refusal(*replayed, s3.new_bucket(), **variables)
