"""What is an event, what is a dead letter, and of which kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.decoding import Decoder, DelimitedDecoder, JsonDecoder, LongRecord
from streams.errors import InputError, RejectedEvent
from streams.events import Content, View

NOON = 1641038400.0
EXAMPLE = View("1", "12345", NOON, view_time=34.5, rating=4.0)
HEADER = ["User ID", "Content ID", "View Time", "Rating", "Timestamp"]


def row(**fields: Any) -> bytes:
    return json.dumps({"user_id": 1, "content_id": 2, "timestamp": NOON} | fields).encode()


def view_of(**fields: Any) -> View:
    return JsonDecoder().decode_view(row(**fields))


def rejection(decoder: Decoder, value: bytes) -> RejectedEvent:
    with pytest.raises(RejectedEvent) as caught:
        decoder.decode_view(value)
    return caught.value


def test_the_first_example_as_json() -> None:
    value = (
        b'{"User ID": 1, "Content ID": 12345, "View Time": 34.5, "Rating": 4,'
        b' "Timestamp": "2022-01-01 12:00:00"}'
    )
    assert JsonDecoder().decode_view(value) == EXAMPLE


def test_the_first_example_as_csv() -> None:
    decoder = DelimitedDecoder(HEADER)
    assert decoder.decode_view(b"1, 12345, 34.5, 4, 2022-01-01 12:00:00") == EXAMPLE


@pytest.mark.parametrize(
    ("timestamp", "epoch_s"),
    [
        ("2022-01-01 12:00:00", NOON),
        ("2022-01-01T12:00:00", NOON),
        ("2022-01-01T12:00", NOON),
        ("2022-01-01T12:00:00Z", NOON),
        ("2022-01-01T12:00:00+00:00", NOON),
        ("2022-01-01 13:30:00+0130", NOON),
        ("2022-01-01T12:00:00.25", NOON + 0.25),
        ("9999-12-31T23:59:59", 253402300799.0),
        (NOON, NOON),
        (1641038400, NOON),
        (1641038400.123456, 1641038400.123456),
        (1641038400250, NOON + 0.25),
        (100_000_000_000, 1e11),
        (100_000_000_001, 100_000_000.001),
        (0, 0.0),
        (-5, -5.0),
    ],
)
def test_times(timestamp: Any, epoch_s: float) -> None:
    assert view_of(timestamp=timestamp).event_time == epoch_s
    cell = DelimitedDecoder(["user_id", "content_id", "timestamp"])
    assert cell.decode_view(f"1,2,{timestamp}".encode()).event_time == epoch_s


@pytest.mark.parametrize("milliseconds", [1641038400250, 1641038400250.0])
def test_a_millisecond_field_is_milliseconds_however_small(milliseconds: float) -> None:
    value = b'{"user_id":1,"content_id":2,"Timestamp MS":%d}'
    assert JsonDecoder().decode_view(value % milliseconds).event_time == NOON + 0.25
    assert JsonDecoder().decode_view(value % 1500).event_time == 1.5


@pytest.mark.parametrize(
    ("given_id", "canonical"),
    [
        (7, "7"),
        ("7", "7"),
        (" 7 ", "7"),
        ("007", "007"),
        (-0, "0"),
        (2**63, "9223372036854775808"),
        (10**40, "1" + "0" * 40),
        ("é" * 128, "é" * 128),
        ("x" * 256, "x" * 256),
        ("a b", "a b"),
    ],
)
def test_an_id_has_one_form(given_id: Any, canonical: str) -> None:
    view = view_of(user_id=given_id, content_id=given_id)
    assert (view.user_id, view.content_id) == (canonical, canonical)


@pytest.mark.parametrize("field", ["user_id", "content_id"])
@pytest.mark.parametrize(
    "bad", [None, "", "  ", True, False, 1.0, 12.5, [], {}, ["1"], "x" * 257, "é" * 129, 10**300]
)
def test_what_is_no_id(field: str, bad: Any) -> None:
    rejected = rejection(JsonDecoder(), row(**{field: bad}))
    assert rejected.reason == "schema"
    assert field in rejected.error


@pytest.mark.parametrize("field", ["user_id", "content_id", "timestamp"])
def test_a_missing_field_is_named(field: str) -> None:
    record = json.loads(row())
    del record[field]
    rejected = rejection(JsonDecoder(), json.dumps(record).encode())
    assert rejected.reason == "schema"
    assert field in rejected.error


@pytest.mark.parametrize(
    "bad",
    [
        None,
        True,
        "",
        "ten",
        "1641038400",
        "2022-01-01",
        "2022-13-01T00:00:00",
        "2022-01-01T24:00:00",
        "2022-01-01T12:00:60",
        "2022-01-01x12:00:00",
        "20220101T120000",
        "2022-W01-1T10:00",
        "12:00:00",
        [],
        {},
        10**400,
    ],
)
def test_what_is_no_time(bad: Any) -> None:
    assert rejection(JsonDecoder(), row(timestamp=bad)).reason == "schema"


@pytest.mark.parametrize("field", ["view_time", "rating", "duration"])
@pytest.mark.parametrize("bad", ["ten", "4", "", True, False, [], {}, 10**400])
def test_what_is_no_number(field: str, bad: Any) -> None:
    rejected = rejection(JsonDecoder(), row(**{field: bad}))
    assert rejected.reason == "schema"
    assert field in rejected.error


@pytest.mark.parametrize("field", ["timestamp", "view_time", "rating"])
def test_a_json_number_that_is_infinite_is_wrongly_typed(field: str) -> None:
    value = b'{"user_id":1,"content_id":2,"timestamp":1}'.replace(
        b'"timestamp":1', b'"timestamp":1,"%b":1e400' % field.encode()
    )
    assert rejection(JsonDecoder(), value).reason == "schema"


def test_an_infinite_number_in_an_unknown_field_is_ignored() -> None:
    value = b'{"user_id":1,"content_id":2,"timestamp":1,"x":1e400}'
    assert JsonDecoder().decode_view(value) == View("1", "2", 1.0)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("event_type", 3),
        ("event_type", True),
        ("event_id", True),
        ("event_id", 1.5),
        ("event_id", "x" * 257),
        ("session_id", []),
        ("device", {}),
        ("source", 1.5),
    ],
)
def test_what_is_no_label(field: str, bad: Any) -> None:
    assert rejection(JsonDecoder(), row(**{field: bad})).reason == "schema"


def test_an_optional_field_may_be_null_or_an_empty_label() -> None:
    numbers = ["view_time", "rating", "duration"]
    labels = ["event_type", "event_id", "session_id", "device", "source"]
    assert view_of(**dict.fromkeys(numbers + labels)) == View("1", "2", NOON)
    assert view_of(**dict.fromkeys(labels, "")) == View("1", "2", NOON)
    assert view_of(**dict.fromkeys(labels, " ")) == View("1", "2", NOON)


def test_a_view_says_on_what_and_from_where_it_was_watched() -> None:
    view = view_of(device=" tv ", Source=7)
    assert (view.device, view.source) == ("tv", "7")
    decoder = DelimitedDecoder([*HEADER, "Device", "source"])
    view = decoder.decode_view(b"1,2,,,2022-01-01T12:00:00,phone,")
    assert (view.device, view.source) == ("phone", None)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("x" * 64, "x" * 64),
        ("x" * 65, "x" * 64),
        ("ä" * 33, "ä" * 32),
        ("x" + "ä" * 32, "x" + "ä" * 31),
    ],
)
def test_64_bytes_of_a_source_count(given: str, kept: str) -> None:
    assert view_of(source=given, device=given) == View("1", "2", NOON, device=kept, source=kept)


def test_ranges_are_not_looked_at() -> None:
    view = view_of(view_time=-1, rating=99, timestamp=-1e10)
    assert (view.view_time, view.rating, view.event_time) == (-1.0, 99.0, -1e10)


NOT_JSON = {
    "empty": b"",
    "text": b"hello",
    "cut": b'{"user_id":1,',
    "NaN literal": b'{"user_id":1,"content_id":2,"timestamp":1,"view_time":NaN}',
    "NaN in an unknown field": b'{"user_id":1,"content_id":2,"timestamp":1,"x":NaN}',
    "Infinity": b'{"user_id":1,"content_id":2,"timestamp":Infinity}',
    "byte order mark": b'\xef\xbb\xbf{"user_id":1,"content_id":2,"timestamp":1}',
    "UTF-16": '{"user_id":1,"content_id":2,"timestamp":1}'.encode("utf-16"),
    "not UTF-8": b'{"user_id":"\xff","content_id":2,"timestamp":1}',
    "not UTF-8 in an unknown field": b'{"user_id":1,"content_id":2,"timestamp":1,"x":"\xff"}',
    "not UTF-8 in a key": b'{"user_id":1,"content_id":2,"timestamp":1,"\xff":1}',
    "half a surrogate pair": b'{"user_id":"\\ud800","content_id":2,"timestamp":1}',
    "two records": b'{"user_id":1,"content_id":2,"timestamp":1}{}',
    "single quotes": b"{'user_id':1,'content_id':2,'timestamp':1}",
    "deep array": b'{"user_id":1,"content_id":2,"timestamp":1,"x":%b%b}'
    % (b"[" * 9000, b"]" * 9000),
    "deep object": b'{"x":' * 5000 + b"1" + b"}" * 5000,
    "65 levels": b'{"user_id":1,"content_id":2,"timestamp":1,"x":%b%b}' % (b"[" * 64, b"]" * 64),
    "too long": b'{"user_id":1,"content_id":2,"timestamp":1,"x":"%b"}' % (b"x" * 65536),
}


@pytest.mark.parametrize("value", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_refused_at_decoding(value: bytes) -> None:
    assert rejection(JsonDecoder(), value).reason == "decode"


@pytest.mark.parametrize("value", [b"[1]", b"1", b'"x"', b"null", b"true", b"{}"])
def test_json_that_is_no_event_is_wrongly_typed(value: bytes) -> None:
    assert rejection(JsonDecoder(), value).reason == "schema"


def test_nesting_within_the_limit_and_brackets_in_text_are_fine() -> None:
    nested: Any = "[{" * 200
    for _ in range(63):
        nested = [nested]
    assert view_of(x=nested) == View("1", "2", NOON)


def test_the_size_limit_is_inclusive_and_an_option() -> None:
    value = row()
    assert JsonDecoder(max_bytes=len(value)).decode_view(value) == View("1", "2", NOON)
    assert rejection(JsonDecoder(max_bytes=len(value) - 1), value).reason == "decode"


def test_the_length_of_a_long_record_is_that_of_the_whole() -> None:
    record = LongRecord.of(b"x" * 11, 5_000_000)
    for decoder in (JsonDecoder(max_bytes=10), DelimitedDecoder(HEADER, max_bytes=10)):
        assert "5000000 bytes" in rejection(decoder, record).error


def test_two_spellings_in_one_record_are_refused() -> None:
    for other in ("User ID", "userId", "USER_ID"):
        assert rejection(JsonDecoder(), row(**{other: 1})).reason == "schema"
    assert rejection(JsonDecoder(), row(timestamp_ms=1)).reason == "schema"


def test_a_mapped_field_is_read_under_its_name() -> None:
    decoder = JsonDecoder({"user_id": "uid"})
    assert decoder.decode_view(row(uid="u", user_id="not this")).user_id == "u"
    assert rejection(decoder, row()).reason == "schema"


def test_an_error_shows_no_payload() -> None:
    for value in (row(user_id="", rating="secret"), b'{"secret', b"\xff secret"):
        assert "secret" not in rejection(JsonDecoder(), value).error
    cells = rejection(DelimitedDecoder(HEADER), b"1,2,secret,4,2022-01-01 12:00:00")
    assert "secret" not in cells.error


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,2,ten,4,0", "schema"),
        (b"1,2,nan,4,0", "schema"),
        (b"1,2,NaN,4,0", "schema"),
        (b"1,2,inf,4,0", "schema"),
        (b"1,2,1e400,4,0", "schema"),
        (b"1,2,1_0,4,0", "schema"),
        ("1,2,\uff11,4,0".encode(), "schema"),
        (b"1,2,0x1,4,0", "schema"),
        (b"1,2,3,true,0", "schema"),
        (b",2,3,4,0", "schema"),
        (b"1, ,3,4,0", "schema"),
        (b"1,2,3,4,", "schema"),
        (b"1,2,3,4,nan", "schema"),
        (b"1,2,3,4,yesterday", "schema"),
        (b"1,2,3,4,2022-01-01", "schema"),
        (b"%b,2,3,4,0" % (b"x" * 257), "schema"),
        (b"1,2,3,4", "schema"),
        (b"1,2,3,4,0,5", "schema"),
        (b"1", "schema"),
        (b'1,"2,3,4,0', "decode"),
        (b'1,"2"x,3,4,0', "decode"),
        (b"\xff,2,3,4,0", "decode"),
        (b"%b,2,3,4,0" % (b"x" * 65536), "decode"),
    ],
)
def test_rows_that_are_no_events(line: bytes, reason: str) -> None:
    assert rejection(DelimitedDecoder(HEADER), line).reason == reason


@pytest.mark.parametrize(
    ("line", "view"),
    [
        (b"1,2,,,0", View("1", "2", 0.0)),
        (b"1,2,3,,0", View("1", "2", 0.0, view_time=3.0)),
        (b' "1" ,2,3,4,0'.replace(b" ,", b","), View("1", "2", 0.0, 3.0, 4.0)),
        (b'"a,b","say ""x""",3,4,0', View("a,b", 'say "x"', 0.0, 3.0, 4.0)),
        (b"1,2,.5,+4,1e3", View("1", "2", 1000.0, 0.5, 4.0)),
        (b"1.0,2,3,4,0", View("1.0", "2", 0.0, 3.0, 4.0)),
    ],
)
def test_rows_that_are_events(line: bytes, view: View) -> None:
    assert DelimitedDecoder(HEADER).decode_view(line) == view


