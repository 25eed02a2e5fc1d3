"""Compressed streams, sound and damaged."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable

import pytest
import zstandard

from streams.compression import GZIP, ZSTD, DamagedStreamError, compression_of, decompressed

PLAIN = b"".join(b"%d,%d\n" % (n, random.Random(n).getrandbits(60)) for n in range(30_000))
PACK: dict[str, Callable[[bytes], bytes]] = {
    GZIP: gzip.compress,
    ZSTD: zstandard.ZstdCompressor().compress,
}


def blocks(data: bytes, size: int = 10_000) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


@pytest.mark.parametrize("compression", PACK)
def test_a_stream_of_several_members_is_unpacked(compression: str) -> None:
    packed = PACK[compression](PLAIN) + PACK[compression](b"") + PACK[compression](b"tail")
    assert compression_of(packed) == compression
    for size in (1, 4096, len(packed)):
        assert b"".join(decompressed(blocks(packed, size), compression)) == PLAIN + b"tail"


def test_gzip_may_be_padded_with_zeros() -> None:
    padding = b"\0" * 5000
    packed = gzip.compress(b"x") + padding + gzip.compress(b"y") + padding
    assert b"".join(decompressed([packed], GZIP)) == b"xy"
    assert b"".join(decompressed(blocks(packed, 7), GZIP)) == b"xy"


@pytest.mark.parametrize("compression", PACK)
@pytest.mark.parametrize("kept", [0.001, 0.5, 0.999])
def test_what_comes_before_the_break_is_read(compression: str, kept: float) -> None:
    packed = PACK[compression](PLAIN)
    found: list[bytes] = []
    with pytest.raises(DamagedStreamError, match="early"):
        found.extend(decompressed(blocks(packed[: int(len(packed) * kept)]), compression))
    assert PLAIN.startswith(b"".join(found))
    assert len(b"".join(found)) >= len(PLAIN) * (kept - 0.5)


@pytest.mark.parametrize("compression", PACK)
def test_a_corrupt_stream_is_found_out(compression: str) -> None:
    packed = bytearray(PACK[compression](PLAIN))
    packed[len(packed) // 2 : len(packed) // 2 + 64] = bytes(64)
    with pytest.raises(DamagedStreamError):
        b"".join(decompressed(blocks(bytes(packed)), compression))


@pytest.mark.parametrize("compression", PACK)
def test_garbage_behind_a_stream_is_damage(compression: str) -> None:
    with pytest.raises(DamagedStreamError):
        b"".join(decompressed([PACK[compression](b"x") + b"garbage!"], compression))


@pytest.mark.parametrize("beginning", [b"", b"\x1f", b"{", b"PAR1"])
def test_plain_bytes_are_not_compressed(beginning: bytes) -> None:
    assert compression_of(beginning) is None
