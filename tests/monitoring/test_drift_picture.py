"""The picture says what it is given, without overlap, and is the same bytes every time."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.drift_picture import (
    MOST_NAMED,
    Bar,
    Curve,
    Picture,
    laid_out,
    write_picture,
)

AT = np.arange(500.0, 50_000.0, 1_000.0)
CURVES = [
    Curve("adapting", AT, np.full(50, 0.3), np.full(50, 0.1)),
    Curve("not adapting", AT, np.full(50, 0.2), np.full(50, np.nan)),
]
PLANTED = [Bar("taste, genre:Horror", 20_000.0, math.inf), Bar("unit, all", 30_000.0, 33_000.0)]
EPISODES = [
    Bar("genre:Horror", 20_010.0, 27_000.0, 20_090.0, "concept"),
    Bar("view_time, all", 30_000.0, math.inf, 30_200.0, "input_fault"),
    Bar("genre_mix, all", 5_000.0, 9_000.0, 5_400.0, "data"),
]
PICTURE = Picture(CURVES, PLANTED, EPISODES, k=10, is_time=False, title="a title")


def texts(path: Path) -> set[str]:
    """Give what an SVG says; matplotlib draws letters and leaves the words as comments."""
    return set(re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8")))


def test_it_names_curves_truth_episodes_and_axes(tmp_path: Path) -> None:
    path = tmp_path / "picture.svg"
    write_picture(PICTURE, path)
    said = texts(path)
    for words in (
        *("adapting", "not adapting", "popularity", "planted change", "recall@10", "a title"),
        *("taste, genre:Horror", "unit, all", "genre:Horror", "view_time, all", "genre_mix, all"),
        *("lists became worse", "input fault", "inputs changed", "accepted events"),
        *("planted", "episodes", "40,000"),
    ):
        assert words in said


@pytest.mark.parametrize("name", ["picture.png", "picture.SVG"])
@pytest.mark.parametrize("size", [(10, 4), (5, 2)])
def test_the_same_picture_is_the_same_bytes(
    tmp_path: Path, name: str, size: tuple[float, float]
) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        write_picture(PICTURE, tmp_path / folder / name, size)
    one, other = ((tmp_path / folder / name).read_bytes() for folder in ("one", "other"))
    assert one == other
    assert one.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")


def test_times_are_dates(tmp_path: Path) -> None:
    at = 1_641_031_200.0 + AT * 20
    path = tmp_path / "picture.svg"
    bar = Bar("all", at[10], at[20], at[12], "concept")
    write_picture(Picture([CURVES[0]._replace(at=at)], [], [bar]), path)
    assert "2022-Jan" in texts(path)
    assert "accepted events" not in texts(path)


@pytest.mark.parametrize(
    "picture",
    [
        Picture([], [], []),
        Picture([], PLANTED, []),
        Picture([], [], EPISODES[:1]),
        Picture(CURVES[:1], [], []),
        Picture([], [], [Bar("all", 7.0, math.inf, 7.0, "data")], is_time=False),
    ],
    ids=["nothing", "truth", "episodes", "curve", "one moment"],
)
def test_what_is_missing_is_left_out(tmp_path: Path, picture: Picture) -> None:
    write_picture(picture, tmp_path / "picture.png", (4, 2))
    assert (tmp_path / "picture.png").stat().st_size > 1_000


def test_names_of_strangers_are_no_markup(tmp_path: Path) -> None:
    path = tmp_path / "picture.svg"
    bars = [Bar("genre:$\\frac{$\x1b[2J<b>", 5.0, 9.0, 6.0, "data")]
    write_picture(Picture([], [], bars, is_time=False), path)
    assert b"\x1b" not in path.read_bytes()


bars = st.lists(
    st.tuples(st.integers(0, 990), st.integers(0, 200), st.integers(0, 50), st.integers(1, 60)),
    max_size=40,
)


@given(bars)
def test_neither_bars_nor_names_overlap_in_a_row(given: list[tuple[int, int, int, int]]) -> None:
    limits, inch = (0.0, 1_000.0), 100.0
    made = [Bar("n" * n, b, b + w, b + d, "data") for b, w, d, n in given]
    rows = laid_out(made, limits, inch)
    assert sorted(p.bar for row in rows for p in row) == sorted(made)
    is_named = all(p.text for row in rows for p in row)
    assert len(rows) <= MOST_NAMED
    if not is_named:
        return
    for row in rows:
        spans = []
        for placed in row:
            width = len(placed.text) * 0.061 * inch
            assert placed.text_at >= limits[0]
            spans.append(
                (
                    min(placed.bar.begin, placed.text_at),
                    max(min(placed.bar.end, limits[1]), placed.text_at + width),
                )
            )
        assert all(one[1] <= other[0] + 1e-9 for one, other in pairwise(spans))


def test_matplotlib_is_imported_only_to_draw() -> None:
    code = "import sys, monitoring.drift_picture; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
