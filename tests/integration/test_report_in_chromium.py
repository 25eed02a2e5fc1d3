"""A report in a real browser: on a screen, on a phone, on paper, light and dark."""

import shutil
from pathlib import Path

import pytest

from monitoring.report.page import html
from tests.chromium import Chromium
from tests.monitoring.reports import HOSTILE, new_drift, new_person, new_report

SCREEN, PHONE = 1440, 390
PROBE = (Path(__file__).parent / "page_probe.js").read_text("utf-8")
STYLE = r"""
(() => {
  const within = (sheet) =>
    [...sheet.cssRules].flatMap((rule) => (rule.selectorText ? [rule] : [rule, ...within(rule)]));
  const rules = within(document.styleSheets[0]);
  const parts = rules.flatMap((rule) => (rule.selectorText ?? "").split(","));
  const plain = (part) => part.replace(/::?(?!root|not)[a-z-]+/g, "").trim();
  return {
    understood: rules.length,
    written: document.querySelector("style").textContent.split("{").length - 1,
    idle: parts.filter((part) => plain(part) && !document.querySelector(plain(part))),
  };
})()
"""
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def chromium(outside, tmp_path_factory):
    """Give a browser; skip without one, but fail where it is required."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None and outside.get("DRIFTLINE_REQUIRE_CHROMIUM") == "1":
        pytest.fail("DRIFTLINE_REQUIRE_CHROMIUM is set, but there is no chromium")
    if program is None:
        pytest.skip("chromium is not there (Debian's package chromium has it)")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """Give a page of a usual run, and one of strange names."""
    folder = tmp_path_factory.mktemp("pages")
    strange = new_report(
        logs=[HOSTILE], drift=new_drift(30, scope=HOSTILE), people=[new_person(HOSTILE, HOSTILE)]
    )
    made = {"usual": new_report(), "strange": strange}
    for name, report in made.items():
        (folder / f"{name}.html").write_bytes(html(report))
    return {name: (folder / f"{name}.html").as_uri() for name in made}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, SCREEN])
@pytest.mark.parametrize("name", ["usual", "strange"])
def test_a_page_is_whole_and_readable(chromium, pages, name, width, scheme):
    chromium.open(pages[name], width=width, scheme=scheme)
    found = chromium.evaluate(PROBE)
    asked = [event["request"]["url"] for event in chromium.events("Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith("data:")] == [pages[name]]
    assert chromium.events("Log.entryAdded") == []
    assert chromium.events("Runtime.consoleAPICalled") == []
    assert chromium.events("Runtime.exceptionThrown") == []
    assert chromium.events("Page.javascriptDialogOpening") == []
    assert found["innerWidth"] == width
    assert found["width"] <= width
    assert found["outside"] == []
    assert found["unnamed"] == []
    assert found["texts"] > 200
    assert found["faintest"][0] >= 4.5, found["faintest"]


def test_light_and_dark_differ_and_paper_is_light(chromium, pages):
    back = "getComputedStyle(document.body).backgroundColor"
    found = {}
    for scheme in ("light", "dark"):
        chromium.open(pages["usual"], width=SCREEN, scheme=scheme)
        found[scheme] = chromium.evaluate(back)
    assert found == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}
    chromium.call("Emulation.setEmulatedMedia", media="print")
    assert chromium.evaluate(back) == found["light"]
    assert chromium.pdf().startswith(b"%PDF")


@pytest.mark.parametrize(("width", "shown"), [(PHONE, "narrow"), (SCREEN, "wide")])
def test_of_two_drawings_the_one_for_the_window_is_shown(chromium, pages, width, shown):
    chromium.open(pages["usual"], width=width)
    visible = chromium.evaluate(
        "[...document.querySelectorAll('.plot')].filter(e => e.checkVisibility())"
        ".map(e => e.parentElement.className)"
    )
    assert visible == [shown]


def test_every_rule_of_the_style_is_understood_and_for_something(chromium, pages):
    """To a browser a slip in a style sheet is no error: it leaves the rule out."""
    idle = []
    for url in pages.values():
        chromium.open(url, width=SCREEN)
        found = chromium.evaluate(STYLE)
        assert found["understood"] == found["written"]
        idle.append(set(found["idle"]))
    assert set.intersection(*idle) == set()


def test_faint_text_and_what_sticks_out_are_found(chromium, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<!DOCTYPE html><meta name=viewport content='width=device-width'><body><svg></svg>"
        "<p style='color:#999;background:#fff'>faint</p><div style='width:900px'>wide</div>"
    )
    chromium.open(page.as_uri(), width=PHONE)
    found = chromium.evaluate(PROBE)
    assert 2.8 < found["faintest"][0] < 2.9
    assert len(found["outside"]) == 1
    assert len(found["unnamed"]) == 1
    assert found["width"] > PHONE
