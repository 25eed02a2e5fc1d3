import json

import msgspec
import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.tailing import as_json, dead_letter_lines, drift_lines, recommendation_lines
from tests.drifting import drift_record


class Record:
    """A record with the values given."""

    def __init__(self, key=b"7", value=None, headers=None):
        self._key, self._value, self._headers = key, value, headers

    def topic(self):
        return "t"

    def partition(self):
        return 1

    def offset(self):
        return 5

    def timestamp(self):
        return 1, 1_700_000_000_000

    def key(self):
        return self._key

    def value(self):
        return self._value

    def headers(self):
        return self._headers


@pytest.mark.parametrize("value", [b"", b"\xff", b"{}", b"[" * 10_000, b'{"items": 3}'])
def test_what_is_no_recommendation_is_a_line_too(value):
    (line,) = recommendation_lines(Record(value=value), {})
    assert line.startswith("user 7: t[1] 5 is no recommendation: ")


def test_a_drift_record_is_a_line():
    value = msgspec.json.encode(drift_record("1-4", kind="input_fault", what="what changed"))
    (line,) = drift_lines(Record(value=value), {})
    assert line == "episode 1-4 opened: input fault, drift: what changed"


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"{}", b"[" * 10_000])
def test_what_is_no_drift_record_is_a_line_too(value):
    (line,) = drift_lines(Record(value=value), {})
    assert line.startswith("episode 7: t[1] 5 is no drift record: ")


@pytest.mark.parametrize("value", [b"", b"\xff", b"[" * 10_000, b"NaN", None])
@pytest.mark.parametrize("key", [None, b"", b"\xff"])
def test_every_record_is_one_json_object(key, value):
    found = json.loads(as_json(Record(key, value, [("a", None), ("b", b"\xff")]), {}))
    assert (found["topic"], found["partition"], found["offset"]) == ("t", 1, 5)
    assert ("value" in found) == (value is None)
    assert found["headers"] == {"a": None, "b": "\ufffd"}


@pytest.mark.parametrize("value", [b"3", b"[1]", b'{"items": 3}', b'{"items": [3, {}, null]}'])
def test_titles_are_named_only_where_there_are_some(value):
    found = json.loads(as_json(Record(value=value), {"1": "One"}))
    assert found["value"] == json.loads(value)
    assert "titles" not in found


def test_a_dead_letter_of_somebody_else_has_gaps_and_not_an_end():
    (line,) = dead_letter_lines(Record(value=None), {})
    assert line == "?[?] ?  ?: ?  (0 bytes)"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["views"],
            "'views' is none of recommendations, outcomes, drift, dead-letter, views.dead-letter",
        ),
        (["outcomes", "--user", "7"], "outcomes is of a partition, not of a user"),
        (["drift", "--user", "7"], "drift is of a partition, not of a user"),
        (["recommendations", "--user", " "], "USER is empty"),
        (["recommendations"], "kafka.bootstrap.servers is not set"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["tail", *arguments])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert sentence in line
