import time

import click
import msgspec
import pytest
from click.testing import CliRunner

from streams.cli import Invocation
from streams.cli.topics import command
from streams.errors import SettingsError
from streams.kafka import Admin, Consumer, TransactionalProducer
from streams.kafka_clients import admin_properties, producer_properties, reader_properties
from streams.kafka_errors import KafkaCallError
from streams.kafka_records import Output, Partition
from streams.topics import (
    DEAD_LETTER_BYTES,
    TopicError,
    TopicNames,
    TopicShape,
    TopicSpec,
    TopicState,
    check_problems,
    partitions_to_make,
    problems,
    topic_specs,
    warnings,
)
from tests.kafka.broker import free_ports

SHAPE = TopicShape()


@pytest.fixture
def names(topic_names):
    """Give names that nobody else uses."""
    return TopicNames(
        views=topic_names.views,
        content=topic_names.content,
        recommendations=topic_names.recommendations,
        dead_letter=topic_names.dead_letter,
        outcomes=topic_names.outcomes,
        drift=topic_names.drift,
    )


@pytest.fixture
def admin(broker):
    return Admin(admin_properties({"bootstrap.servers": broker.bootstrap}))


@pytest.fixture
def run(broker, names):
    settings = {f"topics.{role}": name for role, name in msgspec.structs.asdict(names).items()}
    settings["kafka.bootstrap.servers"] = broker.bootstrap

    def run_topics(*arguments):
        return CliRunner().invoke(command, arguments, obj=Invocation(overrides=settings))

    return run_topics


def healthy(names, n_partitions=4):
    """Give the topics as a broker shows them after `create`."""
    base = {
        "max.message.bytes": "1048588",
        "message.timestamp.type": "CreateTime",
        "message.timestamp.after.max.ms": "3600000",
        "min.insync.replicas": "1",
    }
    return {
        spec.name: TopicState(spec.n_partitions, 1, base | spec.config)
        for spec in topic_specs(names, SHAPE, n_partitions)
    }


def altered(found, name, **changes):
    state = found[name]
    config = state.config | {key.replace("_", "."): value for key, value in changes.items()}
    return found | {name: msgspec.structs.replace(state, config=config)}


def test_create_makes_every_topic_as_driftline_needs_it(run, admin, names):
    result = run("create", "--partitions", "3", "--retention", "2d")
    assert result.exit_code == 0, result.output
    found = admin.describe(msgspec.structs.astuple(names))
    assert [state.n_partitions for state in found.values()] == [3, 1, 3, 3, 1, 1]
    assert [state.config["cleanup.policy"] for state in found.values()] == [
        "delete",
        "compact",
        "compact",
        "delete",
        "delete",
        "delete",
    ]
    assert found[names.views].config["retention.ms"] == str(2 * 86_400_000)
    assert problems(names, TopicShape(3), found) == []


def test_a_view_is_kept_however_old_its_record_claims_to_be(run, broker, names, topic_names):
    run("create", "--partitions", "1")
    kafka = {"bootstrap.servers": broker.bootstrap}
    properties = producer_properties(kafka, transactional_id=topic_names.transactional_id)
    producer = TransactionalProducer(properties)
    producer.init(30)
    producer.begin()
    year_2001_ms = 1_000_000_000_000
    topics = (names.views, names.drift)
    producer.send([Output(topic, b"u", b"v", timestamp_ms=year_2001_ms) for topic in topics], 30)
    producer.flush(30)
    producer.commit(30)
    consumer = Consumer(reader_properties(kafka))
    deadline = time.monotonic() + 30
    while consumer.bounds(Partition(names.drift, 0), 30).first == 0:  # the broker's own clock
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert consumer.bounds(Partition(names.views, 0), 30).first == 0
    consumer.close()


def test_create_a_second_time_changes_nothing(run, admin, names):
    run("create", "--partitions", "3")
    before = admin.describe(msgspec.structs.astuple(names))
    again = run("create")
    assert again.exit_code == 0, again.output
    assert again.output.splitlines() == [f"{name}: was there" for name in before]
    assert admin.describe(msgspec.structs.astuple(names)) == before


def test_create_fits_what_is_missing_to_what_is_there(run, admin, names):
    admin.create([TopicSpec(names.views, 2, -1, {"cleanup.policy": "delete"})])
    result = run("create")
    assert result.exit_code == 0, result.output
    assert admin.describe([names.recommendations])[names.recommendations].n_partitions == 2


def test_create_does_not_change_a_number_of_partitions(run, names):
    run("create", "--partitions", "2")
    result = run("create", "--partitions", "3")
    assert isinstance(result.exception, TopicError)
    assert f"{names.views} has 2 partitions, not 3" in str(result.exception)


def test_two_that_create_at_once_both_succeed(admin, topic_names):
    spec = TopicSpec(topic_names.views, 1, -1, {})
    assert admin.create([spec]) == {topic_names.views: True}
    assert admin.create([spec]) == {topic_names.views: False}


def test_more_replicas_than_brokers_is_an_error(admin, topic_names):
    with pytest.raises(KafkaCallError, match="INVALID_REPLICATION_FACTOR"):
        admin.create([TopicSpec(topic_names.views, 1, 99, {})])


def test_check_names_every_topic_that_is_missing(run, names):
    result = run("check")
    assert isinstance(result.exception, TopicError)
    for name in msgspec.structs.astuple(names):
        assert f"{name} is missing" in str(result.exception)


def test_check_says_that_all_is_well(run):
    run("create")
    result = run("check")
    assert (result.exit_code, result.output) == (0, "6 topics are as they should be\n")


