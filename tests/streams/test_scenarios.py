"""Scenarios by name and from files, and what is said of those that make no sense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.change_kinds import FIELDS, KINDS, Change, Clock, Missing, Taste, Unit
from streams.errors import InputError
from streams.scenarios import NAMED, overridden, parse_scenario, scenario_of

EVERYTHING = """
about = "A bad week."

[[change]]
kind = "taste"
shape = "gradual"
scope = "genre:Science Fiction"
begin = 2022-01-10T12:00:00Z
end = "+12d"
strength = 0.5

# and then
[[ change ]]
kind = "missing"
field = "rating"
begin = 50_000
end = 0.9
"""


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_scenario(text, "week.toml")
    return str(caught.value)


def change_of(*lines: str) -> str:
    return "\n".join(("[[change]]", *lines))


def test_a_file_says_what_changes_when_and_where(tmp_path: Path) -> None:
    path = tmp_path / "week.toml"
    path.write_text(EVERYTHING)
    scenario = scenario_of(str(path))
    assert scenario.about == "A bad week."
    assert scenario.changes == (
        Taste(
            begin="2022-01-10T12:00:00+00:00",
            end="+12d",
            scope="genre:Science Fiction",
            strength=0.5,
            shape="gradual",
        ),
        Missing(begin=50_000, end=0.9, field="rating"),
    )


def test_an_empty_file_plants_nothing() -> None:
    assert parse_scenario("", "empty.toml").changes == ()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_reached_by_a_name_and_says_what_it_does(kind: str) -> None:
    changes = [change for each in NAMED.values() for change in each.changes]
    found = [change for change in changes if change.kind == kind]
    assert found
    assert all(change.words for change in found)


def test_the_scenarios_that_were_promised_are_there() -> None:
    assert set(NAMED) >= {
        "none",
        "stationary",
        "taste-flip",
        "taste-flip-genre",
        "taste-flip-device",
        "taste-gradual",
        "taste-recurring",
        "hit-release",
        "catalogue-churn",
        "new-audience",
        "unit-change",
        "field-missing",
        "stuck-client",
        "clock-skew",
        "bots",
        "permute-items",
    }


def test_parameters_are_what_a_kind_has_beside_the_common_fields() -> None:
    assert Unit(begin=1, factor=0.5).parameters() == {"factor": 0.5}
    assert Taste(begin=1).parameters() == {}
    assert Taste(begin=1, shape="recurring", period=0.1).parameters() == {"period": 0.1}


def test_fields_that_may_go_missing_are_those_that_driftline_writes() -> None:
    assert "timestamp" in FIELDS
    assert "timestamp_ms" not in FIELDS


@pytest.mark.parametrize(
    ("name", "hint"),
    [("taste-flop", "did you mean taste-flip?"), ("zzz", "there are stationary, none")],
)
def test_an_unknown_name_is_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(InputError, match=f"no scenario {name}; {hint}"):
        scenario_of(name)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.toml: no such file"):
        scenario_of(str(tmp_path / "gone.toml"))
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# caf\xe9")
    with pytest.raises(InputError, match="not UTF-8 at byte 5"):
        scenario_of(str(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[change]]\nbegin = ", "malformed TOML: Invalid value (at end of document)"),
        ("begin = 0.5\n[[change]]\n", "unknown begin; write each change as a [[change]] table"),
        ("change = 3", "write each change as a [[change]] table"),
        ("[change]\nkind = 'taste'", "write each change as a [[change]] table"),
    ],
)
def test_what_is_no_list_of_changes_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)


WRONG = {
    "an unknown kind": ('kind = "tase"', "line 2, change 1: kind: unknown kind 'tase'; did you"),
    "a kind that is no text": ("kind = 3", "line 2, change 1: kind: unknown kind 3; there are"),
    "no kind": ("begin = 0.5", "line 1, change 1: it has no kind; there are taste, pop"),
    "no beginning": ('kind = "taste"', "line 1, change 1: Object missing required field `begin`"),
    "an unknown field": (
        'kind = "unit"\nbegin = 0.5\nhours = 3',
        "line 4, change 1: hours: a change of kind unit has no such field; it has begin, end,",
    ),
    "a strength above 1": (
        'kind = "taste"\nstrength = 1.5\nbegin = 0.5',
        "line 3, change 1: strength: Expected `float` <= 1.0",
    ),
    "no strength": ('kind = "taste"\nbegin = 0.5\nstrength = 0.0', "line 4, change 1: strength:"),
    "a strength that is no number": (
        'kind = "taste"\nbegin = 0.5\nstrength = nan',
        "line 4, change 1: strength: nan is no number",
    ),
    "a unit that is infinite": (
        'kind = "unit"\nbegin = 0.5\nfactor = inf',
        "line 4, change 1: factor: inf is no number",
    ),
    "a beginning that is no place": (
        'kind = "taste"\nbegin = true',
        "line 3, change 1: begin: Expected `int | float | str`, got `bool`",
    ),
    "a shape": (
        'kind = "taste"\nbegin = 0.5\nshape = "steep"',
        "line 4, change 1: shape: Invalid enum value 'steep'",
    ),
    "a scope": (
        'kind = "unit"\n\nscope = "genre=Drama"\nbegin = 0.5',
        "line 4, change 1: scope: 'genre=Drama' is no scope; write all, genre:X",
    ),
    "an empty scope": ('kind = "unit"\nscope = "genre:"\nbegin = 0.5', "'genre:' is no scope"),
    "all with a name": ('kind = "unit"\nscope = "all:x"\nbegin = 0.5', "'all:x' is no scope"),
    "a scope that the kind has not": (
        'kind = "catalogue"\nscope = "device:tv"\nbegin = 0.5',
        "line 3, change 1: scope: a change of kind catalogue has no scope device:X; it may have",
    ),
    "a gradual change without end": (
        'kind = "taste"\nshape = "gradual"\nbegin = 0.5',
        "line 1, change 1: a gradual change needs an end",
    ),
    "a recurring change without period": (
        'kind = "taste"\nshape = "recurring"\nbegin = 0.5',
        "change 1: period: a recurring change needs one",
    ),
    "a period of what does not recur": (
        'kind = "taste"\nperiod = 0.1\nbegin = 0.5',
        "line 3, change 1: period: a recurring change needs one, the others have none",
    ),
    "a field that no event has": (
        'kind = "missing"\nfield = "viewtime"\nbegin = 0.5',
        "line 3, change 1: field: there is no viewtime; there are user_id, content_id",
    ),
    "a unit that is the same": (
        'kind = "unit"\nfactor = 1.0\nbegin = 0.5',
        "line 3, change 1: factor: 1 changes nothing",
    ),
    "a clock that is right": (
        'kind = "clock"\nhours = 0\nbegin = 0.5',
        "line 3, change 1: hours: 0 changes nothing",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_change_that_makes_no_sense_is_refused_by_its_line(name: str) -> None:
    lines, said = WRONG[name]
    text = refusal(change_of(lines))
    assert text.startswith("scenario week.toml, ")
    assert said in text


def test_the_line_is_that_of_the_change_that_is_wrong() -> None:
    good = change_of('kind = "taste"', "begin = 0.5")
    bad = change_of('kind = "taste"', "begin = 0.5", "strength = 2")
    assert "week.toml, line 7, change 2: strength" in refusal(f"{good}\n{bad}")


def test_a_change_that_has_no_table_of_its_own_is_named_by_its_number() -> None:
    text = 'change = [{kind = "taste", begin = 0.5}, {kind = "tast"}]'
    assert "week.toml, change 2: kind: unknown kind 'tast'" in refusal(text)


@pytest.mark.parametrize(
    ("at", "begin", "end"),
    [(0.2, 0.2, 0.3), (0.95, 0.95, 1.0)],
)
def test_a_change_is_moved_as_a_whole(at: float, begin: float, end: float) -> None:
    (moved,) = overridden(NAMED["unit-change"], at=at).changes
    assert (moved.begin, moved.end) == (begin, end)


def test_a_change_that_lasts_may_be_moved_to_any_kind_of_place() -> None:
    for at in (0.3, 70_000, "2022-01-20"):
        (moved,) = overridden(NAMED["taste-flip"], at=at).changes
        assert (moved.begin, moved.end) == (at, None)


def test_strength_and_scope_may_be_others() -> None:
    (change,) = overridden(NAMED["clock-skew"], strength=0.25, scope="device:tv").changes
    assert change == Clock(begin=0.5, end=0.6, scope="device:tv", strength=0.25, hours=-8)


@pytest.mark.parametrize(
    ("name", "new", "said"),
    [
        ("none", {"strength": 0.5}, "scenario none has 0 changes"),
        ("unit-change", {"at": 500}, "--at 500 cannot move it from 0.5 to 0.6"),
        ("bots", {"strength": 0.95}, "scenario bots, change 1: strength: Expected `float` <= 0.9"),
        ("bots", {"scope": "genre:Drama"}, "a change of kind bots has no scope genre:X"),
        ("taste-flip", {"scope": "drama"}, "'drama' is no scope"),
    ],
)
def test_what_cannot_be_overridden_is_refused(name: str, new: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        overridden(NAMED[name], **new)
    assert said in str(caught.value)


def test_no_override_is_the_same_scenario() -> None:
    assert overridden(NAMED["stationary"]) is NAMED["stationary"]


def test_a_change_says_its_kind_and_two_fields_are_two_topics() -> None:
    assert Taste(begin=1).kind == "taste"
    topics = [Missing(begin=1, field=field).topic for field in ("rating", "view_time")]
    assert len(set(topics)) == 2
    assert all(isinstance(kind(begin=1), Change) for kind in KINDS.values())
