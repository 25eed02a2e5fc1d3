"""Cached kernels belong to one state of the sources."""

from __future__ import annotations

from pathlib import Path

import numba
import pytest

import models.compiled
from models.compiled import seed, source_digest


def test_the_digest_changes_with_any_source_and_with_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.compiled, "__file__", str(tmp_path / "compiled.py"))
    (tmp_path / "a.py").write_text("one")
    (tmp_path / "b.py").write_text("two")
    first = source_digest()
    (tmp_path / "notes.txt").write_text("three")
    assert source_digest() == first
    (tmp_path / "b.py").write_text("four")
    assert source_digest() != first
    (tmp_path / "b.py").write_text("two")
    assert source_digest() == first


def test_kernels_are_kept_in_the_folder_of_the_digest() -> None:
    assert Path(numba.config.CACHE_DIR).name == source_digest()


def test_kernels_made_at_installation_are_copied_to_the_folder_that_is_given(
    tmp_path: Path,
) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    (installed / "kernel.nbc").write_text("made at installation")
    folder = tmp_path / "given" / "digest"
    seed(folder, installed)
    assert [path.name for path in folder.parent.iterdir()] == ["digest"]
    assert (folder / "kernel.nbc").read_text() == "made at installation"


def test_kernels_that_are_there_stay_and_none_are_needed_at_installation(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    seed(folder, tmp_path / "absent")
    assert not folder.exists()
    folder.mkdir()
    (folder / "kernel.nbc").write_text("made here")
    (tmp_path / "installed").mkdir()
    seed(folder, tmp_path / "installed")
    assert (folder / "kernel.nbc").read_text() == "made here"
