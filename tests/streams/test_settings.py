import typing
from pathlib import Path

import msgspec
import pytest

from streams.errors import SettingsError
from streams.settings import (
    EngineSettings,
    QualitySettings,
    ReplaySettings,
    Settings,
    settings_table,
)
from streams.settings_page import settings_page

ROOT = Path(__file__).parents[2]
NAMES = [row.name for row in settings_table()]


def test_every_setting_says_what_it_is_for():
    silent = [row.name for row in settings_table() if not row.meta.description]
    assert silent == []


def test_a_number_that_counts_something_has_a_unit():
    bare = {
        row.name for row in settings_table() if not isinstance(row.default, str) and not row.unit
    }
    assert bare == {
        "worker.slot",
        "monitoring.port",
        "worker.breaker_share",
        "quality.rating_min",
        "quality.rating_max",
        "engine.learning_rate",
        "engine.weak_strength",
        "engine.weigh_by_strength",
        "worker.static_membership",
        "drift.detect",
        "drift.protect",
        "drift.adapt",
    }


def test_a_name_that_ends_in_a_unit_has_that_unit():
    seconds = [row for row in settings_table() if row.name.endswith("_s")]
    assert {row.unit for row in seconds} == {"s"}


@pytest.mark.parametrize("row", settings_table(), ids=NAMES)
def test_every_default_is_allowed(row):
    assert msgspec.convert(row.default, type=row.annotation) == row.default


def test_variables_are_unambiguous():
    variables = [row.variable for row in settings_table()]
    assert len(set(variables)) == len(variables)


def test_the_page_of_settings_is_the_table():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == settings_page(), "run `python -m streams.settings`"


def changed(row):
    """Settings that differ from the defaults in one setting."""
    section, _, field = row.name.partition(".")
    kind = typing.get_args(row.annotation)[0]
    if kind is str:
        value = "rating >= 4"
    elif typing.get_origin(kind) is typing.Literal:
        value = next(choice for choice in typing.get_args(kind) if choice != row.default)
    elif kind is bool:
        value = not row.default
    else:
        value = row.default / 2 if row.meta.le == 1 else abs(row.default or 1) * 2
    return msgspec.convert({section: {field: value}}, type=Settings)


@pytest.mark.parametrize("row", settings_table(), ids=NAMES)
def test_the_fingerprint_sees_exactly_the_settings_that_results_depend_on(row):
    same = changed(row).fingerprint() == Settings().fingerprint()
    sections = ("worker.", "topics.", "monitoring.")
    is_operation = row.name.startswith(sections) or row.name == "replay.batch_size"
    assert same == (is_operation and row.name != "worker.replayed_kept_s")


def test_the_fingerprint_does_not_depend_on_how_a_number_was_written():
    whole = Settings(quality=QualitySettings(rating_max=5))
    fraction = Settings(quality=QualitySettings(rating_max=5.0))
    assert whole.fingerprint() == fraction.fingerprint()


def test_the_fingerprint_leaves_the_broker_out():
    assert Settings(kafka={"bootstrap.servers": "a"}).fingerprint() == Settings().fingerprint()


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        ReplaySettings().batch_size = 1


def test_an_empty_rating_scale_is_refused():
    with pytest.raises(SettingsError, match=r"quality\.rating_min \(5\) must be below .* \(5\)"):
        QualitySettings(rating_min=5, rating_max=5)


def test_a_positive_rule_that_cannot_be_read_is_refused_at_once():
    with pytest.raises(SettingsError, match=r"engine\.positive: expected a number at position 11"):
        EngineSettings(positive="rating >= four")
