"""Lists of the engine's rows as records with names, scores and reasons in words."""

from __future__ import annotations

import numpy as np
import pytest

from models.batch import Lists, new_lists
from models.engine import Engine
from models.interface import EngineConfig
from models.interface import View as Learnable
from models.reasons import BECAUSE_YOU_WATCHED, NEW_IN_GENRE, POPULAR_NOW
from streams.arrivals import Arrival
from streams.catalogue import Catalogue
from streams.events import (
    BecauseYouWatched,
    Content,
    NewInGenre,
    Origin,
    PopularNow,
    RecommendedItem,
    Source,
    View,
)
from streams.recommendations import Recommender


@pytest.fixture
def recommender() -> Recommender:
    """Know three titles, of which one has a name, and a genre."""
    engine, catalogue = Engine(EngineConfig(k=4)), Catalogue(10)
    for title in ("a", "b", "c"):
        engine.describe(title, genres=["Western"])
    catalogue.put(Content("a", title="Amber"))
    catalogue.put(Content("b"))
    return Recommender(engine, catalogue)


@pytest.fixture
def lists() -> Lists:
    """List the three titles, each for another reason."""
    lists = new_lists(1, 4)
    lists.title[0] = [2, 1, 0, -1]
    lists.score[0] = [3.0, 2.0, 1.0, 0.0]
    lists.kind[0] = [BECAUSE_YOU_WATCHED, NEW_IN_GENRE, POPULAR_NOW, POPULAR_NOW]
    lists.source[0, 0] = -1
    lists.source[0, 0, :2] = [0, 1]
    lists.share[0, 0, :2] = [np.float32(0.625), np.float32(0.25)]
    lists.genre[0, 1] = 0
    return lists


def test_every_reason_is_named_and_put_in_words(recommender: Recommender, lists: Lists) -> None:
    because = BecauseYouWatched(
        sources=[Source("a", 0.625), Source("b", 0.25)], text="because you watched Amber, 62 %"
    )
    assert recommender.items(lists, 0) == [
        RecommendedItem("c", 3.0, because),
        RecommendedItem("b", 2.0, NewInGenre("Western", "new in Western, a genre you watch")),
        RecommendedItem("a", 1.0, PopularNow("popular now")),
    ]


def test_a_share_never_exceeds_all_of_it(recommender: Recommender, lists: Lists) -> None:
    lists.share[0, 0, 0] = np.float32(1.0000001)
    reason = recommender.items(lists, 0)[0].reason
    assert isinstance(reason, BecauseYouWatched)
    assert reason.sources[0].share == 1.0


def test_a_record_says_which_event_it_is_based_on(recommender: Recommender, lists: Lists) -> None:
    learned = Learnable("7", "a", time=5.0, group_time=5.5)
    arrival = Arrival(Origin(3, "log.jsonl"), b"", View("7", "a", 5.5))
    record = recommender.record(lists, 0, learned, arrival)
    assert (record.user_id, record.event_time) == ("7", 5.0)
    assert record.based_on == Origin(line=3, file="log.jsonl")
    assert record.items == recommender.items(lists, 0)


def test_a_title_without_a_name_is_called_by_its_id(recommender: Recommender) -> None:
    names = [recommender.title_of(title) for title in ("a", "b", "unknown")]
    assert names == ["Amber", "b", "unknown"]


def test_an_empty_list_is_an_empty_list(recommender: Recommender) -> None:
    lists = new_lists(1, 4)
    lists.title[:] = -1
    assert recommender.items(lists, 0) == []
