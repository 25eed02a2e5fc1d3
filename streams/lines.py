"""Physical lines of a byte stream, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from streams.decoding import LongRecord


def split_lines(blocks: Iterable[bytes], max_bytes: int) -> Iterator[list[bytes]]:
    r"""Yield the lines of the blocks in lists, without their ends (``\n`` or ``\r\n``).

    A last line need not end. Of a line over the limit only the beginning is kept, as a
    `LongRecord`, so memory is bounded by a block and the limit, whatever comes.

    >>> list(split_lines([b"one\ntw", b"o\r\n\nthree"], 100))
    [[b'one'], [b'two', b''], [b'three']]
    """
    rest = _OpenLine(max_bytes)
    for block in blocks:
        lines = block.split(b"\n")
        tail = lines.pop()
        if lines:
            lines[0] = rest.close(lines[0])
            # A line's carriage return may have come at the end of the block before.
            if b"\r" in block or lines[0].endswith(b"\r"):
                lines = [_without_return(line) for line in lines]
            if max(map(len, lines)) > max_bytes:
                lines = [_bounded(line, max_bytes) for line in lines]
            yield lines
        rest.extend(tail)
    if rest.n_bytes:
        yield [_bounded(_without_return(rest.close(b"")), max_bytes)]


def _without_return(line: bytes) -> bytes:
    return line if isinstance(line, LongRecord) else line.removesuffix(b"\r")


def _bounded(line: bytes, max_bytes: int) -> bytes:
    if isinstance(line, LongRecord) or len(line) <= max_bytes:
        return line
    return LongRecord.of(line[: max_bytes + 1], len(line))


class _OpenLine:
    """The line that goes on in the next block."""

    def __init__(self, max_bytes: int) -> None:
        # One more than the limit, for a carriage return that does not count.
        self.n_kept = max_bytes + 1
        self.beginning = bytearray()
        self.n_bytes = 0
        self.last = b""

    def extend(self, part: bytes) -> None:
        if part:
            self.beginning += part[: self.n_kept - len(self.beginning)]
            self.n_bytes += len(part)
            self.last = part[-1:]

    def close(self, part: bytes) -> bytes:
        self.extend(part)
        line, n_bytes = bytes(self.beginning), self.n_bytes
        self.beginning.clear()
        self.n_bytes = 0
        if n_bytes <= self.n_kept:
            return line
        return LongRecord.of(line, n_bytes - (self.last == b"\r"))
