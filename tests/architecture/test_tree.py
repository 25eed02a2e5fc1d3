"""The tree in docs/architecture.md names the files that are there, one line a file."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENTRY = re.compile(r"(?P<indent>[\s│├└─|`+-]*)(?P<name>[\w.-]+/?)(?=\s|$)")


def tree_paths(text):
    """Give the paths of every tree in a page: fenced lines ``name  what it is``, by indentation."""
    for block in re.findall(r"^```(?:text)?\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        folders = []
        for line in block.splitlines():
            entry = ENTRY.match(line)
            if entry is None or not _is_path(entry["name"]):
                continue
            column = len(entry["indent"])
            folders = [folder for folder in folders if folder[0] < column]
            yield "".join(name for _, name in folders) + entry["name"]
            if entry["name"].endswith("/"):
                folders.append((column, entry["name"]))


def _is_path(name):
    return name.endswith("/") or Path(name).suffix in {".py", ".md", ".json", ".toml", ".txt"}


@pytest.fixture(scope="module")
def paths():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    return [path.removeprefix("driftline/") for path in tree_paths(text)]


def test_every_name_in_the_tree_is_there(paths):
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_module_is_in_the_tree(paths):
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in ("streams", "models", "monitoring")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert modules - set(paths) == set()


PAGE = """
```
driftline/
├── streams/        wiring
│   ├── cli/        commands
│   │   └── demo.py the demo
│   └── events.py   events
└── README.md       start here
```
"""


def test_a_tree_is_read_by_its_indentation():
    assert list(tree_paths(PAGE)) == [
        "driftline/",
        "driftline/streams/",
        "driftline/streams/cli/",
        "driftline/streams/cli/demo.py",
        "driftline/streams/events.py",
        "driftline/README.md",
    ]
