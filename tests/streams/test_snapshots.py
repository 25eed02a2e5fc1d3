from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from streams import snapshots
from streams.errors import SnapshotError
from streams.snapshots import (
    Manifest,
    newest_snapshot,
    offsets,
    owner_of,
    prune,
    read_manifest,
    read_snapshot,
    write_snapshot,
)

ARRAYS = {
    "scalar": np.array(3),
    "empty": np.zeros((0, 4), np.float32),
    "matrix": np.arange(6, dtype=np.int32).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(10, dtype=np.uint8)[::2],
    "flags": np.array([True, False]),
    "limits": np.array([np.nan, -np.inf, -0.0]),
}
SETTINGS: dict[str, bool | int | float | str] = {
    "engine.k": 10,
    "engine.learning_rate": 1.0,
    "engine.positive": "rating >= 4",
    "engine.weigh_by_strength": False,
}


def manifest(next_offset: int = 7) -> Manifest:
    return Manifest("pipeline", next_offset, "f00d", settings=SETTINGS, partition=3)


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    place = write_snapshot(tmp_path, manifest(), {name: ARRAYS[name]})
    found = read_snapshot(place).arrays[name]
    assert found.dtype == ARRAYS[name].dtype
    assert found.shape == ARRAYS[name].shape
    assert found.tobytes() == ARRAYS[name].tobytes()


def test_a_manifest_comes_back_as_it_was_and_with_its_sums(tmp_path: Path) -> None:
    found = read_manifest(write_snapshot(tmp_path, manifest(), ARRAYS))
    assert (found.kind, found.next_offset, found.partition) == ("pipeline", 7, 3)
    assert found.settings == SETTINGS
    assert [type(value) for value in found.settings.values()] == [int, float, str, bool]
    assert set(found.files) == {"state.safetensors"}


def test_the_place_is_named_by_the_offset_so_that_names_sort_as_numbers(tmp_path: Path) -> None:
    for offset in (9, 10, 100):
        write_snapshot(tmp_path, manifest(offset), ARRAYS)
    assert offsets(tmp_path) == [9, 10, 100]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{n:020d}" for n in (9, 10, 100)]
    assert owner_of(3) == "partition-0003"


def test_the_newest_at_or_below_an_offset_is_found(tmp_path: Path) -> None:
    for offset in (10, 20, 30):
        write_snapshot(tmp_path, manifest(offset), ARRAYS)
    for at_most, expected in ((None, 30), (29, 20), (20, 20), (19, 10)):
        found, problems = newest_snapshot(tmp_path, at_most=at_most)
        assert found is not None
        assert (found.manifest.next_offset, problems) == (expected, [])
    assert newest_snapshot(tmp_path, at_most=9) == (None, [])
    assert newest_snapshot(tmp_path / "missing") == (None, [])


def test_pruning_keeps_the_newest_and_the_ones_just_before_it(tmp_path: Path) -> None:
    for offset in (10, 20, 30, 40, 50):
        write_snapshot(tmp_path, manifest(offset), ARRAYS)
    prune(tmp_path, 40, keep=2)
    assert offsets(tmp_path) == [30, 40]
    prune(tmp_path / "missing", 40)


def test_writing_again_takes_the_place_of_the_same_offset(tmp_path: Path) -> None:
    write_snapshot(tmp_path, manifest(), {"a": np.array(1)})
    place = write_snapshot(tmp_path, manifest(), {"a": np.array(2)})
    assert read_snapshot(place).arrays["a"] == 2


@pytest.mark.parametrize("step", ["save_file", "_sha256", "_sync", "shutil.rmtree"])
def test_a_failure_at_any_step_leaves_the_older_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write_snapshot(tmp_path, manifest(5), {"a": np.array(1)})
    (tmp_path / ".new-rest").mkdir()

    def refuse(*_: object, **named: object) -> None:
        if not named:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"streams.snapshots.{step}", refuse)
        with pytest.raises(SnapshotError, match=r"cannot write the snapshot.*No space left"):
            write_snapshot(tmp_path, manifest(6), {"a": np.array(2)})
    found, problems = newest_snapshot(tmp_path)
    assert found is not None
    assert (found.manifest.next_offset, problems) == (5, [])
    write_snapshot(tmp_path, manifest(6), {"a": np.array(2)})
    assert offsets(tmp_path) == [5, 6]
    assert not list(tmp_path.glob(".new-*"))


def test_every_file_and_its_folder_is_synced_before_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []

    def note(path: Path) -> None:
        synced.append((path.name, (tmp_path / f"{7:020d}").exists()))

    monkeypatch.setattr(snapshots, "_sync", note)
    write_snapshot(tmp_path, manifest(), ARRAYS)
    assert synced == [
        ("state.safetensors", False),
        ("manifest.json", False),
        (f".new-{7:020d}", False),
        (tmp_path.name, True),
    ]


def test_state_that_no_manifest_vouches_for_is_refused(tmp_path: Path) -> None:
    place = write_snapshot(tmp_path, manifest(), ARRAYS)
    sealed = json.loads((place / "manifest.json").read_bytes())
    (place / "manifest.json").write_text(json.dumps({**sealed, "files": {}}))
    with pytest.raises(SnapshotError, match="is damaged"):
        read_snapshot(place)


def test_a_later_version_is_named(tmp_path: Path) -> None:
    place = write_snapshot(tmp_path, manifest(), ARRAYS)
    sealed = json.loads((place / "manifest.json").read_bytes())
    (place / "manifest.json").write_text(json.dumps({**sealed, "format_version": 2}))
    with pytest.raises(SnapshotError, match="format version 2, this driftline reads 1"):
        read_manifest(place)


def test_fields_of_a_later_manifest_are_ignored(tmp_path: Path) -> None:
    place = write_snapshot(tmp_path, manifest(), ARRAYS)
    sealed = json.loads((place / "manifest.json").read_bytes())
    (place / "manifest.json").write_text(json.dumps({**sealed, "colour": "blue"}))
    assert read_manifest(place).next_offset == 7


def test_differing_settings_are_named_with_both_values() -> None:
    other = {**SETTINGS, "engine.k": 5, "engine.new": 1}
    del other["engine.positive"]
    assert manifest().differences(SETTINGS) == ""
    assert manifest().differences(other) == (
        "engine.k was 10 and is 5, engine.positive was 'rating >= 4' and is None,"
        " engine.new was None and is 1"
    )
