"""The page of a report, from plain values."""

import math
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from models.feature_names import FEATURES
from monitoring.report.comparisons import parts_of
from monitoring.report.history import MAX_ROWS, History
from monitoring.report.inputs import shares_along
from monitoring.report.markup import VOID
from monitoring.report.page import html
from monitoring.report.plotting import Frame, wilson
from monitoring.report.quality import MAX_POINTS, joined_windows
from monitoring.report.values import Drift
from monitoring.report.words import words_of
from tests.monitoring.reports import (
    HOSTILE,
    T0,
    new_drift,
    new_history,
    new_person,
    new_report,
    new_windows,
    with_baselines,
)

MEGABYTE = 1_000_000


class Outline(HTMLParser):
    """What is in a page, and whether every element is closed where it must be."""

    def __init__(self, page):
        super().__init__()
        self.open = []
        self.elements = []
        self.ids = []
        self.attributes = []
        self.wrong = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def text_of(page):
    """Give the words of a page."""
    body = re.sub(r"<style>.*?</style>", "", page.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"drift": None},
        {"drift": Drift([], [], None)},
        {"drift": Drift([], [], [])},
        {"windows": new_windows(0)},
        {"windows": new_windows(1)},
        {"history": History()},
        {"weights": dict.fromkeys(FEATURES, 0.0)},
        {"people": []},
        {"people": [new_person()._replace(is_known=False, n_watched=0, lately=[], items=[])]},
        {"is_interrupted": True},
        {"summary": {"quality": {"accepted": 20_000}}},
    ],
    ids=",".join,
)
def test_every_element_is_closed_whatever_is_missing(changed):
    outline = Outline(html(new_report(**changed)))
    assert (outline.open, outline.wrong) == ([], [])
    assert len(outline.ids) == len(set(outline.ids))


def test_nothing_is_loaded_and_nothing_runs():
    page = html(new_report())
    outline = Outline(page)
    assert not {"script", "iframe", "img", "object", "embed"} & set(outline.elements)
    assert not {"src", "onload", "onclick", "xlink:href"} & set(outline.attributes)
    assert re.findall(rb"(?:https?:)?//[^\s\"'<]+|url\(|@import", page) == []
    assert "default-src 'none'" in unescape(page.decode())


def test_text_from_strangers_stays_text():
    drift = new_drift(scope=HOSTILE)
    people = [new_person(HOSTILE, HOSTILE)]
    quality = {"accepted": 1, HOSTILE: 3}
    page = html(
        new_report(logs=[HOSTILE], drift=drift, people=people, summary={"quality": quality})
    )
    outline = Outline(page)
    assert (outline.open, outline.wrong) == ([], [])
    assert "script" not in outline.elements
    assert "onload" not in outline.attributes
    assert page.count(b"&lt;script&gt;alert(1)&lt;/script&gt;") > 20
    assert b"\x00" not in page
    assert "\u202e" not in page.decode()


def test_a_page_of_the_longest_run_stays_below_a_megabyte():
    report = new_report(
        windows=new_windows(4_096),
        history=new_history(3 * MAX_ROWS, decode=10, late=3, duplicate=7, imputed_view_time=5),
        drift=new_drift(100, scope="genre:" + "é" * 60),
        people=[new_person(f"u{n}" + "x" * 250, "T" * 250) for n in range(10)],
    )
    assert 100_000 < len(html(report)) < MEGABYTE


def test_every_drawing_says_what_it_shows():
    page = html(new_report(drift=new_drift(12))).decode()
    drawings = re.findall(r"<svg[^>]*>(.{0,60})", page)
    assert len(drawings) > 30
    assert all(re.match(r"<title>[^<]+", drawing) for drawing in drawings)
    assert page.count("<svg") == page.count("<desc>") == page.count('role="img"')


def test_the_numbers_of_the_run_are_on_the_page():
    text = text_of(html(new_report()))
    for words in ("20 % of the titles", "3 times as often", ".2000 ± .0100", "20,000 records"):
        assert words in text
    for name in FEATURES:
        assert f" {name} " in text
    assert "400 2 %" in text


