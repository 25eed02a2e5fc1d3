"""Example users: what they watched, what is listed for them, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitoring.report.markup import Markup, element
from monitoring.report.parts import paragraph, section
from monitoring.report.values import Item, Person, Report
from monitoring.report.words import words_of


def people_section(report: Report) -> Markup:
    """Return a list a user, as of the latest event."""
    about = (
        "Lists as of the end of the log. Reasons are exact shares, not guesses; the last column"
        " has the parts of a score that set the title most apart from the other candidates."
    )
    people = [_person(person) for person in report.people]
    return section("people", "Example users", paragraph(about), *people)


def _person(person: Person) -> Markup:
    heading = element("h3", "User ", element("bdi", person.user_id))
    if not person.is_known:
        watched = paragraph("Without history here: popular titles.", "note")
    else:
        lately = [element("bdi", title) for title in person.lately]
        watched = element(
            "p",
            f"Watched {person.n_watched:,} titles, lately ",
            *_separated(lately),
            ".",
            class_="note",
        )
    items = element("ol", *map(_item, person.items), class_="items")
    return element("article", heading, watched, items)


def _item(item: Item) -> Markup:
    parts = ", ".join(f"{words_of(name).label} {_signed(value)}" for name, value in item.parts)
    return element(
        "li",
        element("span", element("bdi", item.title), class_="title"),
        element("span", element("bdi", item.reason), class_="why"),
        element("span", parts, class_="parts") if parts else None,
    )


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def _separated(words: Sequence[Markup]) -> Iterable[Markup | str]:
    for n, word in enumerate(words):
        if n:
            yield ", "
        yield word
