from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.dedup import EventKey, RecentEvents, event_key
from streams.events import View

KEYS: st.SearchStrategy[EventKey] = st.one_of(
    st.sampled_from("abcdef"),
    st.tuples(st.sampled_from("uv"), st.sampled_from("xyz"), st.sampled_from([0.5, 1.0])),
)


@given(st.lists(KEYS), st.integers(0, 5))
def test_a_key_is_seen_while_it_is_among_the_last_accepted_ones(
    keys: list[EventKey], window: int
) -> None:
    recent, accepted = RecentEvents(window), list[EventKey]()
    for key in keys:
        is_duplicate = key in accepted[max(0, len(accepted) - window) :]
        assert recent.has_seen(key) == is_duplicate
        if not is_duplicate:
            recent.remember(key, "u")
            accepted.append(key)


@given(st.lists(KEYS, unique=True), st.lists(KEYS, unique=True), st.integers(1, 5))
def test_restored_it_forgets_in_the_same_order(
    before: list[EventKey], after: list[EventKey], window: int
) -> None:
    uninterrupted, restored = RecentEvents(window), RecentEvents(window)
    for key in before:
        uninterrupted.remember(key, "u")
    restored.restore(uninterrupted.snapshot())
    for key in after:
        assert restored.has_seen(key) == uninterrupted.has_seen(key)
        if not uninterrupted.has_seen(key):
            uninterrupted.remember(key, "u")
            restored.remember(key, "u")


def user_of(key: EventKey) -> str:
    """Return whose event it is: of ids, a and b are one user's."""
    return ("u" if key in "ab" else "w") if isinstance(key, str) else key[0]


@given(st.lists(KEYS), st.integers(0, 40), st.integers(1, 5))
def test_who_is_forgotten_has_no_events_and_others_have_theirs_as_before(
    keys: list[EventKey], at: int, window: int
) -> None:
    recent, accepted = RecentEvents(window), list[EventKey | None]()
    for n, key in enumerate(keys):
        if n == at:
            recent.forget("u")
            accepted = [a if a is not None and user_of(a) != "u" else None for a in accepted]
            recent.restore(recent.snapshot())
        is_duplicate = key in accepted[max(0, len(accepted) - window) :]
        assert recent.has_seen(key) == is_duplicate
        if not is_duplicate:
            recent.remember(key, user_of(key))
            accepted.append(key)


def test_no_bytes_of_who_is_forgotten_are_saved() -> None:
    recent = RecentEvents(9)
    recent.remember(("annabel", "secret", 1.0), "annabel")
    recent.remember("annabel-event-1", "annabel")
    recent.remember(("bob", "film", 1.0), "bob")
    restored = RecentEvents(9)
    restored.restore(recent.snapshot())
    for each in (recent, restored):
        each.forget("annabel")
        saved = b"".join(array.tobytes() for array in each.snapshot().values())
        assert b"annabel" not in saved
        assert b"secret" not in saved
        assert each.has_seen(("bob", "film", 1.0))


def test_events_are_told_apart_by_their_id_when_they_have_one() -> None:
    first = View("1", "12345", 1.6e9, event_id="e1")

    assert event_key(first) == event_key(View("2", "678", 1.7e9, event_id="e1"))
    assert event_key(first) != event_key(View("1", "12345", 1.6e9, event_id="e2"))
    assert event_key(first) != event_key(View("1", "12345", 1.6e9))


def test_without_an_id_user_content_and_time_as_given_must_agree() -> None:
    first = View("1", "12345", 1.6e9, rating=3.0)

    assert event_key(first) == event_key(View("1", "12345", 1.6e9, rating=4.0))
    assert event_key(first) != event_key(View("1", "12345", 1.6e9 + 0.001))
    assert event_key(View("1", "23", 1.6e9)) != event_key(View("12", "3", 1.6e9))
