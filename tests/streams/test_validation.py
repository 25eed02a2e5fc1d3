from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from streams.catalogue import Catalogue
from streams.decoding import JsonDecoder
from streams.errors import RejectedEvent
from streams.events import Content, View, encode_view
from streams.logs import Position, RecordBatch
from streams.quality import QualityGate
from streams.settings import QualitySettings
from streams.validation import CheckResult, Report, Validation

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = 1_641_038_400.0


def batch(values: list[bytes], *, first: int = 1, source: str | None = None) -> RecordBatch:
    numbers = list(range(first, first + len(values)))
    position = Position(number=first + len(values))
    return RecordBatch(source, numbers, values, JsonDecoder(), position)


def good(n: int, **fields: float) -> bytes:
    plain = View(f"u{n % 7}", f"film {n % 11}", NOON + n)
    return encode_view(msgspec.structs.replace(plain, **fields))


def good_log(n_events: int = 1000) -> list[bytes]:
    return [good(n, view_time=60.0 + n % 30, duration=100.0, rating=7.0) for n in range(n_events)]


def validate(
    *batches: RecordBatch, content: Sequence[Content | RejectedEvent] = (), **settings: float
) -> Report:
    catalogue = Catalogue()
    gate = QualityGate(msgspec.convert(settings, QualitySettings), catalogue)
    validation = Validation(gate, catalogue)
    validation.take_content(content)
    for records in batches:
        validation.take(records)
    return validation.report()


def check(report: Report, name: str) -> CheckResult:
    return next(result for result in report.checks if result.name == name)


def test_a_clean_log_passes_every_check() -> None:
    report = validate(batch(good_log()))

    assert {result.name: result.status for result in report.checks if result.status != "PASS"} == {}
    assert (report.status, report.records, report.accepted) == ("PASS", 1000, 1000)


def test_an_empty_log_fails() -> None:
    report = validate()

    assert (report.status, check(report, "volume").status) == ("FAIL", "FAIL")


def test_a_log_of_which_nothing_is_accepted_fails() -> None:
    assert check(validate(batch([b"not JSON"])), "volume").status == "FAIL"


BAD = {
    "decodable": b"not JSON",
    "schema": b'{"user_id": true, "content_id": 1, "timestamp": 1641038400}',
    "range": good(5, rating=11.0),
    "lateness": encode_view(View("u1", "film", NOON - 10 * 86_400)),
    "duplicates": good(5),
    "order": encode_view(View("u1", "film", NOON - 5)),
    "future timestamps": encode_view(View("u1", "film", NOON + 10 * 86_400)),
    "missing view_time": good(10_000, rating=7.0),
    "missing rating": good(10_000, view_time=60.0),
    "view_time outliers": good(10_000, view_time=1e6, duration=100.0),
    "view_time above duration": good(10_000, view_time=101.0, duration=100.0),
    "unknown content": encode_view(View("u1", "unheard of", NOON + 10_000)),
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_record_is_a_warning_with_its_line(name: str) -> None:
    titles = [Content(f"film {n}") for n in range(11)] + [Content("film")]
    report = validate(batch([*good_log(), BAD[name]]), content=titles)

    found = check(report, name)
    assert (found.status, found.count, report.status) == ("WARN", 1, "WARN")
    assert [example.line for example in found.examples] == [1001]
    assert found.examples[0].error


@pytest.mark.parametrize("name", ["decodable", "schema", "range", "lateness"])
def test_more_than_one_percent_of_dead_letters_fail(name: str) -> None:
    at_most = validate(batch([*good_log(990), *[BAD[name]] * 10]))
    above = validate(batch([*good_log(989), *[BAD[name]] * 11]))

    assert (check(at_most, name).status, check(above, name).status) == ("WARN", "FAIL")
    assert (above.status, check(above, name).share) == ("FAIL", 0.011)


def test_a_repair_that_most_events_need_fails() -> None:
    half = [good(n, view_time=50.0 + 51.0 * (n % 2), duration=100.0) for n in range(100)]
    most = [*half, good(101, view_time=101.0, duration=100.0)]

    assert check(validate(batch(half)), "view_time above duration").status == "WARN"
    assert check(validate(batch(most)), "view_time above duration").status == "FAIL"


def test_absent_optional_columns_pass() -> None:
    report = validate(batch([good(n) for n in range(50)]))

    assert report.status == "PASS"
    assert check(report, "missing rating").count == 50
    assert "fine" in check(report, "missing rating").meaning
    assert check(report, "missing rating").examples == []


def test_a_mostly_missing_optional_column_never_fails() -> None:
    records = [good(n, **({"rating": 5.0} if n == 0 else {})) for n in range(50)]

    assert check(validate(batch(records)), "missing rating").status == "WARN"


def test_examples_are_few_and_say_which_file() -> None:
    garbage = [b"garbage"] * 4
    report = validate(batch(garbage, source="a.jsonl"), batch(garbage, first=7, source="b.jsonl"))

    places = [(example.file, example.line) for example in check(report, "decodable").examples]
    assert places == [("a.jsonl", n) for n in (1, 2, 3, 4)] + [("b.jsonl", 7)]
    assert check(report, "decodable").count == 8


def test_a_bad_content_record_is_found() -> None:
    content = [Content(str(n)) for n in range(200)] + [RejectedEvent("schema", "no content_id")]

    found = check(validate(batch(good_log(10)), content=content), "content")
    assert (found.status, found.count, found.of) == ("WARN", 1, 201)
    assert found.examples[0].error == "no content_id"


def test_settings_decide_what_is_bad() -> None:
    log = batch([good(n, rating=8.0) for n in range(10)])

    assert check(validate(log), "range").status == "PASS"
    assert check(validate(log, rating_max=5.0), "range").count == 10
