"""The truth file: what it says, and what is said of a wrong one."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.change_kinds import Missing, Taste
from streams.errors import InputError
from streams.spans import Span
from streams.truth import LogExtent, PlantedChange, Traces, encode_truth, read_truth

FLIP = PlantedChange(
    kind="taste",
    scope="genre:Drama",
    begin_event_time=100.5,
    begin_line=11,
    end_line=40,
    n_lines=25,
    what="other titles",
)
FAULT = PlantedChange(
    kind="missing",
    strength=0.5,
    begin_event_time=50.0,
    end_event_time=60.0,
    begin_line=5,
    end_line=9,
    n_lines=3,
    parameters={"field": "rating"},
)


def truth_file(folder: Path, *lines: bytes | dict[str, Any]) -> Path:
    path = folder / "truth.jsonl"
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(texts))
    return path


def flip(**other: Any) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(encode_truth([FLIP]))
    return fields | other


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = truth_file(tmp_path, encode_truth([FLIP, FAULT]))
    assert read_truth(path) == [FLIP, FAULT]
    assert read_truth(path, LogExtent(40, 0.0, 100.5)) == [FLIP, FAULT]


def test_an_empty_file_says_that_nothing_was_planted(tmp_path: Path) -> None:
    assert encode_truth([]) == b""
    assert read_truth(truth_file(tmp_path, b"")) == []


def test_a_file_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"truth\.jsonl: no such file"):
        read_truth(tmp_path / "truth.jsonl")


WRONG: dict[str, tuple[bytes | dict[str, Any], str]] = {
    "no JSON": (b"{", "no truth about a change: Input data was truncated"),
    "no UTF-8": (b'{"kind":"\xe9"}', "no truth about a change"),
    "no object": (b"[]", "Expected `object`, got `array`"),
    "a missing field": ({"kind": "taste"}, "missing required field `begin_event_time`"),
    "an unknown field": (flip(until=3), "unknown field `until`"),
    "an unknown kind": (flip(kind="tase"), "unknown kind 'tase'; there are taste, popularity"),
    "an unknown shape": (flip(shape="steep"), "Invalid enum value 'steep'"),
    "an unknown scope": (flip(scope="user:7"), "unknown scope 'user:7'; it is all, genre:X"),
    "no strength": (flip(strength=0.0), "Expected `float` > 0.0"),
    "a line before the first": (flip(begin_line=0), "Expected `int` >= 1"),
    "lines that go back": (flip(end_line=10), "end_line 10 is before begin_line 11"),
    "times that go back": (
        flip(end_event_time=100.0),
        "end_event_time is before begin_event_time",
    ),
    "too many lines": (flip(n_lines=31), "n_lines 31 are more than from begin_line to end_line"),
    "a line after the last": (
        flip(end_line=51),
        "end_line 51 is after the end of the log, line 50",
    ),
    "a time before the log": (flip(begin_event_time=-1.0), "begin_event_time -1.0 is outside"),
    "a time after the log": (flip(begin_event_time=501.0), "which goes from 0.0 to 500.0"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_line_is_named(name: str, tmp_path: Path) -> None:
    line, said = WRONG[name]
    path = truth_file(tmp_path, encode_truth([FAULT]), line)  # and a blank line between
    with pytest.raises(InputError) as caught:
        read_truth(path, LogExtent(50, 0.0, 500.0))
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert said in str(caught.value)


def test_changes_of_one_kind_and_scope_that_overlap_are_named(tmp_path: Path) -> None:
    path = truth_file(tmp_path, flip(begin_event_time=200.0), encode_truth([FAULT]), b"", flip())
    with pytest.raises(InputError, match=r"line 1: it begins before the change .* in line 5 ends"):
        read_truth(path)


def test_changes_that_follow_one_another_or_have_other_fields_do_not_overlap(
    tmp_path: Path,
) -> None:
    fields = json.loads(encode_truth([FAULT])) | {"parameters": {"field": "view_time"}}
    path = truth_file(
        tmp_path,
        flip(end_event_time=150.0),
        flip(begin_event_time=150.0),
        fields,
        encode_truth([FAULT]),
    )
    assert len(read_truth(path)) == 4


@given(
    marks=st.lists(st.integers(0, 3), min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=5),
)
def test_traces_are_those_of_the_whole_log_however_it_is_cut(
    marks: list[int], cuts: list[int]
) -> None:
    traces = Traces(2)
    bounds = [0, *sorted(min(cut, len(marks)) for cut in cuts), len(marks)]
    for begin, end in itertools.pairwise(bounds):
        times = np.arange(begin, end, dtype=np.float64) * 10
        traces.note(np.array(marks[begin:end], np.int64), times)
    assert traces.n_lines == len(marks)
    for place in (0, 1):
        lines = [number for number, mark in enumerate(marks, 1) if mark >> place & 1]
        found = traces.planted(place, Taste(begin=0.5, end=0.6), None)
        if not lines:
            assert found is None
            continue
        assert found is not None
        assert (found.begin_line, found.end_line, found.n_lines) == (
            lines[0],
            lines[-1],
            len(lines),
        )
        assert found.begin_event_time == (lines[0] - 1) * 10
        assert found.end_event_time == (lines[-1] - 1) * 10


def test_planned_times_stand_before_those_of_the_lines_and_a_lasting_change_has_no_end() -> None:
    traces = Traces(1)
    traces.note(np.array([0, 1, 1]), np.array([1.0, 2.0, 3.0]))
    found = traces.planted(0, Missing(begin=0.5, end=0.6), Span(1.5, 2.5))
    assert found is not None
    assert (found.begin_event_time, found.end_event_time) == (1.5, 2.5)
    assert found.parameters == {"field": "view_time"}
    lasting = traces.planted(0, Taste(begin=0.5, shape="gradual", end=None), Span(1.5, np.inf))
    assert lasting is not None
    assert lasting.end_event_time is None
    assert lasting.shape == "gradual"
