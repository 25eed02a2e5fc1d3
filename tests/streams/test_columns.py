"""Matching of column names, and --map."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.columns import (
    CONTENT_FIELDS,
    VIEW_FIELDS,
    ColumnNames,
    TwoSpellingsError,
    known_field,
    parse_column_map,
    plain_name,
)
from streams.errors import InputError


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    field = draw(st.sampled_from(sorted(VIEW_FIELDS.names)))
    letters = [
        draw(st.sampled_from(["", " ", "_", "  "])) + draw(st.sampled_from([c, c.upper()]))
        for c in field.replace("_", "")
    ]
    return field, "".join(letters)


@given(spellings())
def test_case_blanks_and_underscores_do_not_matter(spelling: tuple[str, str]) -> None:
    field, name = spelling
    assert ColumnNames(VIEW_FIELDS, {}).field_of(name) == field


@pytest.mark.parametrize("name", ["user-id", "userids", "uid", "", "item_id", "view.time"])
def test_other_names_are_ignored(name: str) -> None:
    assert ColumnNames(VIEW_FIELDS, {}).field_of(name) is None


def test_a_mapped_field_goes_by_its_mapped_name_only() -> None:
    names = ColumnNames(VIEW_FIELDS, {"user_id": "Viewer ID"})
    assert names.field_of("viewer_id") == "user_id"
    assert names.field_of("user_id") is None


def test_a_column_may_be_mapped_to_another_field() -> None:
    names = ColumnNames(VIEW_FIELDS, {"view_time": "duration"})
    assert names.field_of("duration") == "view_time"


def test_mapping_either_time_replaces_both() -> None:
    names = ColumnNames(VIEW_FIELDS, {"timestamp": "when"})
    assert names.field_of("timestamp_ms") is None
    assert names.field_of("when") == "timestamp"


def test_content_keeps_its_usual_names_beside_mapped_ones() -> None:
    names = ColumnNames(CONTENT_FIELDS, {"content_id": "film", "user_id": "uid"})
    assert names.field_of("film") == names.field_of("content_id") == "content_id"


def test_aliases_stand_for_their_fields() -> None:
    names = ColumnNames(CONTENT_FIELDS, {})
    assert names.field_of("Release Year") == "released"
    assert names.field_of("creator") == "creators"


@pytest.mark.parametrize(
    ("fields", "pair"),
    [
        (VIEW_FIELDS, ["user_id", "User ID"]),
        (VIEW_FIELDS, ["timestamp", "timestamp_ms"]),
        (CONTENT_FIELDS, ["released", "release_year"]),
        (CONTENT_FIELDS, ["creator", "creators"]),
    ],
)
def test_two_spellings_of_one_field_are_refused(fields: object, pair: list[str]) -> None:
    names = ColumnNames(fields, {})  # type: ignore[arg-type]
    with pytest.raises(TwoSpellingsError, match="two spellings"):
        names.assign(pair)
    with pytest.raises(InputError, match=r"a\.csv: .*two spellings.*rename"):
        names.assign_header(pair, "a.csv")


def test_a_header_without_a_needed_column_names_what_it_has_and_the_way_out() -> None:
    names = ColumnNames(VIEW_FIELDS, {})
    with pytest.raises(InputError) as caught:
        names.assign_header(["uid", "content_id", "timestamp"], "a.csv")
    message = str(caught.value)
    assert "no column for user_id" in message
    assert "uid, content_id, timestamp" in message
    assert "--map user_id=COLUMN" in message


def test_milliseconds_are_time_enough() -> None:
    assigned = ColumnNames(VIEW_FIELDS, {}).assign_header(
        ["User ID", "Content ID", "Timestamp MS"], "a.csv"
    )
    assert assigned == {
        "user_id": "User ID",
        "content_id": "Content ID",
        "timestamp_ms": "Timestamp MS",
    }


def test_a_mapped_column_that_is_not_there_is_an_error() -> None:
    names = ColumnNames(VIEW_FIELDS, {"rating": "stars"})
    with pytest.raises(InputError, match="no column stars for rating"):
        names.assign_header(["user_id", "content_id", "timestamp", "rating"], "a.csv")


def test_a_long_header_makes_a_short_message() -> None:
    names = ColumnNames(VIEW_FIELDS, {})
    with pytest.raises(InputError) as caught:
        names.assign_header(["x" * 50_000], "a.csv")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("text", ["user_id", "user_id=", "=uid", "user_id= "])
def test_a_malformed_assignment_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="--map"):
        parse_column_map([text])


def test_an_unknown_field_comes_with_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean user_id"):
        known_field("usr_id")


def test_one_field_cannot_be_mapped_twice_nor_one_column_be_two_fields() -> None:
    with pytest.raises(InputError, match="already mapped"):
        parse_column_map(["user_id=a", "User ID=b"])
    with pytest.raises(InputError, match="both"):
        ColumnNames(VIEW_FIELDS, {"user_id": "x", "content_id": "X"})


def test_an_alias_is_mapped_as_its_field() -> None:
    assert parse_column_map(["release_year=Year"]) == {"released": "Year"}


@given(st.text())
def test_plain_names_are_stable(name: str) -> None:
    plain = plain_name(name)
    assert plain_name(f" {name}_") == plain
