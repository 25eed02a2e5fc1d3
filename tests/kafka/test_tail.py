import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from streams.events import (
    BecauseYouWatched,
    Origin,
    PopularNow,
    Recommendation,
    RecommendedItem,
    Source,
)
from streams.kafka import Producer, TransactionalProducer
from streams.kafka_clients import plain_producer_properties, producer_properties
from streams.kafka_records import Output
from streams.partitioning import partition_for
from streams.recommendations import NEW_USERS
from tests.kafka.commands import WAIT_S, Place

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(broker, topic_names):
    return Place(broker, topic_names).make()


def write(place, *records):
    producer = Producer(plain_producer_properties(place.kafka))
    producer.send(records, WAIT_S)
    while producer.n_waiting:
        producer.wait(1)


def a_list(place, user, offset=17):
    because = BecauseYouWatched([Source("50", 0.62)], "because you watched Star Wars, 62 %")
    items = [
        RecommendedItem("181", 1.5, because),
        RecommendedItem("7", 1.0, PopularNow("popular now")),
    ]
    value = Recommendation(user, items, 1.0, Origin(topic="views", partition=2, offset=offset))
    return Output(place.names.recommendations, user.encode(), msgspec.json.encode(value))


def titles(place, *names):
    lines = [json.dumps({"content_id": number, "title": name}) for number, name in names]
    values = zip(names, lines, strict=True)
    write(place, *(Output(place.names.content, n[0].encode(), v.encode()) for n, v in values))


def text(result):
    assert result.exit_code == 0, (result.output, result.exception)
    return [line[21:] if line[:2] == "20" else line for line in result.output.splitlines()]


def test_lists_have_titles_and_reasons(place):
    titles(place, ("181", "Return of the Jedi"), ("9", "Other"))
    write(place, a_list(place, "1"))
    result = place.run("tail", "recommendations", "--from-beginning", "--limit", "1")
    assert text(result) == [
        "user 1, after views[2] 17",
        "   1  Return of the Jedi  (because you watched Star Wars, 62 %)",
        "   2  7  (popular now)",
    ]


def test_a_title_that_was_withdrawn_has_no_name(place):
    titles(place, ("181", "Return of the Jedi"))
    write(place, Output(place.names.content, b"181", None), a_list(place, "1"))
    result = place.run("tail", "recommendations", "--from-beginning", "--limit", "1")
    assert text(result)[1].startswith("   1  181  (")


def test_only_one_users_lists_are_shown(place):
    same = [n for n in map(str, range(50)) if partition_for(n, 3) == partition_for("1", 3)]
    write(place, *(a_list(place, user) for user in [*same, "1"]))
    arguments = ("tail", "recommendations", "--from-beginning", "--user", " 1 ", "--limit", "2")
    result = place.run(*arguments)
    assert text(result)[::3] == ["user 1, after views[2] 17"] * 2


def test_a_deleted_list_and_the_one_for_unknown_users_are_said_to_be(place):
    topic = place.names.recommendations
    write(place, Output(topic, b"1", None, partition=0))
    write(place, Output(topic, NEW_USERS.encode(), b"nonsense", partition=0))
    result = place.run("tail", "recommendations", "--from-beginning", "--limit", "2")
    deleted, unknown = text(result)
    assert deleted == "user 1: deleted"
    assert unknown.startswith(f"users unknown so far: {topic}[0] 1 is no recommendation: ")


def test_records_of_aborted_transactions_are_not_shown(place):
    properties = producer_properties(place.kafka, transactional_id=place.names.transactional_id)
    producer = TransactionalProducer(properties)
    producer.init(WAIT_S)
    producer.begin()
    producer.send([a_list(place, "1", offset=1)], WAIT_S)
    producer.flush(WAIT_S)
    producer.abort(WAIT_S)
    write(place, a_list(place, "1", offset=2))
    result = place.run("tail", "recommendations", "--from-beginning", "--limit", "1")
    assert text(result)[0] == "user 1, after views[2] 2"


def test_without_from_beginning_only_new_records_are_shown(place):
    write(place, a_list(place, "1", offset=1))
    arguments = [*place.options(), "tail", "recommendations", "--limit", "1"]
    with subprocess.Popen(
        [sys.executable, "-m", "streams", *arguments],
        cwd=ROOT,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        ended = threading.Event()
        # When it has looked where the end is cannot be seen from outside.
        writing = threading.Thread(target=write_until, args=(place, ended))
        writing.start()
        output, _ = process.communicate(timeout=WAIT_S)
        ended.set()
        writing.join()
    assert output.splitlines()[0].endswith("user 1, after views[2] 2")


def write_until(place, ended):
    while not ended.wait(0.2):
        write(place, a_list(place, "1", offset=2))


def test_a_signal_ends_it_cleanly(place):
    write(place, a_list(place, "1"))
    arguments = [*place.options(), "tail", "recommendations", "--from-beginning"]
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "streams", *arguments],
        cwd=ROOT,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert "user 1" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=WAIT_S)
    assert (process.returncode, errors) == (0, "")


def test_json_is_one_object_a_record(place):
    titles(place, ("181", "Return of the Jedi"))
    write(place, a_list(place, "1"))
    result = place.run("tail", "recommendations", "--from-beginning", "--limit", "1", "--json")
    record = json.loads(result.output)
    assert record["key"] == "1"
    assert (record["topic"], record["offset"]) == (place.names.recommendations, 0)
    assert record["value"]["items"][0]["content_id"] == "181"
    assert record["titles"] == {"181": "Return of the Jedi"}


def test_outcomes_are_shown_as_they_are(place):
    write(place, Output(place.names.outcomes, b"2", b'{"judged":3}'))
    result = place.run("tail", "outcomes", "--from-beginning", "--limit", "1")
    assert text(result) == ['partition 2  {"judged":3}']


@pytest.mark.parametrize("is_role", [True, False])
def test_dead_letters_show_where_from_and_why_and_not_what(place, is_role):
    headers = [
        ("__connect.errors.topic", b"views"),
        ("__connect.errors.partition", b"2"),
        ("__connect.errors.offset", b"9"),
        ("driftline.reason", b"decode"),
        ("driftline.error", b"not JSON \x1b[2J"),
    ]
    topic = place.names.dead_letter
    write(place, Output(topic, b"7", b"secret", headers, partition=1))
    name = "dead-letter" if is_role else topic
    result = place.run("tail", name, "--from-beginning", "--limit", "1", "--user", "7")
    assert text(result) == ["views[2] 9  decode: not JSON �[2J  (6 bytes)"]
    result = place.run("tail", name, "--from-beginning", "--limit", "1", "--json")
    record = json.loads(result.output)
    assert record["headers"]["driftline.reason"] == "decode"
    assert record["value_base64"] == "c2VjcmV0"


def test_a_topic_that_is_missing_is_named(broker, topic_names):
    sentence = Place(broker, topic_names).refusal("tail", "recommendations")
    assert topic_names.recommendations in sentence
