from __future__ import annotations

from pathlib import Path

import pytest

from streams.answers import answer
from streams.errors import SettingsError, SnapshotError
from streams.local_store import LocalStore
from streams.logs import read_log
from streams.pipeline import Wanted
from streams.replay import Replay
from streams.settings import EngineSettings, ReplaySettings, Settings
from streams.snapshots import newest_snapshot, owner_of, write_snapshot
from tests.replays import simulated, write_lines


def saved_by(folder: Path, settings: Settings) -> LocalStore:
    replay = Replay(settings, Wanted())
    for batch in read_log([str(write_lines(folder / "log.jsonl", simulated()[0][:500]))]):
        replay.process(batch)
    saved = LocalStore(folder / "saved")
    replay.write_snapshots(saved)
    return saved


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    return saved_by(tmp_path_factory.mktemp("answers"), Settings())


def test_a_known_user_has_a_list_of_their_own(saved: LocalStore) -> None:
    known, unknown = answer(saved, "u1"), answer(saved, "nobody")
    assert (known.is_known, unknown.is_known) == (True, False)
    assert known.items != unknown.items
    assert len(known.items) == len(unknown.items) == 10


def test_contributions_are_given_only_when_asked_for(saved: LocalStore) -> None:
    assert answer(saved, "u1").contributions == {}
    explained = answer(saved, "u1", is_explained=True)
    assert list(explained.contributions) == [item.content_id for item in explained.items]
    for item in explained.items:
        total = sum(explained.contributions[item.content_id].values())
        assert total == pytest.approx(item.score - explained.base_score, abs=1e-4)


def test_the_settings_are_those_of_the_snapshot(tmp_path: Path) -> None:
    engine = EngineSettings(k=3, n_neighbors=8, max_users=50, max_titles=60, protocol="served")
    settings = Settings(engine=engine, replay=ReplaySettings(partitions=2))
    assert len(answer(saved_by(tmp_path, settings), "u1").items) == 3


def test_the_time_is_that_of_the_latest_event_unless_given(saved: LocalStore) -> None:
    now = answer(saved, "u1").event_time
    assert answer(saved, "u1", at="+12h").event_time == now + 43_200
    assert answer(saved, "u1", at="2023-01-01").event_time == 1_672_531_200.0
    with pytest.raises(SettingsError, match="is no time"):
        answer(saved, "u1", at="later")


def test_without_snapshots_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="no snapshots; make some with replay --snapshot-to"):
        answer(LocalStore(tmp_path), "u1")


def test_a_snapshot_without_an_array_of_this_version_is_refused(tmp_path: Path) -> None:
    saved = saved_by(tmp_path, Settings())
    snapshot, _ = newest_snapshot(saved / owner_of(0))
    assert snapshot is not None
    older = {name: array for name, array in snapshot.arrays.items() if name != "undecoded"}
    write_snapshot(saved / owner_of(0), snapshot.manifest, older)
    with pytest.raises(SnapshotError, match=r"saved: 500: its arrays are not those of this"):
        answer(saved, "u1")
