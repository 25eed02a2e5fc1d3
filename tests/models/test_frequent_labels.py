import numpy as np

from models.frequent_labels import MOST_COUNTED, N_PLACES, NONE, REST, REVIEW_EVERY, FrequentLabels


def test_the_first_labels_have_places_and_the_rest_share_one():
    labels = FrequentLabels()
    assert [labels.place(f"{n}") for n in range(12)] == [*range(N_PLACES), REST, REST, REST, REST]
    assert labels.place_of("3") == 3
    assert labels.place_of("never seen") == REST
    assert labels.place_of(None) == NONE
    assert labels.label(3) == "3"


def test_a_label_that_becomes_frequent_takes_the_place_of_the_rarest():
    labels = FrequentLabels()
    for n in range(N_PLACES):
        labels.place(f"{n}")
    for n in range(REVIEW_EVERY):
        labels.place("new" if n % 3 else f"{n % (N_PLACES - 1)}")
    assert labels.place_of("new") == REST
    assert labels.review() == [7]
    assert labels.label(7) == "new"
    assert labels.place_of("7") == REST
    assert labels.review() == []


def test_a_label_as_frequent_as_one_with_a_place_waits():
    labels = FrequentLabels()
    for n in range(N_PLACES):
        labels.place(f"{n}")
    for n in range(2 * REVIEW_EVERY):
        labels.place(f"{n % (N_PLACES + 1)}")
        assert labels.review() == []


def test_any_number_of_labels_takes_bounded_memory_and_hides_no_frequent_one():
    labels = FrequentLabels()
    for n in range(3 * REVIEW_EVERY):
        labels.place("frequent" if n % 4 == 3 else f"odd {n}")
        labels.review()
    assert len(labels._counts) <= MOST_COUNTED
    assert len(labels._places) == N_PLACES
    assert labels.place_of("frequent") != REST


def test_restored_it_continues_as_if_uninterrupted():
    rng = np.random.default_rng(4)
    stream = [f"{n}" for n in rng.geometric(0.08, 2 * REVIEW_EVERY + 100)]
    whole, first, second = FrequentLabels(), FrequentLabels(), FrequentLabels()
    expected = [(whole.place(label), whole.review()) for label in stream]
    found = [(first.place(label), first.review()) for label in stream[:5_000]]
    second.restore(first.snapshot())
    found += [(second.place(label), second.review()) for label in stream[5_000:]]
    assert found == expected
    assert any(changed for _, changed in expected)


def test_many_labels_at_once_are_counted_as_one_by_one():
    rng = np.random.default_rng(4)
    drawn = rng.geometric(np.where(np.arange(3 * REVIEW_EVERY) < REVIEW_EVERY, 0.3, 0.03))
    stream = [f"{n}" if n % 5 else None for n in drawn.tolist()]
    single, many = FrequentLabels(), FrequentLabels()
    for begin in range(0, len(stream), 64):
        part = stream[begin : begin + 64]
        assert many.places(part) == [single.place(label) for label in part]
        assert many.review() == single.review()
        state, same = single.snapshot(), many.snapshot()
        assert all(np.array_equal(state[name], same[name]) for name in state)
    assert single.place_of("64") == REST
