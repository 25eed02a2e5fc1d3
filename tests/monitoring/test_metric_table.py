import re

import pytest

from monitoring.metric_table import SECTIONS, TABLE
from monitoring.metrics_page import PAGE, page

ROWS = list(TABLE.values())


def ending(metric):
    """Give what the name of a metric must end with for its kind and unit."""
    if metric.kind == "counter":
        return "_total"
    return f"_{metric.unit}" if metric.unit in {"seconds", "bytes", "ratio"} else ""


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text(encoding="utf-8") == page()


def test_no_name_stands_twice():
    assert len(TABLE) == sum(map(len, SECTIONS.values()))


@pytest.mark.parametrize("metric", ROWS, ids=lambda metric: metric.name)
def test_names_say_prefix_kind_and_base_unit(metric):
    assert re.fullmatch(r"driftline(_[a-z]+)+", metric.name)
    assert metric.name.endswith(ending(metric))
    assert not re.search(r"_(ms|milliseconds|minutes|kb|percent)\b", metric.name)


@pytest.mark.parametrize("metric", ROWS, ids=lambda metric: metric.name)
def test_help_is_a_sentence(metric):
    assert metric.help[0].isupper()
    assert metric.help.endswith(".")


@pytest.mark.parametrize("metric", ROWS, ids=lambda metric: metric.name)
def test_no_label_has_many_values_or_names_a_person(metric):
    for label in metric.labels:
        assert label.name not in {"user", "user_id", "content_id", "title", "session_id"}
        assert isinstance(label.values, str) or len(label.values) < 10


@pytest.mark.parametrize("metric", ROWS, ids=lambda metric: metric.name)
def test_histograms_and_only_they_have_rising_limits(metric):
    assert bool(metric.limits) is (metric.kind == "histogram")
    assert list(metric.limits) == sorted(set(metric.limits))
