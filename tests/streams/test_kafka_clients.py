import pytest

from streams.errors import SettingsError
from streams.kafka_clients import (
    admin_properties,
    consumer_properties,
    plain_producer_properties,
    producer_properties,
    reader_properties,
)
from streams.kafka_settings import OWNED
from streams.topics import DEAD_LETTER_BYTES

BROKER = {"bootstrap.servers": "b:9092"}
SECURE = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanisms": "PLAIN",
    "sasl.username": "u",
    "sasl.password": "p",
    "ssl.ca.location": "/etc/ca.pem",
}


def every_kind(kafka):
    return [
        admin_properties(kafka),
        consumer_properties(kafka, group="g", member="m"),
        reader_properties(kafka),
        producer_properties(kafka, transactional_id="t"),
        plain_producer_properties(kafka),
    ]


def test_what_a_user_sets_reaches_every_client():
    for properties in every_kind(BROKER | SECURE):
        assert {**properties, **BROKER, **SECURE} == properties


@pytest.mark.parametrize("kafka", [{}, {"bootstrap.servers": ""}, SECURE])
def test_brokers_must_be_named(kafka):
    with pytest.raises(SettingsError, match="KAFKA_BOOTSTRAP_SERVERS"):
        admin_properties(kafka)


def test_what_a_user_sets_wins_over_defaults():
    properties = producer_properties(BROKER | {"linger.ms": "0"}, transactional_id="t")
    assert properties["linger.ms"] == "0"


def test_every_owned_property_is_set_for_the_client_it_belongs_to():
    consumer = consumer_properties(BROKER, group="g", member="m")
    producer = producer_properties(BROKER, transactional_id="t")
    assert OWNED.keys() <= consumer.keys() | producer.keys()


def test_promises_rest_on_these():
    consumer = consumer_properties(BROKER, group="g", member="m")
    assert consumer["isolation.level"] == "read_committed"
    assert consumer["enable.auto.commit"] is False
    assert consumer["auto.offset.reset"] == "error"
    producer = producer_properties(BROKER, transactional_id="t")
    assert producer["transactional.id"] == "t"
    assert producer["partitioner"] == "murmur2_random"


def test_a_member_without_a_name_is_not_static():
    assert "group.instance.id" not in reader_properties(BROKER)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"message.timeout.ms": 15_000}),
        ({"transaction.timeout.ms": "9000"}, {"message.timeout.ms": "9000"}),
        ({"message.timeout.ms": "5000"}, {"message.timeout.ms": "5000"}),
        ({"delivery.timeout.ms": "5000"}, {"delivery.timeout.ms": "5000"}),
    ],
)
def test_a_record_does_not_outlive_its_transaction(given, expected):
    properties = producer_properties(BROKER | given, transactional_id="t")
    names = {"message.timeout.ms", "delivery.timeout.ms"}
    assert {key: value for key, value in properties.items() if key in names} == expected


@pytest.mark.parametrize("given", [{"delivery.timeout.ms": "5"}, {"message.timeout.ms": "5"}])
def test_a_tool_gives_records_up_when_the_user_says(given):
    properties = plain_producer_properties(BROKER | given | {"transaction.timeout.ms": "9"})
    assert {key: value for key, value in properties.items() if "timeout" in key} == given


def test_a_tool_has_no_transactions():
    properties = plain_producer_properties(BROKER)
    assert not [key for key in properties if key.startswith("transaction")]
    assert properties["enable.idempotence"] is True
    assert properties["partitioner"] == "murmur2_random"


def test_the_producer_takes_a_dead_letter():
    properties = producer_properties(BROKER, transactional_id="t")
    assert properties["message.max.bytes"] == DEAD_LETTER_BYTES


def test_a_full_queue_is_refilled_at_once():
    assert reader_properties(BROKER)["fetch.queue.backoff.ms"] == 10
