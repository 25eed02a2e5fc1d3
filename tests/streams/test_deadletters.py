"""What a dead letter keeps of the record."""

from __future__ import annotations

import base64

import pytest

from streams.deadletters import KEPT_BYTES, dead_letter
from streams.decoding import LongRecord
from streams.errors import RejectedEvent

REFUSED = RejectedEvent("decode", "why")


@pytest.mark.parametrize("value", [b"", b"{", "é".encode(), b"x" * 60_000])
def test_text_is_kept_as_it_is(value: bytes) -> None:
    letter = dead_letter(value, REFUSED, line=7, file="a.csv")
    assert letter.value == value.decode()
    assert letter.value_base64 is None
    assert (letter.line, letter.file, letter.reason, letter.error) == (7, "a.csv", "decode", "why")


def test_other_bytes_are_kept_in_base64() -> None:
    letter = dead_letter(b"\xff\x00{", REFUSED, line=7)
    assert letter.value is None
    assert base64.b64decode(letter.value_base64 or "") == b"\xff\x00{"


def test_of_a_long_record_the_first_kilobyte_is_kept() -> None:
    letter = dead_letter(LongRecord.of(b"x" * 65537, 10**9), REFUSED, line=7)
    assert letter.value == "x" * KEPT_BYTES
