from __future__ import annotations

from streams.catalogue import Catalogue
from streams.events import Content

ALIEN = Content("1", "Alien", ("Horror", "Sci-Fi"), 296524800.0, 117.0, ("Ridley Scott",))


def test_a_title_is_replaced_by_its_news() -> None:
    catalogue = Catalogue()
    catalogue.put(ALIEN)
    catalogue.put(Content("1", "Alien (1979)"))

    assert catalogue.get("1") == Content("1", "Alien (1979)")
    assert len(catalogue) == 1


def test_a_withdrawn_title_is_gone() -> None:
    catalogue = Catalogue()
    catalogue.put(ALIEN)
    catalogue.withdraw("1")
    catalogue.withdraw("never there")

    assert catalogue.get("1") is None
    assert list(catalogue) == []


def test_the_title_whose_news_are_oldest_makes_room() -> None:
    catalogue = Catalogue(max_titles=2)
    for content_id in ("1", "2", "1", "3"):
        catalogue.put(Content(content_id))

    assert [content.content_id for content in catalogue] == ["1", "3"]


def test_restored_it_holds_the_same_titles_and_evicts_in_the_same_order() -> None:
    catalogue, restored = Catalogue(max_titles=3), Catalogue(max_titles=3)
    for content in (Content("2"), Content("ä", released=-1e9), ALIEN, Content("2", "Two")):
        catalogue.put(content)
    restored.restore(catalogue.snapshot())
    assert list(restored) == list(catalogue)

    restored.put(Content("new"))

    assert [content.content_id for content in restored] == ["1", "2", "new"]
