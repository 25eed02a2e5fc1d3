import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.kafka import jars
from tests.kafka.broker import JavaBroker, free_ports, open_broker
from tests.kafka.jars import NoBrokerError

ROOT = Path(__file__).parents[2]


def create(broker, topic):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])[topic].result(30)


def write(broker, topic, *values):
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(30) == 0


def read(broker, topic, n_values, group):
    settings = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, **settings})
    consumer.subscribe([topic])
    values = []
    deadline = time.monotonic() + 30
    while len(values) < n_values and time.monotonic() < deadline:
        values += [message.value() for message in consumer.consume(n_values, 0.1)]
    consumer.close()
    return values


def test_what_is_written_is_read(broker, topic_names):
    create(broker, topic_names.views)
    write(broker, topic_names.views, b"1", b"2")
    assert read(broker, topic_names.views, 2, topic_names.group) == [b"1", b"2"]


def test_topics_are_not_made_by_writing_to_them(broker, topic_names):
    impatient = {"topic.metadata.propagation.max.ms": 0}
    producer = Producer({"bootstrap.servers": broker.bootstrap, **impatient})
    producer.produce(topic_names.views, b"1")
    assert producer.flush(30) == 0
    assert topic_names.views not in producer.list_topics(timeout=10).topics


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_broker_that_comes_back_has_its_data_and_its_address(own_broker, topic_names, end):
    create(own_broker, topic_names.views)
    write(own_broker, topic_names.views, b"before")
    address = own_broker.bootstrap
    getattr(own_broker, end)()
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": address, "log_level": 0}).list_topics(timeout=0.5)
    own_broker.start()
    assert own_broker.bootstrap == address
    write(own_broker, topic_names.views, b"after")
    assert read(own_broker, topic_names.views, 2, topic_names.group) == [b"before", b"after"]


def test_a_frozen_broker_answers_nothing_until_it_is_thawed(own_broker):
    admin = AdminClient({"bootstrap.servers": own_broker.bootstrap, "log_level": 0})
    admin.list_topics(timeout=10)
    own_broker.freeze()
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=0.5)
    own_broker.thaw()
    assert admin.list_topics(timeout=10).brokers


@pytest.mark.parametrize("harm", ["stop", "kill", "freeze"])
def test_a_mended_broker_runs(own_broker, harm):
    getattr(own_broker, harm)()
    own_broker.mend()
    assert AdminClient({"bootstrap.servers": own_broker.bootstrap}).list_topics(timeout=10).brokers


def test_a_broker_ends_with_the_session_even_when_that_is_killed(own_broker, tmp_path):
    if not isinstance(own_broker, JavaBroker):
        pytest.skip("containers end by testcontainers' own reaper")
    program = f"""
        import os, pathlib, signal
        from tests.kafka.broker import JavaBroker
        from tests.kafka.jars import cache_folder, java, kafka_jars
        folder = pathlib.Path({str(tmp_path)!r})
        broker = JavaBroker(java(os.environ), kafka_jars(cache_folder(os.environ)), folder)
        broker.start()
        print(broker.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    deadline = time.monotonic() + 10
    while is_running(int(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(int(done.stdout))


def test_the_reason_for_no_broker_is_one_line_with_every_way(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.kafka.container.check_docker", closed("no Docker engine answers"))
    monkeypatch.setattr("tests.kafka.broker.java", closed("no Java to run Apache Kafka on"))
    with pytest.raises(NoBrokerError) as caught:
        open_broker({}, tmp_path)
    assert str(caught.value) == (
        "KAFKA_BOOTSTRAP_SERVERS is not set; no Docker engine answers;"
        " no Java to run Apache Kafka on"
    )


def test_a_broker_that_is_named_but_absent_is_an_error_and_no_skip(tmp_path):
    (port,) = free_ports(1)
    with pytest.raises(TimeoutError, match="no broker answers at"):
        open_broker({"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}"}, tmp_path, timeout_s=0.1)


def test_no_maven_and_an_old_java_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrokerError, match="no Maven"):
        jars.kafka_jars(tmp_path / "cache")
    with pytest.raises(NoBrokerError, match="no Java"):
        jars.java({})
    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    old.chmod(0o755)
    with pytest.raises(NoBrokerError, match="older than Java 17"):
        jars.java(os.environ)


def closed(reason):
    def refuse(*_arguments):
        raise NoBrokerError(reason)

    return refuse


def is_running(pid):
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"  # ended, and nobody has waited for it
