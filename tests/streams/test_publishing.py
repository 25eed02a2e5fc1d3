import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from streams.cli import main
from streams.decoding import DelimitedDecoder, JsonDecoder, LongRecord
from streams.errors import InputError, RejectedEvent
from streams.events import Content
from streams.logs import Position, RecordBatch
from streams.publishing import STOPPING_S, LogsOwn, Publisher, Steady, encode_content
from streams.stop import Stop

EPOCH_S = 1_700_000_000


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


class Producer:
    """Notes when records were sent; waiting takes the whole time."""

    def __init__(self, clock, n_waiting=0):
        self.clock = clock
        self.n_waiting = n_waiting
        self.sent = []

    def send(self, records, _timeout_s):
        self.sent += [(self.clock.now_s - 100.0, record) for record in records]

    def wait(self, timeout_s):
        self.clock.now_s += timeout_s


def batch(*values, decoder=None):
    numbers = list(range(1, len(values) + 1))
    position = Position(0, len(values) + 1)
    return RecordBatch(None, numbers, list(values), decoder or JsonDecoder(), position)


def view(user, timestamp):
    return b'{"user_id": "%d", "content_id": 1, "timestamp": %d}' % (user, EPOCH_S + timestamp)


@pytest.fixture
def publisher():
    def make(pace=None, n_waiting=0):
        clock = Clock()
        producer = Producer(clock, n_waiting)
        return Publisher(producer, "views", Stop(), pace=pace, clock=clock)

    return make


def times(publisher):
    return [round(time, 6) for time, _ in publisher.producer.sent]


def test_without_a_pace_all_is_sent_at_once(publisher):
    full = publisher()
    full.take_views(batch(view(1, 1000), view(2, 5000)))
    assert times(full) == [0.0, 0.0]
    assert [record.key for _, record in full.producer.sent] == [b"1", b"2"]


def test_a_rate_spaces_records_evenly_over_batches(publisher):
    steady = publisher(Steady(4.0))
    for _ in range(2):
        steady.take_views(batch(view(1, 1000), view(2, 1000), view(3, 1000)))
    assert times(steady) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]


def test_a_rate_does_not_need_times(publisher):
    steady = publisher(Steady(4.0))
    steady.take_views(batch(b"nonsense", b"more nonsense"), is_raw=True)
    assert times(steady) == [0.0, 0.25]


def test_what_is_late_is_sent_at_once(publisher):
    steady = publisher(Steady(4.0))
    steady.take_views(batch(view(1, 1000)))
    steady.producer.clock.now_s += 0.6
    steady.take_views(batch(*(view(n, 1000) for n in range(4))))
    assert times(steady) == [0.0, 0.6, 0.6, 0.75, 1.0]


def test_the_logs_own_pace_is_that_of_its_times(publisher):
    own = publisher(LogsOwn(10.0))
    own.take_views(batch(view(1, 1000), view(2, 1005), view(3, 1002), view(4, 1010)))
    assert times(own) == [0.0, 0.5, 0.5, 1.0]  # the third is late already


def test_what_has_no_possible_time_goes_with_its_predecessor(publisher):
    own = publisher(LogsOwn(10.0))
    absurd = view(2, -2 * EPOCH_S)
    own.take_views(batch(b"nonsense", view(1, 1000), absurd, view(3, 1010)), is_raw=True)
    assert times(own) == [0.0, 0.0, 0.0, 1.0]


def test_a_stop_is_heeded_while_waiting(publisher):
    own = publisher(LogsOwn(1.0))
    own.stop.is_asked = True
    own.take_views(batch(view(1, 1000), view(2, 9000), view(3, 9000)))
    assert [record.key for _, record in own.producer.sent] == [b"1"]
    assert own.tally.n_sent == 1


def test_what_is_on_its_way_is_waited_for_but_not_for_ever_once_stopped(publisher):
    stuck = publisher(n_waiting=1)
    stuck.stop.is_asked = True
    stuck.finish()
    assert stuck.producer.clock.now_s - 100.0 == pytest.approx(STOPPING_S, abs=0.2)


def test_refused_records_are_counted_by_reason_with_the_first_as_examples(publisher):
    full = publisher()
    full.take_views(batch(*[b"nonsense"] * 5, b"{}", view(1, 1000)))
    assert full.tally.skipped == {"decode": 5, "schema": 1}
    assert [example.partition(":")[0] for example in full.tally.examples] == [
        "record 1",
        "record 2",
        "record 3",
    ]
    assert (full.tally.n_sent, full.tally.n_read) == (1, 7)


def test_raw_lines_are_sent_as_they_are_with_a_key_where_there_is_one(publisher):
    full = publisher()
    spaced = b'{"User ID":  7, "Content ID": 1, "Timestamp": "2022-01-01 12:00:00"}'
    full.take_views(batch(spaced, b"nonsense"), is_raw=True)
    sent = [(record.key, record.value) for _, record in full.producer.sent]
    assert sent == [(b"7", spaced), (None, b"nonsense")]


def test_half_a_record_is_never_sent_as_a_whole_one(publisher):
    full = publisher()
    decoder = JsonDecoder(max_bytes=3)
    full.take_views(batch(LongRecord.of(b"aaaa", 99), decoder=decoder), is_raw=True)
    assert full.producer.sent == []
    assert full.tally.skipped == {"decode": 1}


def test_rows_of_other_formats_are_never_sent_raw(publisher):
    decoder = DelimitedDecoder(["User ID", "Content ID", "Timestamp"])
    with pytest.raises(InputError, match="only a JSONL log"):
        publisher().take_views(batch(b"1,2,2022-01-01 12:00:00", decoder=decoder), is_raw=True)


def test_titles_are_keyed_by_their_id(publisher):
    full = publisher()
    full.take_content([Content("50", "Star Wars"), RejectedEvent("schema", "record 2: bad")])
    assert [(r.key, r.value) for _, r in full.producer.sent] == [
        (b"50", b'{"content_id":"50","title":"Star Wars"}')
    ]
    assert full.tally.examples == ["record 2: bad"]


LABELS = st.text(st.characters(codec="utf-8", exclude_characters="|"), min_size=1).map(str.strip)
DAYS = st.integers(-700_000, 2_900_000).map(lambda day: day * 86_400.0)


@given(
    st.builds(
        Content,
        content_id=st.integers(0).map(str),
        title=st.none() | LABELS.filter(bool),
        genres=st.lists(LABELS.filter(bool), max_size=3, unique=True).map(tuple),
        released=st.none() | DAYS,
        duration=st.none() | st.floats(0, 1e9),
        creators=st.lists(LABELS.filter(bool), max_size=3, unique=True).map(tuple),
    ).filter(lambda content: all(len(g.encode()) <= 256 for g in content.genres + content.creators))
)
def test_a_title_comes_back_as_it_went(content):
    assert JsonDecoder(max_bytes=1 << 20).decode_content(encode_content(content)) == content


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "nothing to publish: name a LOG, or titles by --content FILE"),
        (["x.jsonl", "--rate", "1", "--pace", "1"], "--rate and --pace are two ways to say"),
        (["x.jsonl", "--map", "user=uid"], "user"),
        (["x.jsonl"], "kafka.bootstrap.servers is not set"),
    ],
)
def test_what_cannot_be_published_is_refused(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["publish", *arguments])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert sentence in result.stderr


@pytest.mark.parametrize("value", ["0", "-1", "fast"])
def test_a_rate_that_is_none_is_refused(value):
    assert CliRunner().invoke(main, ["publish", "x", "--rate", value]).exit_code == 2
