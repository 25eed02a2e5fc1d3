from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.packing import pack_strings, prefixed, unpack_strings, unprefixed


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_strings_come_back_as_they_were(strings: list[str]) -> None:
    assert unpack_strings("ids", pack_strings("ids", strings)) == strings


def test_a_part_finds_only_its_own_arrays() -> None:
    both = prefixed("a", pack_strings("ids", ["x"])) | prefixed("ab", pack_strings("ids", ["y"]))

    assert unpack_strings("ids", unprefixed("a", both)) == ["x"]
    assert unpack_strings("ids", unprefixed("ab", both)) == ["y"]
