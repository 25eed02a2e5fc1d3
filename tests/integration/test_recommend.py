"""``driftline recommend``: one user's list from a snapshot."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from streams.local_store import LocalStore
from streams.snapshots import offsets
from tests.integration.conftest import Whole
from tests.replays import driftline, read_lines, refusal, replay


@pytest.fixture(scope="module")
def saved(whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    replay(whole.log, "--content", whole.content, "--snapshot-to", folder)
    return folder


def answer(saved: Path, user: str, *flags: object) -> dict[str, Any]:
    result = driftline("recommend", "--snapshot", saved, "--user", user, "--json", *flags)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_list_is_the_one_that_was_emitted_after_the_last_event(
    saved: Path, whole: Whole
) -> None:
    last = whole.output[-1]
    found = answer(saved, last["user_id"])
    assert found["items"] == last["items"]
    assert found["is_known"]
    assert found["event_time"] == last["event_time"]


def test_titles_have_names(saved: Path, whole: Whole) -> None:
    names = {title["content_id"]: title["title"] for title in read_lines(whole.content)}
    found = answer(saved, whole.output[-1]["user_id"])
    assert found["titles"] == [names[item["content_id"]] for item in found["items"]]


def test_an_unknown_user_gets_the_popular_list(saved: Path) -> None:
    found = answer(saved, "nobody we know")
    assert not found["is_known"]
    assert len(found["items"]) == 10
    assert {item["reason"]["kind"] for item in found["items"]} == {"popular_now"}
    assert found["items"] == answer(saved, "somebody else")["items"]


def test_an_explanation_adds_up_to_the_score(saved: Path, whole: Whole) -> None:
    found = answer(saved, whole.output[-1]["user_id"], "--explain")
    for item in found["items"]:
        parts = list(found["contributions"][item["content_id"]].values())
        assert sum(parts) + found["base_score"] == pytest.approx(item["score"], abs=1e-4)
        assert [abs(part) for part in parts] == sorted(map(abs, parts), reverse=True)


def test_an_explanation_does_not_change_the_list(saved: Path, whole: Whole) -> None:
    user = whole.output[-1]["user_id"]
    assert answer(saved, user, "--explain")["items"] == answer(saved, user)["items"]
    assert answer(saved, user)["contributions"] == {}


def test_answering_changes_nothing_on_disk(saved: Path, whole: Whole) -> None:
    before = {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()}
    answer(saved, whole.output[-1]["user_id"], "--explain")
    answer(saved, "nobody we know")
    assert {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()} == before


def test_people_see_a_table_of_titles_and_reasons(saved: Path, whole: Whole) -> None:
    user = whole.output[-1]["user_id"]
    result = driftline("recommend", "--snapshot", saved, "--user", user, "--explain")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"For user {user}")
    assert "because you watched" in result.stdout
    assert len(re.findall(r"^.+: score -?\d+\.\d{3}$", result.stdout, re.MULTILINE)) == 10
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_settings_are_those_of_the_snapshot(tmp_path: Path, whole: Whole) -> None:
    saved = tmp_path / "saved"
    flags = ("--k", 4, "--positive", "rating >= 7", "--protocol", "served")
    replay(whole.log, *flags, "--limit", 500, "--snapshot-to", saved)
    assert len(answer(saved, "nobody we know")["items"]) == 4
    assert len(answer(saved, whole.output[0]["user_id"])["items"]) == 4


def test_a_later_time_may_be_given(saved: Path, whole: Whole) -> None:
    user = whole.output[-1]["user_id"]
    found = answer(saved, user, "--time", "+30d")
    assert found["event_time"] == whole.output[-1]["event_time"] + 30 * 86_400
    assert answer(saved, user, "--time", "2022-03-01")["event_time"] == 1_646_092_800.0
    said = refusal("recommend", "--snapshot", saved, "--user", user, "--time", "soon")
    assert said.startswith("'soon' is no time")


def test_a_folder_without_snapshots_is_refused(tmp_path: Path, whole: Whole) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        said = refusal("recommend", "--snapshot", folder, "--user", "u1")
        assert said == f"{folder}: no snapshots; make some with replay --snapshot-to"
    said = refusal("recommend", "--snapshot", whole.log, "--user", "u1")
    assert said.startswith(f"{whole.log}: cannot list it: ")


def test_a_damaged_snapshot_is_passed_over_or_refused(tmp_path: Path, whole: Whole) -> None:
    saved = tmp_path / "saved"
    flags = ("--limit", 600, "--snapshot-to", saved, "--snapshot-every", 300)
    replay(whole.log, *flags, DRIFTLINE_REPLAY_BATCH_SIZE="100")
    owner = saved / "partition-0000"
    for n_damaged, offset in enumerate(reversed(offsets(LocalStore(owner))), start=1):
        (owner / f"{offset:020d}" / "state.safetensors").write_bytes(b"nothing")
        if n_damaged == 1:
            [note] = answer(saved, "u1")["notes"]
            assert note.startswith(f"passed over: {owner}/{600:020d}: ")
    said = refusal("recommend", "--snapshot", saved, "--user", "u1")
    assert said.startswith(f"{saved}: no valid snapshot: ")


def test_a_user_and_a_folder_are_needed() -> None:
    for flags in (("--user", "1"), ("--snapshot", "x")):
        result = driftline("recommend", *flags)
        assert result.exit_code == 2
        assert "Missing option" in result.stderr
