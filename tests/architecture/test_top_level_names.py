"""The promise of docs/adr/0001-top-level-names.md."""

import sys
from importlib.metadata import Distribution, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("streams", "models", "monitoring")


def foreign_owners(owners):
    """Give the distributions other than ours that bring one of our names."""
    return {name: set(owners.get(name, ())) - {"driftline"} for name in OURS}


def test_no_foreign_distribution_brings_our_names():
    assert foreign_owners(packages_distributions()) == {name: set() for name in OURS}


def test_a_foreign_distribution_would_be_found(tmp_path, monkeypatch):
    info = tmp_path / "foreign-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1\n")
    (info / "RECORD").write_text("monitoring/__init__.py,,\nforeign-1.dist-info/METADATA,,\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert "foreign" in {found.name for found in Distribution.discover()}
    assert foreign_owners(packages_distributions())["monitoring"] == {"foreign"}


@pytest.mark.parametrize("name", OURS)
def test_our_names_are_the_ones_of_this_checkout(name):
    module = __import__(name)
    assert Path(module.__file__).parent == ROOT / name


def test_no_file_is_named_like_a_standard_module():
    files = [path for name in OURS for path in (ROOT / name).rglob("*.py")]
    clashes = [str(path) for path in files if path.stem in sys.stdlib_module_names]
    assert clashes == []
