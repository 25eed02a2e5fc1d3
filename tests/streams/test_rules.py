import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import SettingsError
from streams.rules import Assertion, PositiveRule, parse_assertion, parse_positive


@pytest.mark.parametrize(
    ("text", "rating", "expected"),
    [
        ("rating >= 4", 4.0, True),
        ("rating >= 4", 3.9, False),
        ("rating>=4", 4.0, True),
        ("  rating   >   4 ", 4.0, False),
        ("rating < 2", 1.0, True),
        ("rating <= 2", 2.0, True),
        ("rating == 5", 5.0, True),
        ("rating != 5", 5.0, False),
        ("rating > -1.5e0", -1.0, True),
    ],
)
def test_a_rating_rule_compares_the_rating(text, rating, expected):
    assert parse_positive(text).matches(rating, None, None) is expected


def test_a_watch_ratio_rule_looks_at_the_watched_share_only():
    rule = parse_positive("watch_ratio >= 0.5")
    assert rule.matches(None, 0.5, None)
    assert not rule.matches(5.0, 0.49, "click")


@pytest.mark.parametrize(
    ("text", "event_types"),
    [
        ("event_type == 'click'", ("click",)),
        ('event_type == "click"', ("click",)),
        ("event_type == click", ("click",)),
        ("event_type in click,like", ("click", "like")),
        ("event_type in click, 'long view'", ("click", "long view")),
    ],
)
def test_an_event_type_rule_lists_the_types_that_count(text, event_types):
    rule = parse_positive(text)
    assert rule.event_types == event_types
    assert all(rule.matches(None, None, name) for name in event_types)
    assert not rule.matches(None, None, "other")


@pytest.mark.parametrize("text", ["rating != 4", "watch_ratio < 1", "event_type in a,b"])
def test_a_missing_value_is_never_positive(text):
    assert parse_positive(text).matches(None, None, None) is False


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected one of rating, watch_ratio, event_type at position 1 of '', found the end"),
        ("stars >= 4", "expected one of rating, watch_ratio, event_type at position 1"),
        ("rating", "expected a comparison (>=, <=, ==, !=, >, <) at position 7"),
        ("rating = 4", "expected a comparison (>=, <=, ==, !=, >, <) at position 8"),
        ("rating >=", "expected a number at position 10"),
        ("rating >= four", "expected a number at position 11"),
        ("rating >= nan", "expected a number at position 11"),
        ("rating >= inf", "expected a number at position 11"),
        ("rating >= 4 or true", "expected the end at position 13"),
        ("event_type >= 4", "expected '==' or 'in' at position 12"),
        ("event_type == click,like", "expected the end at position 20"),
        ("event_type in click,", "expected an event type at position 21"),
        ("event_type in ,click", "expected an event type at position 15"),
        ("event_type == ''", "expected an event type at position 15"),
        ("event_type == 'click", "expected an event type at position 15"),
    ],
)
def test_anything_else_is_refused_with_its_position(text, sentence):
    with pytest.raises(SettingsError) as refusal:
        parse_positive(text)
    assert sentence in str(refusal.value)


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_refused(text):
    try:
        rule = parse_positive(text)
    except SettingsError:
        return
    assert isinstance(rule, PositiveRule)


@given(
    comparison=st.sampled_from([">=", "<=", "==", "!=", ">", "<"]),
    bound=st.floats(-10, 10),
    rating=st.floats(-10, 10),
)
def test_comparisons_mean_what_python_means(comparison, bound, rating):
    expected = eval(f"{rating!r} {comparison} {bound!r}")  # noqa: S307
    assert parse_positive(f"rating {comparison} {bound!r}").matches(rating, None, None) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("recall@10>=0.19", Assertion("recall@10", ">=", 0.19)),
        (" recall@10 >= .19 ", Assertion("recall@10", ">=", 0.19)),
        ("quality.late==0", Assertion("quality.late", "==", 0.0)),
        (
            "baselines.popularity.recall@10<1e-1",
            Assertion("baselines.popularity.recall@10", "<", 0.1),
        ),
    ],
)
def test_an_assertion_names_a_number_and_its_bound(text, expected):
    assert parse_assertion(text) == expected


@pytest.mark.parametrize(
    "text", ["", "recall@10", "recall@10>=", ">=0.1", "recall@10=0.1", "a>=b", "a>=nan", "a >= 1 2"]
)
def test_what_is_no_assertion_is_refused(text):
    with pytest.raises(SettingsError, match="found " + repr(text)[:2]):
        parse_assertion(text)


def test_an_assertion_holds_at_its_bound_and_never_for_nan():
    assertion = parse_assertion("recall@10>=0.19")
    assert assertion.holds(0.19)
    assert not assertion.holds(0.1899)
    assert not parse_assertion("x != 1").holds(math.nan)
