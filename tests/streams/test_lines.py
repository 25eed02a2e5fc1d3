"""Lines do not depend on blocks, nor memory on lines."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.decoding import LongRecord
from streams.lines import split_lines


def flat(blocks: list[bytes], max_bytes: int = 100) -> list[bytes]:
    return [line for lines in split_lines(blocks, max_bytes) for line in lines]


def lengths(lines: list[bytes]) -> list[int]:
    return [line.n_bytes if isinstance(line, LongRecord) else len(line) for line in lines]


texts = st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", b"xyz" * 4])).map(b"".join)


@given(texts, st.lists(st.integers(0, 200)), st.integers(1, 12))
def test_lines_do_not_depend_on_blocks(text: bytes, cuts: list[int], max_bytes: int) -> None:
    ends = [0, *sorted(cuts), len(text)]
    blocks = [text[a:b] for a, b in pairwise(ends)]
    whole = flat([text], max_bytes)
    pieces = flat(blocks, max_bytes)
    assert pieces == whole
    assert lengths(pieces) == lengths(whole)


@given(texts)
def test_lines_are_those_of_the_text(text: bytes) -> None:
    expected = [line.removesuffix(b"\r") for line in text.removesuffix(b"\n").split(b"\n")]
    assert flat([text], 10_000) == (expected if text else [])


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("n_blocks", [1, 3])
def test_the_limit_is_inclusive_and_counts_no_line_end(end: bytes, n_blocks: int) -> None:
    for size, is_long in ((10, False), (11, True)):
        line = b"x" * size + end
        step = -(-len(line) // n_blocks)
        blocks = [line[i : i + step] for i in range(0, len(line), step)]
        (found,) = flat(blocks, 10)
        assert isinstance(found, LongRecord) == is_long
        assert lengths([found]) == [size]


def endless_line(n_blocks: int) -> Iterator[bytes]:
    yield b'{"first":1}\n'
    for _ in range(n_blocks):
        yield b"x" * 65536
    yield b"\nlast"


def test_a_huge_line_is_measured_and_not_kept() -> None:
    tracemalloc.start()
    first, huge, last = [line for lines in split_lines(endless_line(1000), 65536) for line in lines]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (first, last) == (b'{"first":1}', b"last")
    assert isinstance(huge, LongRecord)
    assert huge.n_bytes == 65_536_000
    assert len(huge) == 65537
    assert peak < 1_000_000