def test_every_feature_has_words_of_its_own():
    words = [words_of(name) for name in FEATURES]
    assert all(one.meaning for one in words)
    assert len({one.label for one in words}) == len(FEATURES)


def test_a_part_without_judged_events_has_no_row():
    segments = {"user:new": with_baselines(0.1, 0), "user:known": with_baselines(0.2, 10)}
    found = parts_of(new_report(summary={"segments": segments}).summary)
    assert list(found) == ["all", "first", "second", "user:known"]


@pytest.mark.parametrize("n", [1, 7, MAX_POINTS, MAX_POINTS + 1, 1_000, 4_096])
def test_joined_windows_keep_what_was_judged_and_hit(n):
    windows = new_windows(n)._replace(judged=np.arange(1.0, n + 1))
    joined = joined_windows(windows, MAX_POINTS)
    assert len(joined.end) <= MAX_POINTS
    assert joined.judged.sum() == windows.judged.sum()
    assert joined.judged @ joined.recall == pytest.approx(windows.judged @ windows.recall)
    assert (joined.begin[0], joined.end[-1]) == (windows.begin[0], windows.end[-1])
    assert (joined.begin[1:] == joined.end[:-1]).all()


def test_an_interval_holds_its_share_about_95_times_in_100():
    rng = np.random.default_rng(0)
    shares = rng.uniform(0.02, 0.4, 4_000)
    n = np.full(4_000, 200.0)
    low, high = wilson(rng.binomial(200, shares) / n, n)
    assert 0.93 < ((low <= shares) & (shares <= high)).mean() < 0.97


def test_what_lies_outside_a_frame_is_drawn_at_its_edge():
    frame = Frame(10, 20, 110, 220, (0.0, 1000.0), (0.0, 0.5))
    assert [frame.x(v) for v in (-math.inf, 0, 500, 1000, math.inf)] == [10, 10, 60, 110, 110]
    assert [frame.y(v) for v in (0.0, 0.25, 0.5, 9.0)] == [220, 120, 20, 20]


@pytest.mark.parametrize("n", [1, MAX_ROWS - 1, MAX_ROWS, MAX_ROWS + 3, 5 * MAX_ROWS + 1])
def test_a_history_is_bounded_and_loses_no_record(n):
    history = new_history(n, size=7, decode=2)
    assert len(history.ends) <= MAX_ROWS
    assert history.counts("accepted").sum() == 5 * n
    assert history.counts("decode").sum() == 2 * n
    assert history.seconds("learn").sum() == pytest.approx(0.1 * n)
    assert (history.begins[0], history.ends[-1]) == (0, 7 * n)
    widths = history.ends - history.begins
    assert (widths[:-1] == widths[0]).all()
    assert 0 < widths[-1] <= widths[0]


def test_a_history_of_a_resumed_run_begins_where_that_went_on():
    history = History()
    history.processed(0, {"accepted": 30, "late": 10}, seconds={}, judged={})
    history.processed(1, {"accepted": 60, "imputed_view_time": 60}, seconds={}, judged={})
    history.update(None, 1_100, event_time=T0)
    assert (history.begin, history.ends.tolist()) == (1_000, [1_100])
    assert history.counts("accepted").tolist() == [90]


def test_a_wrong_clock_does_not_move_the_axis():
    history = History()
    clocks = [0, 1, 2, 9_999_999, 4, 5, -9_999_999, 7]
    for n, hours in enumerate(clocks, 1):
        history.update(None, n, event_time=T0 + 3600 * hours)
    times = (history.times - T0) / 3600
    assert times.max() <= 7
    assert times.min() >= 0
    assert (np.diff(times) >= 0).all()


def test_shares_along_the_log_are_of_the_records_there():
    history = History()
    for n, refused in enumerate((0, 0, 50, 100), 1):
        counts = {"accepted": 100 - refused, "decode": refused}
        history.processed(0, counts, seconds={}, judged={})
        history.update(None, 100 * n, event_time=T0)
    assert shares_along(history, "decode", 4).tolist() == [0, 0, 0.5, 1]
    assert shares_along(history, "decode", 2).tolist() == [0, 0.75]
