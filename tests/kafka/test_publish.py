import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.decoding import JsonDecoder
from streams.events import Content, View
from streams.kafka import Producer
from streams.kafka_clients import plain_producer_properties
from streams.kafka_errors import KafkaCallError
from streams.kafka_records import Output
from streams.partitioning import partition_for
from tests.kafka.broker import free_ports
from tests.kafka.commands import Place

ROOT = Path(__file__).parents[2]
N_VIEWS = 300


def view_line(number):
    return {"user_id": number % 40, "content_id": number % 7, "timestamp": 1_700_000_000 + number}


@pytest.fixture
def place(broker, topic_names):
    return Place(broker, topic_names).make()


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "views.jsonl"
    path.write_text("".join(f"{json.dumps(view_line(n))}\n" for n in range(N_VIEWS)))
    return path


def views_of(records):
    decoder = JsonDecoder()
    return [decoder.decode_view(record.value()) for record in records]


def test_views_are_keyed_and_in_the_partition_that_java_would_choose(place, log):
    result = place.run("publish", "--quiet", log)
    assert result.exit_code == 0, result.output
    assert result.output == f"300 views delivered to {place.names.views}\n"
    found = place.read(place.names.views)
    assert sum(map(len, found.values())) == N_VIEWS
    for partition, records in found.items():
        for record in records:
            assert partition_for(record.key().decode(), place.n_partitions) == partition.number
        times = [view.event_time for view in views_of(records)]
        assert times == sorted(times)
        assert [view.user_id.encode() for view in views_of(records)] == [r.key() for r in records]


def test_a_csv_log_is_published_as_canonical_json(place, tmp_path):
    path = tmp_path / "views.csv"
    path.write_text("uid,Content ID,Timestamp,Rating\n1,12345,2022-01-01 12:00:00,4\n")
    assert place.run("publish", path, "--map", "user_id=uid").exit_code == 0
    ((record,),) = [records for records in place.read(place.names.views).values() if records]
    assert record.value() == (
        b'{"user_id":"1","content_id":"12345","timestamp":1641038400.0,"rating":4.0}'
    )
    assert views_of([record]) == [View("1", "12345", 1641038400.0, rating=4.0)]


def test_what_cannot_be_decoded_is_skipped_counted_and_shown(place, tmp_path):
    path = tmp_path / "views.jsonl"
    path.write_text(f'{json.dumps(view_line(1))}\nnonsense\n{{"user_id": 1}}\n')
    result = place.run("publish", "--quiet", path)
    assert result.exit_code == 0
    assert result.stdout == f"1 views delivered to {place.names.views}\n"
    assert "2 records skipped (decode 1, schema 1), such as" in result.stderr
    assert "record 2: " in result.stderr


def test_raw_publishes_every_line_byte_for_byte(place, tmp_path):
    lines = [b'{"User ID": 7, "Content ID": 1,  "Timestamp": "2022-01-01 12:00:00"}', b"nonsense"]
    path = tmp_path / "views.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    result = place.run("publish", "--quiet", "--raw", path)
    assert result.exit_code == 0, result.output
    records = [record for found in place.read(place.names.views).values() for record in found]
    assert {(r.key(), r.value()) for r in records} == {(b"7", lines[0]), (None, lines[1])}


def test_raw_csv_is_refused(place, tmp_path):
    path = tmp_path / "views.csv"
    path.write_text("User ID,Content ID,Timestamp\n1,2,2022-01-01 12:00:00\n")
    result = place.run("publish", "--quiet", "--raw", path)
    assert result.exit_code == 2
    assert "Error: a worker reads JSON" in result.stderr


def test_content_comes_first_and_is_keyed_by_title(place, log, tmp_path):
    content = tmp_path / "content.csv"
    content.write_text("content_id,title,genres,release_year\n50,Star Wars,Action|Sci-Fi,1977\n")
    result = place.run("publish", "--quiet", log, "--content", content)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[0] == f"1 titles delivered to {place.names.content}"
    ((record,),) = place.read(place.names.content).values()
    assert record.key() == b"50"
    title = JsonDecoder().decode_content(record.value())
    assert title == Content("50", "Star Wars", ("Action", "Sci-Fi"), released=220_924_800.0)


# 299 s of events at the pace of their own times, likewise 1 s.
@pytest.mark.parametrize("pace", [("--rate", "299"), ("--pace", "299")])
def test_a_pace_is_kept(place, log, pace):
    assert place.run("publish", "--quiet", *pace, log).exit_code == 0
    found = place.read(place.names.views).values()
    written = [record.timestamp()[1] for records in found for record in records]
    assert max(written) - min(written) >= 950


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_and_it_says_what_was_delivered(place, log, number):
    arguments = [*place.options(), "publish", "--quiet", "--rate", "20", str(log)]
    with subprocess.Popen(
        [sys.executable, "-m", "streams", *arguments],
        cwd=ROOT,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 30
        while not any(place.read(place.names.views).values()):
            assert time.monotonic() < deadline
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    n_there = sum(map(len, place.read(place.names.views).values()))
    assert 0 < n_there < N_VIEWS
    assert output == f"Interrupted: {n_there} views delivered to {place.names.views}\n"


def test_a_topic_that_is_missing_is_named(broker, topic_names, log):
    sentence = Place(broker, topic_names).refusal("publish", log)
    assert f"no topic {topic_names.views} at" in sentence
    assert "driftline topics create" in sentence


def test_a_record_that_no_topic_takes_is_an_error_of_its_delivery(place):
    producer = Producer(plain_producer_properties(place.kafka))
    producer.send([Output(place.names.views, b"u", random.Random(0).randbytes(1_050_000))], 10)
    with pytest.raises(KafkaCallError, match="deliver: MSG_SIZE_TOO_LARGE"):
        producer.wait(30)
    assert producer.n_delivered == 0


def test_records_are_there_once_and_in_order_after_the_broker_was_away(own_broker, topic_names):
    place = Place(own_broker, topic_names).make()
    producer = Producer(plain_producer_properties(place.kafka))
    values = [b"%d" % number for number in range(300)]
    outputs = [Output(topic_names.views, b"k", value, partition=0) for value in values]
    producer.send(outputs[:100], 10)
    own_broker.kill()
    producer.send(outputs[100:200], 10)
    own_broker.start()
    producer.send(outputs[200:], 10)
    deadline = time.monotonic() + 60
    while producer.n_waiting:
        assert time.monotonic() < deadline
        producer.wait(1)
    assert producer.n_delivered == len(values)
    found, *_ = place.read(topic_names.views).values()
    assert [record.value() for record in found] == values


def test_brokers_that_are_away_are_one_sentence(log):
    (port,) = free_ports(1)
    done = subprocess.run(
        [sys.executable, "-c", NO_BROKER, f"kafka.bootstrap.servers=127.0.0.1:{port}", str(log)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: Kafka: no broker answers at 127.0.0.1:{port} within 0.3 s")


NO_BROKER = """
import sys
from streams.cli import brokers, main
brokers.ANSWER_S = 0.3
main(["--set", sys.argv[1], "publish", sys.argv[2]])
"""
