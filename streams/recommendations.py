"""Recommendation records: the engine's rows with names, scores and reasons in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.reasons import BECAUSE_YOU_WATCHED, NEW_IN_GENRE
from streams.events import (
    BecauseYouWatched,
    NewInGenre,
    PopularNow,
    Reason,
    Recommendation,
    RecommendedItem,
    Source,
)

if TYPE_CHECKING:
    from models.batch import Lists
    from models.engine import Engine
    from models.engine import View as Learnable
    from streams.arrivals import Arrival
    from streams.catalogue import Catalogue

NEW_USERS = "__new_users__"
"""Reserved key of the list for users unknown so far."""


class Recommender:
    """Names what the engine lists.

    Parameters
    ----------
    engine
        Whose rows are named.
    catalogue
        Where titles have names for people; an id stands for itself otherwise.
    """

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self.engine = engine
        self.catalogue = catalogue

    def record(
        self, lists: Lists, row: int, learned: Learnable, arrival: Arrival
    ) -> Recommendation:
        """Return the record of the list made right after an event was learned."""
        return Recommendation(
            user_id=learned.user_id,
            items=self.items(lists, row),
            event_time=learned.time,
            based_on=arrival.origin,
        )

    def record_for_new_users(self, arrival: Arrival) -> Recommendation:
        """Return the record of the list for users unknown so far, as of the latest event."""
        time = self.engine.latest_time
        lists = self.engine.recommend(NEW_USERS, time)
        return Recommendation(NEW_USERS, self.items(lists, 0), time, arrival.origin)

    def items(self, lists: Lists, row: int) -> list[RecommendedItem]:
        """Return one list, best first."""
        name = self.engine.titles.name
        return [
            RecommendedItem(name(title), score, self._reason(kind, genre, sources, shares))
            for title, score, kind, genre, sources, shares in zip(
                lists.title[row].tolist(),
                lists.score[row].tolist(),
                lists.kind[row].tolist(),
                lists.genre[row].tolist(),
                lists.source[row].tolist(),
                lists.share[row].tolist(),
                strict=True,
            )
            if title >= 0
        ]

    def title_of(self, content_id: str) -> str:
        """Return the title's name for people, or its id."""
        content = self.catalogue.get(content_id)
        return content_id if content is None or content.title is None else content.title

    def _reason(self, kind: int, genre: int, rows: list[int], shares: list[float]) -> Reason:
        if kind == BECAUSE_YOU_WATCHED:
            return self._because(rows, shares)
        if kind == NEW_IN_GENRE:
            named = self.engine.genres.name(genre)
            return NewInGenre(genre=named, text=f"new in {named}, a genre you watch")
        return PopularNow(text="popular now")

    def _because(self, rows: list[int], shares: list[float]) -> BecauseYouWatched:
        name = self.engine.titles.name
        sources = [
            Source(name(title), min(share, 1.0))
            for title, share in zip(rows, shares, strict=True)
            if title >= 0
        ]
        strongest = sources[0]
        text = f"because you watched {self.title_of(strongest.content_id)}"
        return BecauseYouWatched(sources=sources, text=f"{text}, {100 * strongest.share:.0f} %")
