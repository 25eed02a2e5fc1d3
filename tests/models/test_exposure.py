"""What lists expose, against brute force over plain lists."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.exposure import CatalogCoverage, Novelty, PopularityBias

LISTS = st.lists(st.lists(st.integers(-1, 40), min_size=3, max_size=3), max_size=30)


@given(lists=LISTS)
def test_coverage_counts_distinct_titles_after_every_list(lists: list[list[int]]) -> None:
    metric, listed = CatalogCoverage(), set[int]()
    for items in lists:
        metric.update(items)
        listed |= set(items) - {-1}
        assert metric.get() == len(listed)


@given(lists=LISTS, cut=st.integers(0, 30))
def test_coverage_is_restored_and_continues(lists: list[list[int]], cut: int) -> None:
    whole, first, second = CatalogCoverage(), CatalogCoverage(), CatalogCoverage()
    whole.update_many(np.array(lists, np.int32))
    first.update_many(np.array(lists[:cut], np.int32))
    second.restore(first.snapshot())
    second.update_many(np.array(lists[cut:], np.int32))
    assert second.snapshot()["listed"].tolist() == whole.snapshot()["listed"].tolist()


def test_coverage_of_an_empty_catalogue_is_not_a_number() -> None:
    assert math.isnan(CatalogCoverage().share(0))


@given(lists=LISTS, cut=st.integers(0, 30))
def test_novelty_is_mean_self_information(lists: list[list[int]], cut: int) -> None:
    metric, chunked = Novelty(), Novelty()
    bits = []
    for n_views, views in enumerate(lists, start=100):
        metric.update(views, n_views)
        bits += [math.log2((1 + n_views) / (1 + v)) for v in views if v >= 0]
        if bits:
            assert metric.get() == pytest.approx(sum(bits) / len(bits), abs=2e-6)
    totals = np.arange(100, 100 + len(lists))
    array = np.array(lists, np.int32).reshape(-1, 3)
    chunked.update_many(array[:cut], totals[:cut])
    chunked.update_many(array[cut:], totals[cut:])
    assert chunked.sums.tolist() == metric.sums.tolist()


@given(lists=LISTS, target=st.integers(1, 9))
def test_popularity_bias_is_a_ratio_of_means(lists: list[list[int]], target: int) -> None:
    metric = PopularityBias()
    for views in lists:
        metric.update(views, target)
    places = [v for views in lists for v in views if v >= 0]
    if places:
        assert metric.get() == pytest.approx(sum(places) / len(places) / target)
    else:
        assert math.isnan(metric.get())


def test_sums_are_restored() -> None:
    metric, other = PopularityBias(), PopularityBias()
    metric.update([4, 2, -1], target_views=1)
    other.restore(metric.snapshot())
    metric.update([0, 0, 0], target_views=1)
    assert other.get() == 3.0


def test_nothing_listed_has_no_novelty() -> None:
    assert math.isnan(Novelty().get())
