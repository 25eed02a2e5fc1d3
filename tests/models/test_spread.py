import numpy as np

from models.spread import MEMORY, Spread


def test_padding_is_no_title():
    spread = Spread()
    spread.update_many(np.full((3, 2), -1))
    assert (spread.coverage(n_titles=5), spread.concentration()) == (0.0, 0.0)


def test_one_list_for_all_is_as_narrow_as_can_be():
    spread = Spread()
    spread.update_many(np.tile(np.arange(10), (50, 1)))
    assert spread.coverage(n_titles=100) == 0.1
    assert spread.concentration() == 1.0


def test_all_titles_alike_are_as_wide_as_can_be():
    spread = Spread()
    spread.update_many(np.arange(1000).reshape(100, 10))
    assert spread.coverage(n_titles=1000) == 1.0
    assert spread.concentration() == 0.01


def test_what_was_listed_long_ago_is_forgotten():
    spread = Spread()
    spread.update_many(np.full((10, 1), 7))
    for _ in range(5):
        spread.update_many(np.zeros((MEMORY, 1), np.int64))
    assert spread.coverage(n_titles=10) == 0.1


def test_a_title_that_comes_later_is_counted():
    spread = Spread()
    spread.update_many(np.array([[0, 1]]))
    spread.update_many(np.array([[8, 1]]))
    assert spread.coverage(n_titles=9) == 3 / 9
    assert spread.concentration(top=1) == 0.5
