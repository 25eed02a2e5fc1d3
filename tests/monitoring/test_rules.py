import re
from collections import Counter
from pathlib import Path

import promql_parser
import pytest
import yaml

from monitoring.metric import PROCESS
from tests.monitoring.promql import names_in, series_names

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "monitoring" / "prometheus"
RULE_FILES = sorted((FOLDER / "rules").glob("*.yml"))
UNIT_TESTS = sorted((Path(__file__).parent / "rules").glob("*_test.yml"))
RULES = [
    rule
    for path in RULE_FILES
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDS = {rule["record"]: rule for rule in RULES if "record" in rule}
WORLDS = [w for path in UNIT_TESTS for w in yaml.safe_load(path.read_text("utf-8"))["tests"]]


def test_promtool_finds_the_configuration_and_the_rules_right(promtool):
    code, said = promtool("check", "config", FOLDER / "prometheus.yml")
    assert code == 0, said
    assert f"{len(RULE_FILES)} rule files found" in said


def test_the_unit_tests_of_the_rules_hold(promtool):
    code, said = promtool("test", "rules", *UNIT_TESTS)
    assert code == 0, said


def test_an_alert_that_does_not_fire_as_expected_is_found(promtool, tmp_path):
    world = next(world for world in WORLDS if world["name"].startswith("DriftlineDown after"))
    case = {"eval_time": "8m", "alertname": "DriftlineDown", "exp_alerts": [{"exp_labels": {}}]}
    files = [str(path) for path in RULE_FILES]
    test = {"rule_files": files, "tests": [world | {"alert_rule_test": [case]}]}
    path = tmp_path / "wrong.yml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    assert promtool("test", "rules", path)[0] == 1


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_world_in_which_it_fires_and_one_in_which_it_does_not(alert):
    kinds = Counter(
        ("fires" if "exp_alerts" in case else "quiet", world["name"].split()[0])
        for world in WORLDS
        for case in world["alert_rule_test"]
        if case["alertname"] == alert
    )
    assert kinds["fires", alert] >= 1
    assert kinds["quiet", alert] >= 1
    assert {name for _, name in kinds} == {alert}


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_every_alert_says_what_where_and_what_to_do(alert):
    assert re.fullmatch(r"\d+m", alert["for"])
    assert alert["labels"]["severity"] in {"critical", "warning"}
    notes = alert["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert not notes["summary"].endswith(".")
    assert notes["description"].endswith(".")
    assert (ROOT / notes["runbook_url"]).is_file()
    assert notes["runbook_url"] == f"docs/runbooks/{alert['alert']}.md"


def test_every_runbook_is_of_an_alert_and_has_the_same_parts():
    pages = {path.stem: path for path in (ROOT / "docs" / "runbooks").glob("Driftline*.md")}
    assert set(pages) == set(ALERTS)
    parts = ["What it means", "Look at first", "What to do"]
    for name, path in pages.items():
        text = path.read_text("utf-8")
        assert text.startswith(f"# {name}\n")
        assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == parts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_every_expression_names_metrics_that_exist(rule):
    known = {*series_names(), *PROCESS, *RECORDS, "up"}
    assert names_in(promql_parser.parse(rule["expr"])) - known == set()


@pytest.mark.parametrize("name", RECORDS)
def test_records_are_named_level_metric_operations(name):
    level, metric, operations = name.split(":")
    assert re.fullmatch(r"(job|outcome|k|model|segment)(_(outcome|k|model|segment))*", level)
    assert metric.startswith("driftline_")
    assert operations
