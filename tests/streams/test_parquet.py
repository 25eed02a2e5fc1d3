"""Parquet logs."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from streams.errors import InputError, RejectedEvent
from streams.events import Content, View
from streams.logs import LogOptions, Position, read_content, read_log

pa: Any = pytest.importorskip("pyarrow")
parquet: Any = pytest.importorskip("pyarrow.parquet")

NOON = dt.datetime.fromisoformat("2022-01-01T12:00")
NOON_S = 1641038400.0
EXAMPLE_VIEW = View("1", "12345", NOON_S, view_time=34.5, rating=4.0)


def table(**columns: Any) -> Any:
    defaults: dict[str, Any] = {"user_id": [1], "content_id": [12345], "timestamp": [NOON_S]}
    return pa.table(defaults | columns)


def written(path: Path, rows: Any) -> str:
    buffer = io.BytesIO()
    parquet.write_table(rows, buffer)
    data = buffer.getvalue()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def views(path: str, options: LogOptions | None = None) -> list[View]:
    return [
        batch.decoder.decode_view(value)
        for batch in read_log([path], options=options)
        for value in batch.values
    ]


@pytest.mark.parametrize("name", ["a.parquet", "a.parquet.gz"])
def test_the_first_example(tmp_path: Path, name: str) -> None:
    rows = pa.table(
        {
            "User ID": [1],
            "Content ID": [12345],
            "View Time": [34.5],
            "Rating": [4],
            "Timestamp": [NOON],
            "unknown": [b"\xff"],
        }
    )
    assert views(written(tmp_path / name, rows)) == [EXAMPLE_VIEW]


@pytest.mark.parametrize(
    "timestamp",
    [
        pa.array([NOON], pa.timestamp("s")),
        pa.array([NOON], pa.timestamp("ms")),
        pa.array([NOON], pa.timestamp("us", "UTC")),
        pa.array([NOON], pa.timestamp("us", "+01:00")),
        pa.array([int(NOON_S * 1e9) + 1], pa.timestamp("ns")),
        pa.array(["2022-01-01T12:00:00Z"]),
        pa.array([int(NOON_S)]),
        pa.array([int(NOON_S) * 1000]),
        pa.array([Decimal("1641038400.0")]),
    ],
)
def test_times(tmp_path: Path, timestamp: Any) -> None:
    (view,) = views(written(tmp_path / "a.parquet", table(timestamp=timestamp)))
    assert view.event_time == NOON_S


@pytest.mark.parametrize(
    "ids", [pa.array([7], pa.uint64()), pa.array(["7"]), pa.array([b"7"]), pa.array([Decimal(7)])]
)
def test_ids(tmp_path: Path, ids: Any) -> None:
    (view,) = views(written(tmp_path / "a.parquet", table(user_id=ids)))
    assert view.user_id == "7"


@pytest.mark.parametrize(
    "columns",
    [
        {"view_time": [float("nan")]},
        {"rating": [float("inf")]},
        {"timestamp": [float("nan")]},
        {"user_id": [12.0]},
        {"user_id": [True]},
        {"user_id": [None]},
        {"user_id": [b"\xff"]},
        {"view_time": ["ten"]},
        {"view_time": [False]},
        {"timestamp": [dt.date(2022, 1, 1)]},
    ],
)
def test_rows_that_are_no_events(tmp_path: Path, columns: dict[str, Any]) -> None:
    with pytest.raises(RejectedEvent) as caught:
        views(written(tmp_path / "a.parquet", table(**columns)))
    assert caught.value.reason == "schema"


def test_null_is_missing(tmp_path: Path) -> None:
    rows = table(view_time=pa.array([None], pa.float64()), rating=pa.nulls(1))
    assert views(written(tmp_path / "a.parquet", rows)) == [View("1", "12345", NOON_S)]


def test_a_dead_letter_shows_the_row_as_json(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", table(view_time=[float("nan")]))
    (batch,) = read_log([path])
    assert batch.values == [
        b'{"user_id":1,"content_id":12345,"timestamp":1641038400.0,"view_time":"nan"}'
    ]


def test_rows_are_numbered_and_can_be_resumed(tmp_path: Path) -> None:
    rows = pa.table({"uid": range(10), "content_id": range(10), "timestamp": range(10)})
    path = written(tmp_path / "a.parquet", rows)
    options = LogOptions(column_map={"user_id": "uid"}, batch_size=4)
    batches = list(read_log([path], options=options))
    assert [batch.numbers for batch in batches] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert [batch.share for batch in batches] == pytest.approx([0.4, 0.8, 1.0], abs=0.01)
    (rest,) = read_log([path], options=options, start=Position(0, 9))
    assert rest.numbers == [9, 10]


def test_content_with_lists(tmp_path: Path) -> None:
    rows = pa.table(
        {
            "content_id": [1],
            "genres": [["Drama", "Crime"]],
            "creator": [7],
            "released": [dt.date(1970, 1, 2)],
        }
    )
    assert list(read_content(written(tmp_path / "c.parquet", rows))) == [
        Content("1", genres=("Drama", "Crime"), creators=("7",), released=86400.0)
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "damaged"), (b"PAR1nonsense", "damaged"), (b"x" * 5000, "damaged")],
)
def test_damaged_files(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(InputError, match=message):
        views(str(tmp_path / "a.parquet"))


def test_missing_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--map user_id=COLUMN"):
        views(written(tmp_path / "a.parquet", pa.table({"uid": [1]})))


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = Path(written(tmp_path / "a.parquet", table())).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))
    assert len(views("-")) == 1


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.parquet", table())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"install driftline\[parquet\]"):
        views(path)


def test_a_table_without_rows_is_a_log_without_records(tmp_path: Path) -> None:
    assert views(written(tmp_path / "a.parquet", table().slice(0, 0))) == []
