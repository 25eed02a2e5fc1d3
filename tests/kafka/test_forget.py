import pytest

from streams.kafka_records import Partition
from streams.partitioning import partition_for
from tests.kafka.commands import Place


@pytest.fixture
def place(broker, topic_names):
    return Place(broker, topic_names).make()


def test_the_record_is_in_the_users_partition_behind_their_views(place, tmp_path):
    log = tmp_path / "views.jsonl"
    log.write_text('{"user_id": 7, "content_id": 1, "timestamp": 1700000000}\n')
    place.run("publish", "--quiet", log)
    result = place.run("forget", " 7 ")
    assert result.exit_code == 0, result.output
    number = partition_for("7", place.n_partitions)
    _, record = place.read(place.names.views)[Partition(place.names.views, number)]
    assert (record.key(), record.value()) == (b"7", None)
    assert record.headers() == [("driftline.forget", b"1")]


def test_it_says_what_it_does_not_reach(place):
    output = place.run("forget", "7").output
    for words in (
        f"{place.names.views} still holds the user's views",
        "until its retention deletes them: 7 days",
        f"{place.names.dead_letter} still holds",
        "counts that name nobody",
        f"readers of {place.names.recommendations}",
    ):
        assert words in output


def test_a_topic_that_is_missing_is_named(broker, topic_names):
    assert topic_names.views in Place(broker, topic_names).refusal("forget", "7")
