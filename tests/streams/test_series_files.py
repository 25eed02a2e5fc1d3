"""Series read back."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from streams.errors import InputError
from streams.series_files import read_series

HEAD = "events,event_time,judged,recall@5,ndcg@5,mrr@5,popularity_recall@5,random_recall@5\n"


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "series.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_series_is_read_with_the_length_of_its_lists(tmp_path: Path) -> None:
    rows = "1000,5.5,990,0.25,0.1,0.1,0.125,0.01\n2000,6.5,1990,,,,,\n"
    found = read_series(written(tmp_path, HEAD + rows))
    assert (found.k, found.events, found.event_time) == (5, [1_000, 2_000], [5.5, 6.5])
    assert (found.recall[0], found.popularity[0]) == (0.25, 0.125)
    assert math.isnan(found.recall[1])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no series of replay --series"),
        (HEAD, "no series of replay --series"),
        ("a,b\n1,2\n", "no series of replay --series"),
        (HEAD + "1000,x,1,0.1,0.1,0.1,0.1,0.1\n", "line 2: event_time is 'x', no number"),
        (HEAD + "1000\n", "line 2: event_time is None, no number"),
        (b"\xff\xfe", "no CSV: "),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        read_series(written(tmp_path, text))
    assert sentence in str(refused.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_series(tmp_path / "gone.csv")
