"""The engine keeps every promise of `tests.models.conformance`, in both protocols."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.engine import Engine, EngineConfig
from tests.models.conformance import CHECKS
from tests.models.samples import SMALL, TINY
from tests.models.verbs import Make


def fresh() -> Engine:
    return Engine(SMALL)


def served() -> Engine:
    return Engine(replace(SMALL, protocol="served"))


def fresh_of_few() -> Engine:
    return Engine(TINY)


def served_of_few() -> Engine:
    return Engine(replace(TINY, protocol="served"))


def as_shipped() -> Engine:
    return Engine(EngineConfig())


ROOMY = "its limits lie beyond any stream of a test"
FORGETFUL = "it forgets users and titles that the check asks about"
SAME_PATH = "its path through Python is that of the first, and two processes cost seconds"
SKIPPED: dict[tuple[Make, str], str] = {
    **{(make, "memory_is_bounded"): ROOMY for make in (fresh, served, as_shipped)},
    **{
        (make, check): FORGETFUL
        for make in (fresh_of_few, served_of_few)
        for check in ("lists_are_novel_distinct_and_full", "better_than_popular_and_random")
    },
    **{
        (make, "hash_seed_does_not_matter"): SAME_PATH
        for make in (served, fresh_of_few, served_of_few, as_shipped)
    },
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("make", [fresh, served, fresh_of_few, served_of_few, as_shipped])
def test_the_engine_conforms(make: Make, check: str) -> None:
    reason = SKIPPED.get((make, check))
    if reason:
        pytest.skip(reason)
    CHECKS[check](make)
