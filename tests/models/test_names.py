"""Names against a dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.names import ABSENT, Names

TEXTS = st.text(max_size=3)
STEPS = st.lists(st.one_of(TEXTS, st.lists(st.integers(0, 12), max_size=3, unique=True)))


@given(steps=STEPS, first_row=st.integers(0, 2))
def test_names_keep_their_rows_until_removed(steps: list[str | list[int]], first_row: int) -> None:
    names, expected = Names(8, first_row), dict[str, int]()
    for step in steps:
        if isinstance(step, str):
            row = names.row_of(step)
            if step in expected or len(expected) < 8:
                assert expected.setdefault(step, row) == row >= first_row
            else:
                assert row == ABSENT
        else:
            gone = [row for row in step if row in expected.values()]
            names.remove(gone)
            expected = {name: row for name, row in expected.items() if row not in gone}
        assert len(names) == len(expected) == len(set(expected.values()))
        assert {name: names.row(name) for name in expected} == expected
        assert {names.name(row): row for row in expected.values()} == expected
        assert names.in_use().tolist() == sorted(expected.values())
        assert names.n_rows <= 8 + first_row
        assert names.is_full == (len(expected) == 8)


@given(steps=st.lists(TEXTS, max_size=12, unique=True), more=st.lists(TEXTS, max_size=6))
def test_restored_names_go_on_giving_the_same_rows(steps: list[str], more: list[str]) -> None:
    names, other = Names(20, 1), Names(20, 1)
    for step in steps:
        names.add(step)
    names.remove([row for row in names.in_use().tolist() if row % 3 == 0])
    other.restore(names.snapshot())
    for step in more:
        assert names.row(step) == other.row(step)
        assert names.row_of(step) == other.row_of(step)
    assert other.in_use().tolist() == names.in_use().tolist()


def test_freed_rows_are_given_out_again_latest_freed_first() -> None:
    names = Names(5)
    for name in "abcde":
        names.add(name)
    names.remove([1, 3])
    assert [names.add("x"), names.add("y")] == [3, 1]


@pytest.mark.parametrize("name", ["", "é", "\U0001f37f", "a\x00b", " "])
def test_any_text_survives_a_snapshot(name: str) -> None:
    names, other = Names(2), Names(2)
    names.add("before")
    names.add(name)
    other.restore(names.snapshot())
    assert (other.row(name), other.name(1)) == (1, name)
