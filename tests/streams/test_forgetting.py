import pytest
from click.testing import CliRunner

from streams.arrivals import Forget, arrival_of
from streams.cli import main
from streams.decoding import JsonDecoder
from streams.forgetting import forget_record


class Record:
    """An output as its reader gets it."""

    def __init__(self, output):
        self._output = output

    def topic(self):
        return self._output.topic

    def partition(self):
        return 0

    def offset(self):
        return 0

    def key(self):
        return self._output.key

    def value(self):
        return self._output.value

    def headers(self):
        return self._output.headers


def test_a_worker_reads_it_as_a_wish_to_be_forgotten():
    arrival = arrival_of(Record(forget_record("views", " 7 ")), JsonDecoder())
    assert arrival.view == Forget("7")


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        (" ", "USER is empty"),
        ("x" * 257, "USER is longer than 256 bytes"),
        ("__new_users__", "is the key of the list for users unknown so far"),
    ],
)
def test_an_id_that_nobody_can_have_is_refused(user, sentence):
    result = CliRunner().invoke(main, ["forget", user])
    assert result.exit_code == 2
    assert sentence in result.stderr
