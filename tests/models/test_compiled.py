"""Cached kernels belong to one state of the sources."""

from __future__ import annotations

import ast
from pathlib import Path

import numba
import pytest

import models.compiled
from models.compiled import kernel_sources, seed, source_digest

KERNEL = "from models.compiled import compiled\nfrom models.b import X\n\n\n@compiled\ndef f(): ..."


def test_the_digest_changes_with_kernels_and_what_they_import_and_with_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.compiled, "__file__", str(tmp_path / "compiled.py"))
    texts = {"compiled": "", "a": KERNEL, "b": "from models import c\n", "c": "X = 1", "d": "Y"}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    first = source_digest()
    (tmp_path / "notes.txt").write_text("a kernel's notes")
    (tmp_path / "d.py").write_text("from models.a import f\n")
    assert source_digest() == first
    for name in ("compiled", "a", "b", "c"):
        (tmp_path / f"{name}.py").write_text(f"{texts[name]}\nY = 2")
        assert source_digest() != first
        (tmp_path / f"{name}.py").write_text(texts[name])
        assert source_digest() == first
    (tmp_path / "d.py").write_text(KERNEL)
    assert source_digest() != first


def test_every_kernel_is_found_with_all_that_it_is_made_of() -> None:
    """By their syntax trees, so that an import in another form would be missed by name."""
    folder = Path(models.compiled.__file__).parent
    found = kernel_sources(folder)
    trees = {file.stem: ast.parse(file.read_text(encoding="utf-8")) for file in folder.glob("*.py")}
    names = {file.stem for file in found}
    for name, tree in trees.items():
        decorators = {
            node.id
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for decorator in function.decorator_list
            for node in ast.walk(decorator)
            if isinstance(node, ast.Name)
        }
        assert name in names or not decorators & {"compiled", "uncounted"}
        if name in names:
            assert _imported(tree) <= names
    assert {"kernel", "quality_watch", "quality_state", "compiled"} <= names
    assert not {"engine", "episodes", "alarms"} & names


def test_what_counts_no_references_returns_no_arrays() -> None:
    """An array that such a kernel returned could be freed while it is in use."""
    returned = {
        f"{file.stem}.{function.name}": ast.unparse(function.returns or ast.Constant("nothing"))
        for file in kernel_sources(Path(models.compiled.__file__).parent)
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        and any(ast.unparse(decorator) == "uncounted" for decorator in function.decorator_list)
    }
    assert "quality_watch.watch_quality" in returned
    assert set(returned.values()) <= {"None", "int", "float", "bool"}


def _imported(tree: ast.Module) -> set[str]:
    """Return the modules of the package that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("models")}
        elif isinstance(node, ast.ImportFrom) and node.module == "models":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("models."):
            found.add((node.module or "").removeprefix("models."))
    return found


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
