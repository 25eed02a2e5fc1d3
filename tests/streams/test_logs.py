"""Recorded logs: numbering, formats, several inputs, resuming, and clear refusals."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import sys
import threading
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.decoding import LongRecord
from streams.errors import InputError, RejectedEvent
from streams.events import Content, View
from streams.logs import LogOptions, Position, RecordBatch, read_content, read_log

HEADER = b"User ID, Content ID, View Time, Rating, Timestamp\n"
EXAMPLE = b"1, 12345, 34.5, 4, 2022-01-01 12:00:00"
EXAMPLE_VIEW = View("1", "12345", 1641038400.0, view_time=34.5, rating=4.0)
JSON_LINE = b'{"user_id":1,"content_id":%d,"timestamp":0}\n'


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def records(batches: list[RecordBatch]) -> list[tuple[str | None, int, bytes]]:
    return [
        (batch.source, number, value)
        for batch in batches
        for number, value in zip(batch.numbers, batch.values, strict=True)
    ]


def read(*paths: Path | str, options: LogOptions | None = None) -> list[RecordBatch]:
    return list(read_log([str(path) for path in paths], options=options))


def views(*paths: Path | str, options: LogOptions | None = None) -> list[View]:
    return [
        batch.decoder.decode_view(value)
        for batch in read(*paths, options=options)
        for value in batch.values
    ]


def written(path: Path, data: bytes) -> Path:
    if path.suffix == ".gz":
        data = gzip.compress(data)
    elif path.suffix == ".zst":
        data = zstandard.ZstdCompressor().compress(data)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", HEADER + EXAMPLE + b"\n"),
        ("a.csv", HEADER + EXAMPLE),
        ("a.CSV", b"\xef\xbb\xbf" + (HEADER + EXAMPLE).replace(b"\n", b"\r\n")),
        ("a.csv", b"\n  \n" + HEADER + b"\n" + EXAMPLE),
        ("a.tsv", (HEADER + EXAMPLE).replace(b", ", b"\t")),
        (
            "a.jsonl",
            (
                b'{"User ID":1,"Content ID":12345,"View Time":34.5,"Rating":4,'
                b'"Timestamp":"2022-01-01 12:00:00"}'
            ),
        ),
        (
            "a.ndjson",
            (
                b'{"user_id":1,"content_id":12345,"view_time":34.5,"rating":4,"timestamp":'
                b"1641038400}\r\n"
            ),
        ),
        (
            "a.json",
            (
                b'\xef\xbb\xbf{"user_id":1,"content_id":12345,"view_time":34.5,"rating":4,'
                b'"timestamp_ms":1641038400000}\n'
            ),
        ),
    ],
)
def test_the_first_example_in_every_format(
    tmp_path: Path, name: str, data: bytes, suffix: str
) -> None:
    assert views(written(tmp_path / (name + suffix), data)) == [EXAMPLE_VIEW]


def test_numbers_count_physical_lines_behind_the_header(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", HEADER + EXAMPLE + b"\n\n \t\r\n" + b"bad\n" + EXAMPLE)
    assert records(read(path)) == [
        (None, 1, EXAMPLE),
        (None, 4, b"bad"),
        (None, 5, EXAMPLE),
    ]


def test_a_bad_line_is_one_record_among_good_ones(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", HEADER + b'1,"2\n3",4,5,0\n' + EXAMPLE)
    found = records(read(path))
    decoder = read(path)[0].decoder
    assert [number for _, number, _ in found] == [1, 2, 3]
    for _, _, value in found[:2]:
        with pytest.raises(RejectedEvent):
            decoder.decode_view(value)
    assert decoder.decode_view(found[2][2]) == EXAMPLE_VIEW


def test_a_huge_line_is_one_long_record(log: Path) -> None:
    log.write_bytes(JSON_LINE % 1 + b"x" * 3_000_000 + b"\n" + JSON_LINE % 2)
    (_, huge, last) = records(read(log))
    assert isinstance(huge[2], LongRecord)
    assert huge[2].n_bytes == 3_000_000
    assert last == (None, 3, (JSON_LINE % 2).strip())


def test_several_inputs_are_told_apart_by_file_name(tmp_path: Path) -> None:
    one = written(tmp_path / "b.csv", HEADER + EXAMPLE)
    two = written(tmp_path / "a.jsonl.gz", JSON_LINE % 7)
    assert [source for source, _, _ in records(read(one, two))] == ["b.csv", "a.jsonl.gz"]
    (tmp_path / "c").mkdir()
    three = written(tmp_path / "c" / "b.csv", HEADER + EXAMPLE)
    assert [source for source, _, _ in records(read(one, three))] == [str(one), str(three)]


def test_a_directory_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("2.jsonl", "10.jsonl", "1.jsonl.zst"):
        written(tmp_path / name, JSON_LINE % int(name.split(".")[0]))
    (tmp_path / "README.md").write_text("not a log")
    (tmp_path / ".hidden.jsonl").write_text("not a log")
    written(tmp_path / "0.jsonl", b"")
    assert [view.content_id for view in views(tmp_path)] == ["1", "10", "2"]


@pytest.mark.parametrize(
    ("data", "n_records"),
    [
        (HEADER + EXAMPLE, 1),
        (b"\xef\xbb\xbf" + HEADER + EXAMPLE, 1),
        (gzip.compress(HEADER + EXAMPLE), 1),
        (zstandard.ZstdCompressor().compress(b"\n" + JSON_LINE % 1), 1),
        (HEADER.replace(b", ", b"\t") + EXAMPLE.replace(b", ", b"\t"), 1),
        (JSON_LINE % 1 * 3, 3),
    ],
)
def test_standard_input_is_recognised(
    monkeypatch: pytest.MonkeyPatch, data: bytes, n_records: int
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))
    (batch,) = read("-")
    assert len(batch.values) == n_records
    assert batch.share is None
    assert isinstance(batch.decoder.decode_view(batch.values[0]), View)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_as_standard_input_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(JSON_LINE % 3,))
    writer.start()
    assert [view.content_id for view in views(tmp_path / "pipe")] == ["3"]
    writer.join()


def test_the_format_can_be_given(tmp_path: Path) -> None:
    path = written(tmp_path / "events.log", JSON_LINE % 4)
    assert len(views(path, options=LogOptions(format="jsonl"))) == 1
    with pytest.raises(InputError, match="unknown format xml"):
        read(path, options=LogOptions(format="xml"))


def test_columns_can_be_mapped(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", b"uid,film,when\n1,2,3\n")
    options = LogOptions(column_map={"user_id": "UID", "content_id": "film", "timestamp": "when"})
    assert views(path, options=options) == [View("1", "2", 3.0)]


def test_the_share_read_rises_to_one(log: Path, tmp_path: Path) -> None:
    log.write_bytes(b"".join(JSON_LINE % n for n in range(30_000)))
    shares = [batch.share or 0 for batch in read(log, written(tmp_path / "b.jsonl", b"1\n"))]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.5
    assert shares[-1] == 1.0


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv"])
@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data())
def test_reading_on_from_any_record_gives_the_rest(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    lines = data.draw(st.lists(st.sampled_from([JSON_LINE % 5, b"\n", b"bad\n"]), min_size=1))
    lines.append(b"end\n")
    head = b"user_id,content_id,timestamp\n" if name == "a.csv" else b""
    path = str(written(tmp_path / name, head + b"".join(lines)))
    other = str(written(tmp_path / "other.jsonl", JSON_LINE % 6 * 2))
    options = LogOptions(batch_size=data.draw(st.integers(1, 5)))
    batches = list(read_log([path, other], options=options))
    n_done = 0
    for batch in batches:
        for place in range(len(batch.values) + 1):
            wire = msgspec.json.encode(batch.position_after(place))
            start = msgspec.json.decode(wire, type=Position)
            rest = records(list(read_log([path, other], options=options, start=start)))
            assert rest == records(batches)[n_done + place :]
        n_done += len(batch.values)


def test_resuming_in_a_log_that_became_shorter_is_an_error(log: Path) -> None:
    log.write_bytes(JSON_LINE % 1)
    with pytest.raises(InputError, match="cannot resume at record 9"):
        list(read_log([str(log)], start=Position(0, 9)))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_truncated_log_is_read_up_to_the_break(tmp_path: Path, suffix: str) -> None:
    draw = random.Random(5)
    lines = b"".join(JSON_LINE % draw.getrandbits(60) for _ in range(50_000))
    path = written(tmp_path / f"a.jsonl{suffix}", lines)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    batches: list[RecordBatch] = []
    with pytest.raises(InputError) as caught:
        batches.extend(read_log([str(path)]))
    numbers = [number for batch in batches for number in batch.numbers]
    for batch in batches:
        assert all(isinstance(batch.decoder.decode_view(value), View) for value in batch.values)
    assert numbers == list(range(1, numbers[-1] + 1))
    assert len(numbers) > 10_000
    assert str(path) in str(caught.value)
    assert f"after record {numbers[-1]}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"x", "unknown extension"),
        ("a.jsonl.bz2", b"x", "unknown extension"),
        ("a.jsonl", b"", "empty"),
        ("a.jsonl", b"\n \n\n", "empty"),
        ("a.csv", b"", "empty"),
        ("a.csv.gz", b"", "empty"),
        ("a.jsonl.zst", zstandard.ZstdCompressor().compress(b""), "empty"),
        ("a.csv", b"a,b,c\n1,2,3\n", "--map user_id=COLUMN"),
        ("a.csv", b"user_id,content_id\n1,2\n", "--map timestamp=COLUMN"),
        ("a.csv", b"user_id,User ID,content_id,timestamp\n", "two spellings"),
        ("a.csv", b"\xff\xfeu\x00s\x00e\x00r\x00", "no header"),
        ("a.csv", b'"user_id,content_id\n', "no header"),
        ("a.csv", b"x" * 100_000, "no header"),
        ("a.jsonl.gz", JSON_LINE, "its name says gzip"),
        ("a.json", b'[{"user_id":1}]', "JSON array"),
    ],
)
def test_what_is_no_log_is_refused_in_a_sentence(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(path)
    assert message in str(caught.value)
    assert name in str(caught.value)


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.csv: no such file"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="no logs in this directory"):
        read(tmp_path)
    with pytest.raises(InputError, match="no log given"):
        read()


def test_a_header_alone_is_a_log_without_records(tmp_path: Path) -> None:
    assert read(written(tmp_path / "a.csv", HEADER)) == []


def test_paths_are_checked_before_anything_is_read(log: Path) -> None:
    log.write_bytes(JSON_LINE % 1)
    with pytest.raises(InputError):
        read_log([str(log), "nothing.csv"])


def test_content_is_read_with_its_bad_records_named(tmp_path: Path) -> None:
    lines = [{"content_id": 1, "title": "A"}, {"title": "no id"}, {"content_id": 2}]
    path = written(tmp_path / "c.jsonl", "\n".join(map(json.dumps, lines)).encode())
    first, bad, last = read_content(str(path))
    assert (first, last) == (Content("1", title="A"), Content("2"))
    assert isinstance(bad, RejectedEvent)
    assert bad.reason == "schema"
    assert "record 2" in bad.error


def test_a_content_file_needs_a_content_id(tmp_path: Path) -> None:
    path = written(tmp_path / "c.csv", b"id,title\n1,A\n")
    with pytest.raises(InputError, match="--map content_id=COLUMN"):
        list(read_content(str(path)))
    options = LogOptions(column_map={"content_id": "id", "user_id": "uid"})
    assert list(read_content(str(path), options)) == [Content("1", title="A")]


def test_a_log_larger_than_its_share_of_memory_streams(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv.gz", HEADER + (EXAMPLE + b"\n") * 400_000)
    n_records = 0
    for batch in read_log([str(path)]):
        assert len(batch.values) <= 2048
        n_records += len(batch.values)
    assert n_records == 400_000