def test_describe_shows_what_is_there_and_what_is_not(run, admin, names):
    admin.create([TopicSpec(names.views, 2, -1, {"retention.ms": "60000"})])
    lines = {line.split()[0]: line.split()[1:] for line in run("describe").output.splitlines()}
    assert lines[names.views] == ["2", "1", "delete", "60000", "1048588", "1"]
    assert lines[names.content] == ["missing"]


def test_brokers_that_are_away_are_named():
    (port,) = free_ports(1)
    admin = Admin(admin_properties({"bootstrap.servers": f"127.0.0.1:{port}"}), timeout_s=0.3)
    with pytest.raises(KafkaCallError, match=f"no broker answers at 127.0.0.1:{port} within 0.3 s"):
        admin.describe(["views"])


def test_a_property_that_librdkafka_does_not_know_is_refused():
    with pytest.raises(SettingsError, match=r'No such configuration property: "heap\.opts"'):
        Admin({"bootstrap.servers": "127.0.0.1:1", "heap.opts": "-Xmx1g"})


@pytest.mark.parametrize("text", ["30", "0d", "d", "-1d", "1w", ""])
def test_a_retention_that_cannot_be_read_is_refused(text):
    result = CliRunner().invoke(command, ["create", "--retention", text], obj=Invocation())
    assert result.exit_code == 2
    assert "is no duration" in result.output


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("90s", 90_000), ("30m", 1_800_000), ("unlimited", -1)]
)
def test_a_retention_is_read(text, milliseconds):
    option = next(p for p in command.commands["create"].params if p.name == "retention")
    assert option.callback(click.Context(command), option, text) == milliseconds


def test_healthy_topics_have_no_problem():
    assert problems(TopicNames(), SHAPE, healthy(TopicNames())) == []


@pytest.mark.parametrize(
    ("topic", "change", "says"),
    [
        ("views", {"cleanup_policy": "compact"}, "loses all but the last view"),
        ("views", {"cleanup_policy": "compact,delete"}, "loses all but the last view"),
        ("views.dead-letter", {"cleanup_policy": "compact"}, "loses dead letters"),
        ("content", {"cleanup_policy": "compact,delete"}, "loses titles"),
        ("recommendations", {"cleanup_policy": "delete"}, "is not compacted"),
        ("views.dead-letter", {"max_message_bytes": "1048588"}, "a large one stops the worker"),
        ("views", {"max_message_bytes": "9000000"}, "smaller max.message.bytes than views"),
        (
            "views.dead-letter",
            {"message_timestamp_after_max_ms": "3600000"},
            "refuses records from the future",
        ),
        ("views.dead-letter", {"message_timestamp_type": "LogAppendTime"}, "does not keep"),
        ("outcomes", {"min_insync_replicas": "2"}, "nothing can be written to it"),
    ],
)
def test_a_topic_that_is_not_as_needed_is_found(topic, change, says):
    found = problems(TopicNames(), SHAPE, altered(healthy(TopicNames()), topic, **change))
    assert len(found) == 1
    assert says in found[0]


def test_lists_and_views_must_have_equal_partitions():
    names = TopicNames()
    found = healthy(names) | {"views": healthy(names, n_partitions=8)["views"]}
    (problem,) = problems(names, SHAPE, found)
    assert problem.startswith("recommendations has 4 partitions and views 8: they must be equal")


@pytest.mark.parametrize(
    ("asked", "there", "n_partitions"),
    [(3, {"views": 2}, 3), (None, {"views": 2}, 2), (None, {"recommendations": 5}, 5)],
)
def test_the_number_of_partitions_is_the_one_asked_for_else_the_one_there(
    asked, there, n_partitions
):
    found = dict.fromkeys(msgspec.structs.astuple(TopicNames()))
    found |= {name: TopicState(n, 1, {}) for name, n in there.items()}
    assert partitions_to_make(TopicNames(), TopicShape(asked), found) == n_partitions
    if asked is None:
        assert partitions_to_make(TopicNames(), SHAPE, dict.fromkeys(found)) == 4


def test_no_problem_is_no_error():
    check_problems([])
    with pytest.raises(TopicError, match=r"^a; b$"):
        check_problems(["a", "b"])


def test_a_dead_letter_may_be_larger_than_what_it_holds():
    found = healthy(TopicNames())
    view, dead = (
        found[name].config["max.message.bytes"] for name in ("views", "views.dead-letter")
    )
    assert int(dead) > DEAD_LETTER_BYTES > int(view)


@pytest.mark.parametrize(
    ("times", "is_warned"),
    [
        (("CreateTime", "86400000"), True),
        (("LogAppendTime", "86400000"), False),
        (("CreateTime", "-1"), False),
    ],
)
def test_dead_letters_that_may_be_deleted_at_once_are_warned_of(
    run, admin, names, times, is_warned
):
    """The worker warns of the same when it starts."""
    views, retention = times
    specs = topic_specs(names, SHAPE, 1)
    changed = {
        names.views: {"message.timestamp.type": views},
        names.dead_letter: {"retention.ms": retention},
    }
    admin.create(
        [
            msgspec.structs.replace(spec, config={**spec.config, **changed.get(spec.name, {})})
            for spec in specs
        ]
    )
    result = run("check")
    assert result.exit_code == 0, result.output
    assert ("Set LogAppendTime" in result.stderr) is is_warned
    found = admin.describe(msgspec.structs.astuple(names))
    assert bool(warnings(names, found)) is is_warned
