from models.busy_users import N_WINDOWS, WINDOW, BusyUsers

SPAN = N_WINDOWS * WINDOW


def feed(busy, users, *, may_learn=True):
    found = []
    for user in users:
        busy.latest.append(user)
        if (share := busy.concentration(may_learn=may_learn)) is not None:
            found.append(share)
    return found


def people(n, first=0):
    return [f"user {k % 200}" for k in range(first, first + n)]


def test_the_share_of_the_busiest_is_known_once_a_span_is_full():
    assert feed(BusyUsers(), people(SPAN - 1)) == []
    assert feed(BusyUsers(), ["a"] * SPAN) == [1.0]


def test_users_far_busier_than_usual_are_suspects_and_people_are_not():
    busy = BusyUsers()
    calm = feed(busy, people(2 * SPAN))
    assert max(calm) < 0.05
    assert busy.suspects() == frozenset()
    mixed = ["bot" if n % 10 == 0 else user for n, user in enumerate(people(SPAN))]
    assert max(feed(busy, mixed, may_learn=False)) > 0.1
    assert busy.suspects() == {"bot"}


def test_what_is_not_usual_is_not_learned():
    busy = BusyUsers()
    feed(busy, people(SPAN))
    usual = busy._usual
    feed(busy, ["bot"] * SPAN, may_learn=False)
    assert busy._usual == usual


def test_a_forgotten_user_is_nobody():
    busy = BusyUsers()
    feed(busy, people(SPAN))
    feed(busy, ["bot"] * SPAN, may_learn=False)
    busy.latest.append("bot")
    busy.forget("bot")
    assert busy.suspects() == frozenset()
    assert busy.latest == [""]


def test_restored_it_continues_as_if_uninterrupted():
    users = [*people(SPAN + 300), *["bot", "user 1"] * 400]
    whole, first, second = BusyUsers(), BusyUsers(), BusyUsers()
    expected = feed(whole, users)
    found = feed(first, users[:1_100])
    second.restore(first.snapshot())
    assert found + feed(second, users[1_100:]) == expected
    assert second.suspects() == whole.suspects() == {"bot", "user 1"}
