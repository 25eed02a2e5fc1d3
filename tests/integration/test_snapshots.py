"""Snapshots on disk: their format, damage, full disks, and what they are refused for."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from streams.local_store import LocalStore
from streams.snapshots import offsets
from tests.integration.conftest import Whole
from tests.replays import driftline, read_lines, refusal, replay, result_of, write_lines

STATE, MANIFEST = "state.safetensors", "manifest.json"


def places(saved: Path) -> list[Path]:
    """Return the newest snapshot of every part of a run."""
    return [max(owner.iterdir()) for owner in sorted(saved.iterdir())]


@pytest.fixture(scope="module")
def original(whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a run of 1,200 records every 400."""
    folder = tmp_path_factory.mktemp("original")
    flags = ("--limit", 1200, "--snapshot-to", folder, "--snapshot-every", 400)
    replay(whole.log, "--content", whole.content, *flags, DRIFTLINE_REPLAY_BATCH_SIZE="100")
    return folder


@pytest.fixture
def saved(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "saved")


def test_a_snapshot_is_arrays_and_a_manifest_that_vouches_for_them(saved: Path) -> None:
    for place, kind in zip(places(saved), ("pipeline", "replay"), strict=True):
        assert sorted(file.name for file in place.iterdir()) == [MANIFEST, STATE]
        manifest = json.loads((place / MANIFEST).read_bytes())
        assert manifest["kind"] == kind
        assert (manifest["next_offset"], place.name) == (1200, f"{1200:020d}")
        assert manifest["position"] == {"input": 0, "number": 1201, "is_sorted": False}
        assert manifest.get("format_version", 1) == 1
        digest = hashlib.sha256((place / STATE).read_bytes()).hexdigest()
        assert manifest["files"] == {STATE: digest}
        assert load_file(place / STATE)


def test_snapshots_hold_no_pickle_and_no_import_path(saved: Path) -> None:
    for place in places(saved):
        text = (place / STATE).read_bytes() + (place / MANIFEST).read_bytes()
        for forbidden in (b"models.", b"streams.", b"numpy", b"\x80\x04\x95"):
            assert forbidden not in text


def test_the_three_newest_are_kept_and_nothing_half_made(saved: Path) -> None:
    for owner in saved.iterdir():
        assert sorted(p.name for p in owner.iterdir()) == [f"{n:020d}" for n in (400, 800, 1200)]


def test_a_new_run_takes_the_place_of_one_that_went_further(saved: Path, whole: Whole) -> None:
    replay(whole.log, "--limit", 300, "--snapshot-to", saved)
    assert {tuple(offsets(LocalStore(owner))) for owner in saved.iterdir()} == {(300,)}
    summary = replay(whole.log, "--resume", saved)
    assert result_of(summary) == result_of(replay(whole.log))


def damage(place: Path, how: str) -> None:
    state, manifest = place / STATE, place / MANIFEST
    if how == "a flipped bit":
        content = bytearray(state.read_bytes())
        content[-1] ^= 1
        state.write_bytes(content)
    elif how == "cut short":
        state.write_bytes(state.read_bytes()[:-100])
    elif how == "no state":
        state.unlink()
    elif how == "no manifest":
        manifest.unlink()
    elif how == "a malformed manifest":
        manifest.write_text("{")
    elif how == "a later version":
        sealed = json.loads(manifest.read_bytes())
        manifest.write_text(json.dumps({**sealed, "format_version": 99}))
    else:
        shutil.rmtree(place)


DAMAGES = [
    "a flipped bit",
    "cut short",
    "no state",
    "no manifest",
    "a malformed manifest",
    "a later version",
]


@pytest.mark.parametrize("owner", [0, 1], ids=["of a partition", "of the run"])
@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_snapshot_falls_back_to_the_one_before(
    saved: Path, whole: Whole, how: str, owner: int
) -> None:
    damaged = places(saved)[owner]
    damage(damaged, how)
    trace = saved.parent / "trace"
    result = driftline(
        "replay", whole.log, "--quiet", "--json", "--resume", saved, "--trace", trace
    )
    assert result.exit_code == 0
    assert result.stderr.count(f"passed over: {damaged}") == 1
    assert result.stderr.endswith("resumed after record 800\n")
    assert result_of(json.loads(result.stdout)) == result_of(whole.summary)
    assert read_lines(trace) == whole.trace[800:]


def test_a_snapshot_that_one_part_lacks_is_passed_over(saved: Path, whole: Whole) -> None:
    shutil.rmtree(places(saved)[1])
    result = driftline("replay", whole.log, "--quiet", "--json", "--resume", saved)
    assert "resumed after record 800" in result.stderr
    assert result_of(json.loads(result.stdout)) == result_of(whole.summary)


