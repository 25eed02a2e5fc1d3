from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest
import zstandard

from streams.errors import InputError
from streams.jsonlines import LineWriter

RECORDS = [{"a": "1"}, {"b": "zwölf"}]
LINES = '{"a":"1"}\n{"b":"zwölf"}\n'.encode()
FULL = Path("/dev/full")


def plain(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(content)
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    return content


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_records_become_lines_in_order(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with LineWriter(str(path)) as writer:
        writer.write(RECORDS[:1])
        writer.write([])
        writer.write(RECORDS[1:])
    assert plain(path) == LINES


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_no_records_make_a_valid_empty_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with LineWriter(str(path)):
        pass
    assert plain(path) == b""


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_what_is_flushed_can_be_read_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with LineWriter(str(path)) as writer:
        writer.write(RECORDS)
        writer.flush()
        if path.suffix == ".gz":
            assert zlib.decompressobj(wbits=31).decompress(path.read_bytes()) == LINES
        else:
            assert plain(path) == LINES


def test_a_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "out.jsonl"
    with pytest.raises(InputError, match="cannot write: No such file or directory"):
        LineWriter(str(path))


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize("when", ["writing", "flushing", "closing"])
def test_a_full_disk_is_said(when: str) -> None:
    records = [{"x": "y" * 100_000}] if when == "writing" else RECORDS
    with pytest.raises(InputError, match="/dev/full: cannot write: No space left"):
        write_to_full(records, is_flushed=when == "flushing")


def write_to_full(records: list[dict[str, str]], *, is_flushed: bool) -> None:
    with LineWriter(str(FULL)) as writer:
        writer.write(records)
        if is_flushed:
            writer.flush()
            pytest.fail("the flush was believed")


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
def test_a_full_disk_hides_no_error_that_is_on_its_way() -> None:
    writer = LineWriter(str(FULL))
    writer.write(RECORDS)
    failure = ZeroDivisionError()
    writer.__exit__(type(failure), failure, None)
