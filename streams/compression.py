"""Plain bytes of a gzip or zstandard stream, as much of it as is sound."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import zstandard

GZIP = "gzip"
ZSTD = "zstandard"
_MAGIC = {b"\x1f\x8b": GZIP, b"\x28\xb5\x2f\xfd": ZSTD}
_GZIP_WINDOW = 31
# Neither decompressor bounds what it returns, so what it gets is bounded: a hostile stream
# unpacks four bytes of zstandard to 128 KiB, so a step to 16 MiB.
_STEP_BYTES = 512
_BLOCK_BYTES = 1 << 18


class DamagedStreamError(Exception):
    """A compressed stream ends early or is corrupt."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def compression_of(beginning: bytes) -> str | None:
    """Return how a stream that begins with these bytes is compressed."""
    return next((name for magic, name in _MAGIC.items() if beginning.startswith(magic)), None)


def decompressed(blocks: Iterable[bytes], compression: str) -> Iterator[bytes]:
    """Yield the plain bytes of the stream, of all its members.

    Raises
    ------
    DamagedStreamError
        After the last sound bytes, when the stream ends early or is corrupt.
    """
    new = _new_zstd if compression == ZSTD else _new_gzip
    try:
        yield from _gathered(_members(blocks, new))
    except (zlib.error, zstandard.ZstdError) as error:
        raise DamagedStreamError(f"the {compression} stream is corrupt ({error})") from None


def _members(blocks: Iterable[bytes], new: Callable[[], _Decompressor]) -> Iterator[bytes]:
    member = new()
    for block in blocks:
        for start in range(0, len(block), _STEP_BYTES):
            rest = block[start : start + _STEP_BYTES]
            while rest:
                if member.eof:
                    # Tar pads with zeros, and gzip allows it.
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    member = new()
                plain = member.decompress(rest)
                if plain:
                    yield plain
                rest = member.unused_data
    if not member.eof:
        raise DamagedStreamError("the compressed stream ends early")


def _new_gzip() -> _Decompressor:
    return zlib.decompressobj(_GZIP_WINDOW)


def _gathered(crumbs: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the crumbs in larger blocks, and what there is before an error."""
    block = bytearray()
    try:
        for crumb in crumbs:
            block += crumb
            if len(block) >= _BLOCK_BYTES:
                yield bytes(block)
                block.clear()
    except (DamagedStreamError, zlib.error, zstandard.ZstdError):
        yield bytes(block)
        raise
    yield bytes(block)


def _new_zstd() -> _Decompressor:
    return zstandard.ZstdDecompressor().decompressobj()
