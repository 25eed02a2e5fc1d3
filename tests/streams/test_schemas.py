"""The committed JSON Schemas are those of the types, and say the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import msgspec
import pytest

from streams.deadletters import dead_letter
from streams.errors import RejectedEvent
from streams.events import (
    BecauseYouWatched,
    Origin,
    PopularNow,
    Recommendation,
    RecommendedItem,
    Source,
    TraceLine,
    View,
    encode_view,
)
from streams.schemas import FOLDER, WIRE_TYPES, rendered, schema_of, write_schemas
from tests.drifting import drift_record

FIRST_EXAMPLE = {
    "user_id": 1,
    "content_id": 12345,
    "view_time": 34.5,
    "rating": 4,
    "timestamp": "2022-01-01 12:00:00",
}
RECOMMENDATION = Recommendation(
    "7",
    [
        RecommendedItem("50", 1.0, BecauseYouWatched([Source("1", 0.5)], "because …")),
        RecommendedItem("51", 0.5, PopularNow("popular now")),
    ],
    0.0,
    Origin(topic="views", partition=0, offset=7),
)


def is_valid(name: str, record: Any) -> bool:
    validator = jsonschema.Draft202012Validator(schema_of(name))
    return bool(validator.is_valid(record))


def plain(record: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(record))


@pytest.mark.parametrize("name", WIRE_TYPES)
def test_the_committed_schema_is_generated(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert text == rendered(name), "run python -m streams.schemas"


def test_no_schema_is_left_of_a_type_that_is_gone() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(WIRE_TYPES)


def test_writing_goes_to_the_folder_that_is_named(tmp_path: Path) -> None:
    write_schemas(tmp_path / "new")
    assert {file.stem for file in (tmp_path / "new").iterdir()} == set(WIRE_TYPES)


@pytest.mark.parametrize("name", WIRE_TYPES)
def test_every_schema_is_one_and_describes_every_field(name: str) -> None:
    schema = schema_of(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in [schema, *schema.get("$defs", {}).values()]:
        assert part["description"]
        for field, definition in part.get("properties", {}).items():
            assert field == "kind" or definition["description"]


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("view", FIRST_EXAMPLE),
        ("view", plain(msgspec.Raw(encode_view(View("1", "2", 3.5))))),
        ("content", {"content_id": 1, "genres": "Drama|Crime", "creators": [3, "b"]}),
        ("recommendation", plain(RECOMMENDATION)),
        ("dead-letter", plain(dead_letter(b"\xff", RejectedEvent("decode", "x"), line=1))),
        ("dead-letter", plain(dead_letter(b"x", RejectedEvent("decode", "x"), line=1, file="f"))),
        ("trace", plain(TraceLine(17, "7", "50", items=["181"], skipped=None, rank=None))),
        ("drift", plain(drift_record())),
    ],
)
def test_real_records_satisfy_their_schema(name: str, record: Any) -> None:
    assert is_valid(name, record)


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("view", {**FIRST_EXAMPLE, "user_id": True}),
        ("view", {**FIRST_EXAMPLE, "user_id": 1.5}),
        ("view", {**FIRST_EXAMPLE, "view_time": "ten"}),
        ("view", {**FIRST_EXAMPLE, "timestamp_ms": 1}),
        ("view", {"user_id": 1, "content_id": 2}),
        ("content", {"title": "no id"}),
        ("recommendation", {**plain(RECOMMENDATION), "based_on": {"topic": "views"}}),
        ("dead-letter", {"line": 1, "reason": "decode", "error": "x"}),
        ("drift", {**plain(drift_record()), "kind": "mood"}),
    ],
)
def test_wrong_records_do_not(name: str, record: Any) -> None:
    assert not is_valid(name, record)
