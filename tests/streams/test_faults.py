"""Faults in lines: what they do, where, how often, and that nothing else changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.change_kinds import FIELDS, Bots, Change, Clock, Missing, Permute, Stuck, Unit
from streams.decoding import JsonDecoder
from streams.errors import RejectedEvent
from streams.events import View, encode_view
from streams.faults import Fault, Surroundings, faulty
from streams.planted_lines import Line
from streams.spans import Span

N, BEGIN, END = 2_000, 500, 1_500
GENRES = {f"t{n}": ("Drama",) if n % 4 == 0 else ("War", "Crime") for n in range(40)}
AROUND = Surroundings(seed=3, genres=GENRES, ids=list(GENRES))


def view(number: int) -> View:
    """Return a view with every field."""
    return View(
        f"u{number % 37}",
        f"t{number % 40}",
        1e9 + number,
        view_time=100.0 + number % 7,
        rating=4.0,
        duration=200.0,
        event_type="play",
        event_id=f"e{number}",
        session_id=f"s{number // 5}",
        device=("tv", "phone")[number % 2],
        source=("home", "search", "mail")[number % 3],
    )


VIEWS = [view(number) for number in range(N)]


def lines_of(views: Sequence[View | None] = VIEWS) -> list[Line]:
    return [
        Line(number, 1e9 + number, view, b"not an event" if view is None else None)
        for number, view in enumerate(views)
    ]


def planted(change: Change, around: Surroundings = AROUND) -> list[Line]:
    span = Span(BEGIN, END)
    return list(faulty(lines_of(), [Fault(change, 0, span, around)]))


def marked(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.marks]


def original(line: Line) -> View:
    return VIEWS[int(line.place)]


EVERY: list[Change] = [
    Unit(begin=1),
    Missing(begin=1, field="rating"),
    Missing(begin=1, field="content_id"),
    Stuck(begin=1),
    Clock(begin=1),
    Bots(begin=1),
    Permute(begin=1),
]


def kind_of(change: Change) -> str:
    return change.kind


@pytest.mark.parametrize("change", EVERY, ids=kind_of)
def test_lines_that_are_not_marked_are_as_they_were_and_none_is_lost(change: Change) -> None:
    lines = planted(change)
    untouched = [line for line in lines if not line.marks]
    assert all(line.view == original(line) and line.value is None for line in untouched)
    assert {line.place for line in lines} == set(range(N))
    assert {line.place for line in marked(lines)} <= set(range(BEGIN, END))
    assert len(marked(lines)) > 100


@pytest.mark.parametrize("change", EVERY, ids=kind_of)
def test_the_same_seed_plants_the_same(change: Change) -> None:
    texts = [[line.encoded() for line in planted(change)] for _ in range(2)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "change",
    [
        Missing(begin=1),
        Stuck(begin=1),
        Bots(begin=1),
        Permute(begin=1),
        Clock(begin=1, strength=0.5),
        Unit(begin=1, strength=0.5),
    ],
    ids=kind_of,
)
def test_another_seed_plants_another(change: Change) -> None:
    other = Surroundings(4, AROUND.genres, AROUND.ids)
    texts = [[line.encoded() for line in planted(change, around)] for around in (AROUND, other)]
    assert texts[0] != texts[1]


SCOPES: dict[str, Callable[[View], bool]] = {
    "device:phone": lambda view: view.device == "phone",
    "source:mail": lambda view: view.source == "mail",
    "genre:Crime": lambda view: "Crime" in GENRES[view.content_id],
}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("kind", [Unit, Clock])
def test_a_fault_keeps_to_its_scope(kind: type[Change], scope: str) -> None:
    lines = planted(kind(begin=1, scope=scope))
    for line in lines:
        inside = BEGIN <= line.place < END and SCOPES[scope](original(line))
        assert bool(line.marks) == inside


def test_a_unit_multiplies_view_times_and_nothing_else() -> None:
    for line in marked(planted(Unit(begin=1, factor=0.5))):
        before = original(line)
        assert before.view_time is not None
        assert line.view is not None
        assert line.view.view_time == before.view_time / 2
        assert line.view.duration == before.duration


@pytest.mark.parametrize("kind", [Unit, Clock])
def test_a_share_of_the_users_is_always_the_same_ones(kind: type[Change]) -> None:
    lines = planted(kind(begin=1, strength=0.4))
    inside = [line for line in lines if BEGIN <= line.place < END]
    hit = {original(line).user_id for line in inside if line.marks}
    assert not hit & {original(line).user_id for line in inside if not line.marks}
    assert 5 < len(hit) < 28


def test_a_clock_shifts_event_times() -> None:
    for line in marked(planted(Clock(begin=1, hours=-2.5))):
        assert line.view is not None
        assert line.view.event_time == original(line).event_time - 9_000
        assert line.event_time == original(line).event_time


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_field_is_absent_from_the_bytes(field: str) -> None:
    lines = planted(Missing(begin=1, field=field, strength=0.3))
    assert len(marked(lines)) == pytest.approx(300, abs=60)
    key = f'"{field}":'.encode()
    for line in lines:
        assert (key in line.encoded()) == (not line.marks)


@pytest.mark.parametrize("field", ["user_id", "content_id", "timestamp"])
def test_an_event_without_a_required_field_is_refused(field: str) -> None:
    line = marked(planted(Missing(begin=1, field=field)))[0]
    with pytest.raises(RejectedEvent, match=field):
        JsonDecoder().decode_view(line.encoded())


def test_a_stuck_client_repeats_one_line_byte_for_byte_in_its_share_of_lines() -> None:
    lines = planted(Stuck(begin=1, strength=0.3, scope="device:phone"))
    copies = {line.encoded() for line in marked(lines)}
    assert len(copies) == 1
    first = next(line for line in lines if line.encoded() in copies)
    assert not first.marks
    assert original(first).device == "phone"
    assert BEGIN <= first.place <= BEGIN + 1
    share = len(marked(lines)) / (len(marked(lines)) + END - BEGIN)
    assert share == pytest.approx(0.3, abs=0.03)


def test_bots_watch_anything_that_was_watched_before_in_their_share_of_lines() -> None:
    lines = planted(Bots(begin=1, users=2, strength=0.5, scope="device:tablet"))
    bots = [line.view for line in marked(lines) if line.view]
    assert len(bots) == pytest.approx(1_000, abs=100)
    by_user = Counter(view.user_id for view in bots)
    assert len(by_user) == 2
    assert not set(by_user) & {view.user_id for view in VIEWS}
    assert min(by_user.values()) > 400
    by_title = Counter(view.content_id for view in bots)
    assert set(by_title) == set(GENRES)
    assert max(by_title.values()) < 3 * min(by_title.values())
    assert {view.device for view in bots} == {"tablet"}
    assert max(view.view_time or 0 for view in bots) < 3


def test_bots_watch_only_titles_that_are_there() -> None:
    views = [View("a", f"t{number}", float(number)) for number in range(50)]
    span = Span(0, 50)
    lines = list(faulty(lines_of(views), [Fault(Bots(begin=1, strength=0.5), 0, span, AROUND)]))
    for line in marked(lines):
        assert line.view is not None
        assert int(line.view.content_id[1:]) <= line.place


def test_ids_are_permuted_one_to_one_between_begin_and_end() -> None:
    lines = planted(Permute(begin=1))
    new = {
        (original(line).content_id, line.view.content_id)
        for line in lines
        if line.view and BEGIN <= line.place < END
    }
    assert len(new) == 40
    assert sorted(old for old, _ in new) == sorted(name for _, name in new) == sorted(GENRES)
    assert sum(old == name for old, name in new) < 6


def test_ids_of_a_genre_are_permuted_among_themselves() -> None:
    lines = planted(Permute(begin=1, scope="genre:Drama"))
    for line in marked(lines):
        assert line.view is not None
        assert GENRES[line.view.content_id] == GENRES[original(line).content_id] == ("Drama",)
    inside = [line for line in lines if BEGIN <= line.place < END]
    assert sum("Drama" in GENRES[original(line).content_id] for line in inside) == len(
        marked(lines)
    )


def test_half_the_titles_swap_their_ids_among_themselves() -> None:
    lines = planted(Permute(begin=1, strength=0.5))
    swapped = {original(line).content_id for line in marked(lines)}
    assert 10 < len(swapped) < 30
    assert swapped == {line.view.content_id for line in marked(lines) if line.view}


@pytest.mark.parametrize("change", EVERY, ids=kind_of)
def test_records_that_are_no_views_stay_as_they_are(change: Change) -> None:
    views: list[View | None] = [None if number % 3 else view(number) for number in range(N)]
    lines = faulty(lines_of(views), [Fault(change, 0, Span(BEGIN, END), AROUND)])
    bad = [line for line in lines if line.view is None and not line.marks]
    assert len(bad) == sum(view is None for view in views)
    assert {line.encoded() for line in bad} == {b"not an event"}


@given(chosen=st.lists(st.sampled_from(EVERY), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_faults_add_up_and_each_leaves_its_own_mark(chosen: list[Change]) -> None:
    faults = [
        Fault(change, number, Span(BEGIN, END), AROUND) for number, change in enumerate(chosen)
    ]
    lines = list(faulty(lines_of(), faults))
    for number in range(len(chosen)):
        assert any(line.marks >> number & 1 for line in lines)
    for line in lines:
        if not line.marks:
            assert line.encoded() == encode_view(original(line))
