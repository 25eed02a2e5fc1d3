"""What the lists expose: how much of the catalogue, and how popular it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from models.metrics import Integers, Snapshot

_BITS = 1 << 20  # fixed point of logarithms: a millionth of a bit, and integer sums commute


@dataclass(frozen=True, slots=True)
class Exposure:
    """How popular the lists and the watched titles were just before each event.

    Attributes
    ----------
    list_views : integer[n, k]
        Views of each listed title; -1 is padding.
    target_views : integer[n]
        Views of the watched title.
    n_views : integer[n]
        Views of all titles.
    """

    list_views: Integers
    target_views: Integers
    n_views: Integers


class CatalogCoverage:
    """How many distinct titles the lists have shown.

    One byte a title, by the dense index of the title; a list of k costs k writes. An index that
    is given to another title later counts once.

    Examples
    --------
    >>> metric = CatalogCoverage()
    >>> metric.update([3, 1, -1])
    >>> metric.update([1, 2, 3])
    >>> metric.get(), metric.share(n_titles=12)
    (3, 0.25)
    """

    name = "catalog_coverage"

    def __init__(self) -> None:
        # Element 0 swallows the padding, so that no list needs a mask.
        self._is_listed = np.zeros(1, np.bool_)

    def update(self, items: Sequence[int]) -> None:
        """Count one list of dense title indices; -1 is padding."""
        self.update_many(np.asarray(items, np.int32))

    def update_many(self, lists: Integers) -> None:
        """Count lists of dense title indices, of any shape, padded with -1."""
        if not lists.size:
            return
        self._grow(int(lists.max()) + 2)
        self._is_listed[lists.ravel() + 1] = True

    def get(self) -> int:
        """Count the distinct titles listed so far."""
        return int(np.count_nonzero(self._is_listed[1:]))

    def share(self, n_titles: int) -> float:
        """Give the distinct titles listed as a share of a catalogue; NaN when it is empty."""
        return self.get() / n_titles if n_titles else math.nan

    def snapshot(self) -> Snapshot:
        """Give the listed indices, ascending."""
        return {"listed": np.flatnonzero(self._is_listed[1:])}

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Take the listed indices of a snapshot."""
        self._is_listed = np.zeros(1, np.bool_)
        self.update_many(snapshot["listed"])

    def _grow(self, size: int) -> None:
        if size > self._is_listed.size:
            grown = np.zeros(max(size, 2 * self._is_listed.size), np.bool_)
            grown[: self._is_listed.size] = self._is_listed
            self._is_listed = grown


class _IntegerSums:
    """Exact state of a metric that is a quotient of integer sums."""

    def __init__(self, n_sums: int) -> None:
        self.sums = np.zeros(n_sums, np.int64)

    def snapshot(self) -> Snapshot:
        """Give the sums as an array that shares no memory with the metric."""
        return {"sums": self.sums.copy()}

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Take the sums of a snapshot."""
        self.sums = snapshot["sums"].astype(np.int64)


class Novelty(_IntegerSums):
    r"""Mean self-information of a listed title, in bits: high when lists avoid the popular.

    .. math:: \frac{1}{m} \sum_{i} \log_2 \frac{1 + V}{1 + v_i}

    over all m list places, where :math:`v_i` are the views of the title before the event and V
    those of all titles; the ones keep a title without views finite. Logarithms are summed as
    multiples of 2^-20, so the order of events is irrelevant.

    References
    ----------
    Zhou et al. (2010). Solving the apparent diversity-accuracy dilemma of recommender systems.
    PNAS 107(10), "surprisal".

    Examples
    --------
    >>> metric = Novelty()
    >>> metric.update([3, 7, -1], n_views=31)
    >>> metric.get()
    2.5
    """

    name = "novelty"

    def __init__(self) -> None:
        super().__init__(2)

    def update(self, list_views: Sequence[int], n_views: int) -> None:
        """Count one list by the views of its titles (-1 is padding) among all views so far."""
        self.update_many(np.asarray([list_views], np.int64), np.asarray([n_views], np.int64))

    def update_many(self, list_views: Integers, n_views: Integers) -> None:
        """Count lists, one a row of `list_views`, each among `n_views` views."""
        # Padding has -1 views, so its logarithm is log2(1) once the sign is cut off.
        lengths = np.count_nonzero(list_views >= 0, axis=1)
        of_titles = _fixed_log2(np.maximum(list_views, 0)).sum()
        self.sums += np.array([_fixed_log2(n_views) @ lengths - of_titles, lengths.sum()])

    def get(self) -> float:
        """Mean bits a list place; NaN before the first."""
        bits, n = self.sums.tolist()
        return bits / n / _BITS if n else math.nan


class PopularityBias(_IntegerSums):
    r"""Mean views of a listed title over mean views of a watched one: 1 is unbiased.

    .. math:: \frac{\frac{1}{m} \sum_i v_i}{\frac{1}{n} \sum_e v_{t(e)}}

    where the sum above runs over all m list places, the one below over the targets t(e) of n
    judged events, and v are views before the event.

    References
    ----------
    Abdollahpouri et al. (2019). The unfairness of popularity bias in recommendation.
    arXiv:1907.13286, section 4.

    Examples
    --------
    >>> metric = PopularityBias()
    >>> metric.update([30, 10, -1], target_views=5)
    >>> metric.get()
    4.0
    """

    name = "popularity_bias"

    def __init__(self) -> None:
        super().__init__(4)

    def update(self, list_views: Sequence[int], target_views: int) -> None:
        """Count one list by the views of its titles (-1 is padding), and the watched title's."""
        self.update_many(np.asarray([list_views], np.int64), np.asarray([target_views], np.int64))

    def update_many(self, list_views: Integers, target_views: Integers) -> None:
        """Count lists, one a row of `list_views`, and the views of their targets."""
        listed = np.maximum(list_views, 0).sum(dtype=np.int64)
        n_places = np.count_nonzero(list_views >= 0)
        watched = target_views.sum(dtype=np.int64)
        self.sums += np.array([listed, n_places, watched, target_views.size])

    def get(self) -> float:
        """Ratio of the means; NaN while either is missing or no watched title had a view."""
        listed, n_places, watched, n_watched = self.sums.tolist()
        return listed / n_places * n_watched / watched if n_places and watched else math.nan


def _fixed_log2(views: Integers) -> NDArray[np.int64]:
    """Give log2(1 + views) in multiples of 2^-20."""
    logarithms: NDArray[np.float64] = np.log2(views + 1.0)
    return np.rint(logarithms * _BITS).astype(np.int64)
