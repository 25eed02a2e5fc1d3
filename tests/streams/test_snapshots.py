from __future__ import annotations

import json

import numpy as np
import pytest

from streams.errors import SnapshotError
from streams.snapshots import (
    FORMAT_VERSION,
    STATE_FILE,
    Manifest,
    newest_snapshot,
    offsets,
    owner_of,
    place_of,
    prune,
    prune_earlier,
    read_manifest,
    read_snapshot,
    write_snapshot,
)
from streams.stores import MANIFEST_FILE, SnapshotStore
from tests.stores import Kind

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


def write(folder: SnapshotStore, *next_offsets: int) -> None:
    for offset in next_offsets:
        write_snapshot(folder, manifest(offset), ARRAYS)


def newest(folder: SnapshotStore, at_most: int | None = None) -> tuple[int | None, list[str]]:
    found, problems = newest_snapshot(folder, at_most=at_most)
    return (found.manifest.next_offset if found else None), problems


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back_as_it_was(folder: SnapshotStore, name: str) -> None:
    place = write_snapshot(folder, manifest(), {name: ARRAYS[name]})
    found = read_snapshot(place).arrays[name]
    assert found.dtype == ARRAYS[name].dtype
    assert found.shape == ARRAYS[name].shape
    assert found.tobytes() == ARRAYS[name].tobytes()


def test_a_manifest_comes_back_as_it_was_and_with_its_sums(folder: SnapshotStore) -> None:
    found = read_manifest(write_snapshot(folder, manifest(), ARRAYS))
    assert (found.kind, found.next_offset, found.partition) == ("pipeline", 7, 3)
    assert found.settings == SETTINGS
    assert [type(value) for value in found.settings.values()] == [int, float, str, bool]
    assert set(found.files) == {"state.safetensors"}


def test_the_place_is_named_by_the_offset_so_that_names_sort_as_numbers(
    folder: SnapshotStore,
) -> None:
    write(folder, 9, 10, 100)
    assert offsets(folder) == [9, 10, 100]
    assert sorted(folder.files()) == [
        f"{n:020d}/{name}" for n in (9, 10, 100) for name in (MANIFEST_FILE, STATE_FILE)
    ]
    assert owner_of(3) == "partition-0003"


def test_the_newest_at_or_below_an_offset_is_found(folder: SnapshotStore) -> None:
    write(folder, 10, 20, 30)
    for at_most, expected in ((None, 30), (29, 20), (20, 20), (19, 10)):
        assert newest(folder, at_most) == (expected, [])
    assert newest(folder, 9) == (None, [])
    assert newest(folder / "missing") == (None, [])


@pytest.mark.parametrize("name", [MANIFEST_FILE, STATE_FILE])
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[: len(data) // 2], id="truncated"),
        pytest.param(lambda data: data[:-2] + bytes([data[-2] ^ 1]) + data[-1:], id="a bit"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: None, id="missing"),
    ],
)
def test_a_damaged_one_is_named_and_the_one_before_is_used(kind, folder, name, spoil) -> None:  # type: ignore[no-untyped-def]
    write(folder, 10, 20)
    place = folder / place_of(20)
    with place.opened(name) as path:
        kind.put(place, name, spoil(path.read_bytes()))
    found, problems = newest(folder)
    assert found == 10
    assert len(problems) == 1
    assert problems[0].startswith(f"{place}: ")


def test_what_has_no_manifest_is_not_there_and_crowds_nothing_out(
    kind: Kind, folder: SnapshotStore
) -> None:
    write(folder, 10, 20, 30, 40)
    for offset in (20, 30):
        kind.put(folder / place_of(offset), MANIFEST_FILE, None)
    assert offsets(folder) == [10, 40]
    prune_earlier(folder, 40, keep=2)
    assert offsets(folder) == [10, 40]
    prune_earlier(folder, 40, keep=1)
    assert [name.partition("/")[0] for name in folder.files()] == [place_of(40)] * 2


def test_pruning_keeps_the_newest_and_the_ones_just_before_it(folder: SnapshotStore) -> None:
    write(folder, 10, 20, 30, 40, 50)
    prune(folder, 40, keep=2)
    assert offsets(folder) == [30, 40]
    prune(folder / "missing", 40)


def test_pruning_earlier_ones_never_removes_a_later_one(folder: SnapshotStore) -> None:
    write(folder, 10, 20, 30, 40, 50)
    prune_earlier(folder, 30, keep=2)
    assert offsets(folder) == [20, 30, 40, 50]
    prune_earlier(folder / "missing", 40, keep=1)


def test_a_folder_is_not_another_whose_name_it_begins(folder: SnapshotStore) -> None:
    write(folder / "a", 10)
    write(folder / "ab", 20)
    assert (offsets(folder / "a"), offsets(folder / "ab")) == ([10], [20])
    (folder / "a").remove(place_of(10))
    assert (offsets(folder / "a"), offsets(folder / "ab")) == ([], [20])


def test_writing_again_takes_the_place_of_the_same_offset(folder: SnapshotStore) -> None:
    write_snapshot(folder, manifest(), {"a": np.array(1)})
    place = write_snapshot(folder, manifest(), {"a": np.array(2)})
    assert read_snapshot(place).arrays["a"] == 2


@pytest.mark.parametrize("step", ["save_file", "_sha256", "msgspec.json.format"])
def test_a_failure_at_any_step_leaves_the_older_snapshot(
    folder: SnapshotStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write_snapshot(folder, manifest(5), {"a": np.array(1)})

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"streams.snapshots.{step}", refuse)
        with pytest.raises(SnapshotError, match=r"cannot write the snapshot.*No space left"):
            write_snapshot(folder, manifest(6), {"a": np.array(2)})
    assert newest(folder)[0] == 5
    assert offsets(folder) == [5]
    write_snapshot(folder, manifest(6), {"a": np.array(2)})
    assert newest(folder) == (6, [])


def seal(kind: Kind, place: SnapshotStore, **fields: object) -> None:
    """Change fields of a manifest."""
    with place.opened(MANIFEST_FILE) as path:
        sealed = json.loads(path.read_bytes())
    kind.put(place, MANIFEST_FILE, json.dumps({**sealed, **fields}).encode())


def test_state_that_no_manifest_vouches_for_is_refused(kind: Kind, folder: SnapshotStore) -> None:
    place = write_snapshot(folder, manifest(), ARRAYS)
    seal(kind, place, files={})
    with pytest.raises(SnapshotError, match="is damaged"):
        read_snapshot(place)


def test_a_later_version_is_named(kind: Kind, folder: SnapshotStore) -> None:
    place = write_snapshot(folder, manifest(), ARRAYS)
    seal(kind, place, format_version=FORMAT_VERSION + 1)
    told = f"format version {FORMAT_VERSION + 1}, this driftline reads {FORMAT_VERSION}"
    with pytest.raises(SnapshotError, match=told):
        read_manifest(place)


def test_fields_of_a_later_manifest_are_ignored(kind: Kind, folder: SnapshotStore) -> None:
    place = write_snapshot(folder, manifest(), ARRAYS)
    seal(kind, place, colour="blue")
    assert read_manifest(place).next_offset == 7


def test_differing_settings_are_named_with_both_values() -> None:
    other = {**SETTINGS, "engine.k": 5, "engine.new": 1}
    del other["engine.positive"]
    assert manifest().differences(SETTINGS) == ""
    assert manifest().differences(other) == (
        "engine.k was 10 and is 5, engine.positive was 'rating >= 4' and is None,"
        " engine.new was None and is 1"
    )
