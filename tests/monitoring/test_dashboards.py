import json
import re
from collections import Counter
from itertools import chain, product

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard, units

from monitoring.grafana.__main__ import BOARDS, FOLDER
from monitoring.grafana.build import IN_SIGHT, MATCHERS, dashboard_json
from monitoring.metric import PROCESS
from tests.monitoring.promql import RATES, selectors, series_names

BY_UID = {board.uid: json.loads(dashboard_json(board)) for board in BOARDS}
PANELS = {
    f"{uid}/{panel['title']}": panel
    for uid, found in BY_UID.items()
    for panel in found["panels"]
    if panel["type"] != "row"
}
# Of Prometheus itself, and without the labels of a worker.
OTHERS = {"ALERTS"}
WINDOWS = ("$__rate_interval", "$window")
UNITS = {getattr(units, name) for name in dir(units) if isinstance(getattr(units, name), str)}

each_board = pytest.mark.parametrize("uid", BY_UID)
each_panel = pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)


def parsed(expression):
    """Parse an expression once variables have a value."""
    for window in WINDOWS:
        expression = expression.replace(window, "5m")
    return promql_parser.parse(re.sub(r'"\$\w+"', '".+"', expression))


def expressions(panel):
    return [target["expr"] for target in panel["targets"]]


def through_the_sdk(found):
    """Read and write a dashboard; the SDK knows one placement of links and marks only."""
    read = dashboard.Dashboard.from_json(json.loads(json.dumps(found)))
    for placed in (*read.links, *read.annotations.list_val):
        assert placed.placement == "inControlsMenu"
        placed.placement = IN_SIGHT
    return json.loads(json.dumps(read, cls=JSONEncoder))


def kind_of(name):
    if name in PROCESS:
        return "counter" if name.endswith("_total") else "gauge"
    metric = series_names().get(name)
    return None if metric is None else "counter" if metric.kind == "histogram" else metric.kind


@each_board
def test_what_is_committed_is_what_the_code_builds(uid):
    committed = (FOLDER / f"{uid}.json").read_text(encoding="utf-8")
    assert json.loads(committed) == BY_UID[uid]


def test_nothing_else_is_provisioned():
    assert {path.stem for path in FOLDER.iterdir()} == set(BY_UID)


@each_board
def test_a_dashboard_survives_the_way_through_the_sdk(uid):
    """Unknown keys would be lost, so that misspelt ones are found."""
    assert through_the_sdk(BY_UID[uid]) == BY_UID[uid]


@each_board
def test_a_misspelt_key_would_be_found(uid):
    wrong = json.loads(json.dumps(BY_UID[uid]))
    wrong["panels"][1]["fieldConfig"]["defaults"]["units"] = "s"
    assert through_the_sdk(wrong) == BY_UID[uid]


@each_board
def test_the_grid_has_no_holes_and_no_overlaps(uid):
    taken = Counter(
        cell
        for panel in BY_UID[uid]["panels"]
        for cell in product(
            range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"]),
            range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"]),
        )
    )
    height = max(y for _, y in taken) + 1
    assert taken == Counter(product(range(24), range(height)))


@each_board
def test_numbers_of_panels_and_their_titles_are_their_own(uid):
    panels = BY_UID[uid]["panels"]
    for what in ("id", "title"):
        assert len({panel[what] for panel in panels}) == len(panels)


@each_board
def test_the_first_row_is_a_verdict(uid):
    heading, *rest = BY_UID[uid]["panels"]
    assert heading["title"].endswith("?")
    first = [panel for panel in rest if panel["gridPos"]["y"] == heading["gridPos"]["y"] + 1]
    assert {panel["type"] for panel in first} == {"stat"}
    assert sum(len(p["fieldConfig"]["defaults"]["thresholds"]["steps"]) > 1 for p in first) >= 2


@each_board
def test_variables_reach_every_expression(uid):
    variables = {v["name"]: v for v in BY_UID[uid]["templating"]["list"]}
    assert {"datasource", "job", "instance", "topic", "window"} <= set(variables)
    assert ("segment" in variables) is (uid == "driftline-quality")
    for name in {"job", "instance", "topic", "segment"} & set(variables):
        assert (variables[name]["multi"], variables[name]["allValue"]) == (True, ".+")
    used = set(re.findall(r"\$\{?(?!__)(\w+)", json.dumps(BY_UID[uid])))
    assert used - set(variables) == set()
    assert {"datasource", "job", "instance", "topic", "window"} <= used | {"topic"}


@each_board
def test_the_dashboards_share_crosshair_links_and_marks_of_drift(uid):
    found = BY_UID[uid]
    assert found["graphTooltip"] == 1
    (link,) = found["links"]
    assert (link["tags"], link["includeVars"], link["keepTime"]) == (found["tags"], True, True)
    (mark,) = found["annotations"]["list"]
    assert mark["useValueForTime"] is True
    assert mark["expr"].endswith("* 1000")  # milliseconds
    assert [s.name for s, _ in selectors(parsed(mark["expr"]))] == [
        "driftline_drift_detected_timestamp_seconds"
    ]


def test_alerts_lead_to_their_runbooks():
    panel = PANELS["driftline-overview/Alerts"]
    (override,) = panel["fieldConfig"]["overrides"]
    (link,) = override["properties"][0]["value"]
    assert link["url"] == "${runbooks}/${__data.fields.alertname}.md"


@each_panel
def test_every_panel_has_a_title_a_sentence_a_unit_and_thresholds(panel):
    assert panel["title"]
    assert panel["description"].endswith(".")
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"] in UNITS
    steps = defaults["thresholds"]["steps"]
    assert steps[0]["value"] is None
    values = [step["value"] for step in steps[1:]]
    assert values == sorted(values)


@each_panel
def test_every_panel_asks_the_chosen_source(panel):
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert panel["datasource"] == source
    assert all(target["datasource"] == source for target in panel["targets"])


@each_panel
def test_every_expression_names_metrics_of_the_table_and_the_chosen_workers(panel):
    for expression in expressions(panel):
        for selector, _ in selectors(parsed(expression)):
            if selector.name in OTHERS:
                continue
            assert kind_of(selector.name), selector.name
        names = [s.name for s, _ in selectors(parsed(expression)) if s.name not in OTHERS]
        assert expression.count(MATCHERS) == len(names)


@each_panel
def test_counters_are_looked_at_through_rates_only_and_gauges_never(panel):
    for selector, inside in chain.from_iterable(selectors(parsed(e)) for e in expressions(panel)):
        if selector.name not in OTHERS:
            assert bool(RATES & set(inside)) is (kind_of(selector.name) == "counter")


@each_panel
def test_ranges_follow_the_picture_or_the_chosen_window(panel):
    for expression in expressions(panel):
        ranges = re.findall(r"\[([^\]]+)\]", expression)
        assert set(ranges) <= set(WINDOWS)
        for function, window in re.findall(r"(rate|increase)\([^\[]+\[([^\]]+)\]", expression):
            assert (function == "rate") <= (window == "$__rate_interval")


@each_panel
def test_legends_name_labels_that_the_expression_keeps(panel):
    for target in panel["targets"]:
        for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
            kept = re.findall(r"by \(([^)]*)\)", target["expr"])
            labels = {name.strip() for group in kept for name in group.split(",")}
            names = {s.name for s, _ in selectors(parsed(target["expr"]))}
            own = {n for name in names if (m := series_names().get(name)) for n in m.label_names}
            assert label in (labels if kept else {*own, "instance", "job"})
