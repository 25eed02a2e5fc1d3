from pathlib import Path

import numpy as np
import pytest

from streams import local_store
from streams.errors import SnapshotError, StoreError
from streams.local_store import LocalStore
from streams.snapshots import Manifest, newest_snapshot, offsets, write_snapshot

ARRAYS = {"a": np.array(1)}


def manifest(next_offset):
    return Manifest("pipeline", next_offset, "f00d")


@pytest.mark.parametrize("step", ["_sync", "shutil.rmtree", "Path.rename"])
def test_a_failure_at_any_step_leaves_the_older_snapshot(tmp_path, monkeypatch, step):
    folder = LocalStore(tmp_path)
    write_snapshot(folder, manifest(5), ARRAYS)
    (tmp_path / ".new-rest").mkdir()

    def refuse(*_, **named):
        if not named:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"streams.local_store.{step}", refuse)
        with pytest.raises(SnapshotError, match=r"cannot write the snapshot.*No space left"):
            write_snapshot(folder, manifest(6), ARRAYS)
    assert offsets(folder) == [5]
    write_snapshot(folder, manifest(6), ARRAYS)
    assert offsets(folder) == [5, 6]
    assert not list(tmp_path.glob(".new-*"))


def test_every_file_and_its_folder_is_synced_before_the_rename(tmp_path, monkeypatch):
    synced = []

    def note(path):
        synced.append((path.name, (tmp_path / f"{7:020d}").exists()))

    monkeypatch.setattr(local_store, "_sync", note)
    write_snapshot(LocalStore(tmp_path), manifest(7), ARRAYS)
    assert synced == [
        ("state.safetensors", False),
        ("manifest.json", False),
        (f".new-{7:020d}", False),
        (tmp_path.name, True),
    ]


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(StoreError, match=r"file: cannot list it: .*Not a directory"):
        newest_snapshot(LocalStore(path))


def test_a_place_that_cannot_be_removed_is_said(tmp_path, monkeypatch):
    folder = LocalStore(tmp_path)
    write_snapshot(folder, manifest(5), ARRAYS)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(local_store.shutil, "rmtree", refuse)
    with pytest.raises(StoreError, match=f"{5:020d}: cannot be removed: .*Permission denied"):
        folder.remove(f"{5:020d}")
    assert offsets(folder) == []  # half of it is none


def test_its_text_is_its_path():
    assert str(LocalStore(Path("some")) / "where") == "some/where"