def test_nothing_valid_is_an_error_that_names_every_problem(saved: Path, whole: Whole) -> None:
    for owner in saved.iterdir():
        for place in owner.iterdir():
            damage(place, "a flipped bit")
    said = refusal("replay", "--quiet", whole.log, "--resume", saved)
    assert said.startswith(f"{saved}: cannot resume: ")
    assert said.count("is damaged (sha256 differs)") == len(set(said.split("; ")))


def test_other_settings_are_refused_by_name(saved: Path, whole: Whole) -> None:
    said = refusal("replay", "--quiet", whole.log, "--resume", saved, "--k", 5, "--rating-max", 9)
    assert said == (
        f"{saved}: made under other settings:"
        " quality.rating_max was 10.0 and is 9.0, engine.k was 10 and is 5"
    )


def test_a_sorted_run_is_resumed_in_the_same_order_only(tmp_path: Path, whole: Whole) -> None:
    for made, resumed in (((), ("--sort",)), (("--sort",), ())):
        saved = tmp_path / f"saved{len(made)}"
        replay(whole.log, *made, "--limit", 50, "--snapshot-to", saved)
        said = refusal("replay", "--quiet", whole.log, *resumed, "--resume", saved)
        how = "with" if made else "without"
        assert said == f"{saved}: made {how} --sort; resume {how} it"


def test_a_shorter_log_is_refused(saved: Path, whole: Whole, tmp_path: Path) -> None:
    lines = whole.log.read_bytes().splitlines()
    log = write_lines(tmp_path / "short.jsonl", lines[:1000])
    said = refusal("replay", "--quiet", log, "--resume", saved)
    assert said == f"{log}: cannot resume at record 1201, it ends at 1000"


def test_a_folder_without_snapshots_is_refused(tmp_path: Path, whole: Whole) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        said = refusal("replay", "--quiet", whole.log, "--resume", folder)
        assert said.startswith(f"{folder}: cannot resume: no snapshot")
    said = refusal("replay", "--quiet", whole.log, "--resume", whole.log)
    assert said.startswith(f"{whole.log}/replay: cannot list it: ")


def test_a_run_into_the_folder_it_resumes_from_goes_on_there(saved: Path, whole: Whole) -> None:
    summary = replay(whole.log, "--resume", saved, "--snapshot-to", saved)
    assert result_of(summary) == result_of(whole.summary)
    assert {offsets(LocalStore(owner))[-1] for owner in saved.iterdir()} == {3000}


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """Let the disk be full, for root too: the system refuses to make a file longer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said_and_leaves_older_snapshots(saved: Path, whole: Whole) -> None:
    with files_of_at_most(10_000):
        said = refusal("replay", "--quiet", whole.log, "--resume", saved, "--snapshot-to", saved)
    assert said.startswith(f"{saved}/partition-0000/{3000:020d}: cannot write the snapshot: ")
    for owner in saved.iterdir():
        assert offsets(LocalStore(owner)) == [400, 800, 1200]
        assert not list(owner.glob(".new-*"))
    assert result_of(replay(whole.log, "--resume", saved)) == result_of(whole.summary)


def test_a_file_where_the_folder_should_be_is_refused_at_once(tmp_path: Path, whole: Whole) -> None:
    trace = tmp_path / "trace"
    said = refusal(
        "replay", "--quiet", whole.log, "--snapshot-to", whole.log / "x", "--trace", trace
    )
    assert said == f"{whole.log}/x: cannot make: Not a directory"
    assert not trace.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said_and_left_alone(saved: Path, whole: Whole) -> None:
    for owner in saved.iterdir():
        owner.chmod(0o500)
    try:
        said = refusal("replay", "--quiet", whole.log, "--resume", saved, "--snapshot-to", saved)
    finally:
        for owner in saved.iterdir():
            owner.chmod(0o700)
    assert "cannot write the snapshot" in said
    assert result_of(replay(whole.log, "--resume", saved)) == result_of(whole.summary)


def test_a_rest_of_an_interrupted_write_is_removed(saved: Path, whole: Whole) -> None:
    rest = saved / "replay" / f".new-{900:020d}"
    rest.mkdir()
    (rest / STATE).write_bytes(b"half")
    replay(whole.log, "--resume", saved, "--snapshot-to", saved)
    assert not rest.exists()


def test_snapshots_at_intervals_need_a_folder(whole: Whole) -> None:
    said = refusal("replay", "--quiet", whole.log, "--snapshot-every", 100)
    assert said == "--snapshot-every needs --snapshot-to"
