import json

import pytest

from streams.errors import SnapshotError
from streams.inspecting import inspect, listed
from streams.local_store import LocalStore
from streams.pipeline import Pipeline
from streams.settings import EngineSettings, Settings
from streams.snapshots import STATE_FILE, newest_snapshot, owner_of
from tests.replays import driftline, refusal, simulated, write_lines

SMALL = ("--set", "engine.n_neighbors=16", "--set", "replay.batch_size=50")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give the snapshots of a replay, one of them damaged, one without a manifest."""
    folder = tmp_path_factory.mktemp("inspecting")
    events, titles = simulated(300)
    log = write_lines(folder / "events.jsonl", events)
    content = write_lines(folder / "content.jsonl", titles)
    made = folder / "made"
    result = driftline(
        *(*SMALL, "replay", log, "--content", content, "--quiet"),
        *("--snapshot-to", made, "--snapshot-every", 100),
    )
    assert result.exit_code == 0, result.output
    oldest, middle, _ = sorted((made / owner_of(0)).iterdir())
    (oldest / STATE_FILE).write_bytes((oldest / STATE_FILE).read_bytes()[:-1] + b"?")
    (middle / "manifest.json").unlink()
    return made


@pytest.fixture
def places(made):
    return sorted((made / owner_of(0)).iterdir())


def test_the_counts_are_those_of_the_state(made, places):
    found = inspect(LocalStore(places[-1]))
    assert found.problem == ""
    pipeline = Pipeline(Settings(engine=EngineSettings(n_neighbors=16)))
    pipeline.restore(newest_snapshot(LocalStore(made / owner_of(0)))[0].arrays)
    assert found.counts == {
        "events learned": pipeline.counts["accepted"],
        "users": len(pipeline.engine.users),
        "titles": len(pipeline.engine.titles),
        "titles with metadata": len(pipeline.catalogue),
    }
    assert found.counts["users"] > 0
    assert found.n_bytes > (places[-1] / STATE_FILE).stat().st_size


def test_a_damaged_one_says_so_and_keeps_its_manifest(places):
    found = inspect(LocalStore(places[0]))
    assert "is damaged (sha256 differs)" in found.problem
    assert found.manifest.next_offset == 100
    assert found.counts == {}


def test_the_numbers_of_a_replay_have_no_counts(made):
    (*_, place) = sorted((made / "replay").iterdir())
    assert (inspect(LocalStore(place)).problem, inspect(LocalStore(place)).counts) == ("", {})


def test_a_place_without_a_manifest_is_refused(places):
    with pytest.raises(SnapshotError, match=r"manifest\.json"):
        inspect(LocalStore(places[1]))


def test_all_are_listed_by_owner_and_offset_those_without_a_manifest_too(made):
    found = list(listed(LocalStore(made)))
    names = [entry.place for entry in found]
    assert names == [
        f"{owner}/{n:020d}" for owner in (owner_of(0), "replay") for n in (100, 200, 300)
    ]
    assert [entry.manifest is None for entry in found] == [False, True, False, False, False, False]
    assert "manifest.json" in found[1].problem


def test_list_is_a_table(made):
    result = driftline("snapshot", "list", made)
    assert result.exit_code == 0
    head, first, *rest = result.stdout.splitlines()
    assert head.split()[:3] == ["place", "topic", "next"]
    assert first.startswith(f"{owner_of(0)}/{100:020d}  a log  100 ")
    assert len(rest) == 5


def test_inspect_exits_with_1_when_a_restore_would_pass_it_over(places):
    whole, damaged = (
        driftline("snapshot", "inspect", places[2]),
        driftline("snapshot", "inspect", places[0]),
    )
    assert (whole.exit_code, damaged.exit_code) == (0, 1)
    assert whole.stdout.splitlines()[0].split() == ["state", "whole"]
    assert "is damaged" in damaged.stdout.splitlines()[0]


def test_inspect_gives_json(places):
    found = json.loads(driftline("snapshot", "inspect", places[2], "--json").stdout)
    assert found["place"] == str(places[2])
    assert found["counts"]["users"] > 0


def test_what_is_not_there_is_refused(tmp_path):
    assert "manifest.json" in refusal("snapshot", "inspect", tmp_path)
    assert driftline("snapshot", "list", tmp_path / "x").stdout == f"no snapshots in {tmp_path}/x\n"