def test_columns_in_any_order_with_unknown_ones_between() -> None:
    decoder = DelimitedDecoder(["x", "TIMESTAMP_MS", "contentId", "", "user_id"], "\t")
    assert decoder.decode_view(b"?\t1500\t b \t\ta, c") == View("a, c", "b", 1.5)


def test_a_header_with_two_spellings_is_an_input_error() -> None:
    with pytest.raises(InputError, match="two spellings"):
        DelimitedDecoder(["user_id", "User ID", "content_id", "timestamp"])


FILM = Content(
    "50",
    title="Star Wars",
    genres=("Action", "Sci-Fi"),
    released=220924800.0,
    duration=121.0,
    creators=("3", "Lucas"),
)


def test_content_as_json() -> None:
    record: dict[str, Any] = {
        "Content ID": 50,
        "title": " Star Wars ",
        "genres": ["Action", "Sci-Fi", "Action", ""],
        "released": 1977,
        "duration": 121,
        "creators": [3, "Lucas"],
    }
    assert JsonDecoder().decode_content(json.dumps(record).encode()) == FILM
    record |= {"genres": "Action| Sci-Fi", "creators": "3|Lucas", "released": "1977"}
    assert JsonDecoder().decode_content(json.dumps(record).encode()) == FILM


def test_content_as_csv_with_aliases() -> None:
    decoder = DelimitedDecoder(
        ["content_id", "title", "genres", "release_year", "duration", "creator"]
    )
    assert decoder.decode_content(b'50,"Star Wars",Action|Sci-Fi,1977,121,3|Lucas') == FILM
    assert decoder.decode_content(b"50,,,,,") == Content("50")


