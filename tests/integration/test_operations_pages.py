"""docs/operations.md and docs/topics.md say what the code does."""

import re

import pytest
import yaml

from streams import arrivals, dead_letter_records
from streams.exit_codes import ExitCode
from streams.kafka_settings import from_environment
from streams.processes import stop_budget_s
from streams.settings import Settings, settings_table
from streams.settings_sources import load
from streams.store_options import FILE_SECRETS, options_from_environment
from streams.store_options import PREFIX as STORE_PREFIX
from streams.topics import TopicShape, topic_specs
from tests.composition import ROOT, image_environment, said, service

OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
TOPICS = (ROOT / "docs" / "topics.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+) \| `([A-Z_]+)` \|", flags=re.MULTILINE)
SETTING = re.compile(r"`((?:engine|quality|replay|topics|worker|monitoring)\.[a-z_]+)")
VARIABLE = re.compile(r"\b(DRIFTLINE|KAFKA)(_[A-Z_]+)\b")


def block(kind, number=0):
    return re.findall(rf"^```{kind}\n(.*?)^```$", OPERATIONS, flags=re.MULTILINE | re.DOTALL)[
        number
    ]


def test_every_exit_code_is_in_the_table():
    assert {int(code): name for code, name in ROW.findall(OPERATIONS)} == {
        code.value: code.name for code in ExitCode
    }


def test_systemd_starts_again_what_may_start_again():
    kept_down = re.search(r"RestartPreventExitStatus=(.+)", block("ini"))[1]
    final = {code.value for code in ExitCode if not code.may_restart}
    assert {int(code) for code in kept_down.split()} == final - {0, ExitCode.INTERRUPTED}


@pytest.mark.parametrize("text", [OPERATIONS, TOPICS], ids=["operations", "topics"])
def test_every_setting_that_is_named_exists(text):
    named = set(SETTING.findall(text))
    assert named
    assert named - {row.name for row in settings_table()} == set()


def test_every_variable_that_is_named_exists(tmp_path):
    known = {row.variable for row in settings_table()} | {"DRIFTLINE_CONFIG"}
    secret = tmp_path / "secret"
    secret.write_text("x")
    for prefix, rest in set(VARIABLE.findall(OPERATIONS)):
        variable = prefix + rest
        if variable.startswith(STORE_PREFIX):
            ((name, _, _),) = options_from_environment({variable: str(secret)})
            assert name in FILE_SECRETS
        elif prefix == "DRIFTLINE":
            assert variable in known
        else:
            ((key, _, _),) = from_environment({variable: str(secret)})
            assert not key.endswith(".file"), f"{variable} would not be read from a file"


def test_every_grace_is_longer_than_a_stop_may_take():
    needed_s = stop_budget_s(Settings().worker)
    pod = yaml.safe_load(block("yaml"))["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > needed_s
    assert int(re.search(r"TimeoutStopSec=(\d+)", block("ini"))[1]) > needed_s


def test_the_pod_is_of_the_image_and_can_write_where_it_must():
    pod = yaml.safe_load(block("yaml"))["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == service("worker")["image"]
    served = load(environ=image_environment(), folder=ROOT / "docs").settings.monitoring
    for name, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        assert container[name]["httpGet"] == {"path": path, "port": served.port}
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted == {"/tmp", "/var/lib/driftline"}  # noqa: S108  of the container
    assert said("ENTRYPOINT") == ["driftline"]


def test_every_topic_has_its_row_with_partitions_and_retention():
    for spec in topic_specs(Settings().topics, TopicShape(), n_partitions=4):
        (row,) = re.findall(rf"^\| `{re.escape(spec.name)}` \|.*$", TOPICS, flags=re.MULTILINE)
        *_, partitions, kept = (cell.strip() for cell in row.strip("|").split("|"))
        assert partitions.startswith("`N`" if spec.n_partitions == 4 else "1")
        assert (kept == "compacted") is (spec.config["cleanup.policy"] == "compact")


def test_every_header_is_explained():
    names = dead_letter_records._ADDED | {
        dead_letter_records.TRUNCATED,
        arrivals.SCHEMA_HEADER,
        arrivals.FORGET_HEADER,
        arrivals.REPLAY_HEADER,
    }
    assert {name for name in names if f"`{name}`" not in TOPICS} == set()