@pytest.mark.parametrize(
    ("released", "epoch_s"),
    [
        (1970, 0.0),
        ("1970-01-02", 86400.0),
        (1969, -31536000.0),
        (1994.0, 757382400.0),
        ("1994.0", 757382400.0),
        ("1994-01-01T13:00:00", 757382400.0),
        ("", None),
        (None, None),
    ],
)
def test_release_dates(released: Any, epoch_s: float | None) -> None:
    value = json.dumps({"content_id": 1, "release_year": released}).encode()
    assert JsonDecoder().decode_content(value).released == epoch_s


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("released", "soon"),
        ("released", 1994.5),
        ("released", 0),
        ("released", 20220410),
        ("released", "1977-13-01"),
        ("released", True),
        ("released", "1_94"),
        ("genres", 1.5),
        ("genres", [None]),
        ("genres", [True]),
        ("genres", [["Drama"]]),
        ("genres", ["x" * 257]),
        ("title", 1917),
        ("duration", "long"),
        ("content_id", ""),
        ("content_id", None),
    ],
)
def test_what_is_no_content(field: str, bad: Any) -> None:
    value = json.dumps({"content_id": 1, field: bad}).encode()
    with pytest.raises(RejectedEvent) as caught:
        JsonDecoder().decode_content(value)
    assert caught.value.reason == "schema"


def reason_of(decode: Callable[[bytes], object], value: bytes) -> str | None:
    try:
        decode(value)
    except RejectedEvent as rejected:
        return rejected.reason
    return None


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_decode_or_be_refused(value: bytes) -> None:
    for decoder in (JsonDecoder(), DelimitedDecoder(HEADER)):
        for decode in (decoder.decode_view, decoder.decode_content):
            assert reason_of(decode, value) in {None, "decode", "schema"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from([*HEADER, "user_id", "timestamp_ms", "title", "genres", "x"]), json_values
    )
)
def test_no_json_does_anything_but_decode_or_be_refused(record: dict[str, Any]) -> None:
    value = json.dumps(record).encode()
    for decode in (JsonDecoder().decode_view, JsonDecoder().decode_content):
        assert reason_of(decode, value) in {None, "schema", "decode"}
