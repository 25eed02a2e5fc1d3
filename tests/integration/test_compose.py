"""What the compose file and the image promise, as far as it can be seen without starting them."""

import json
import re
from pathlib import Path

import click
import pytest
import yaml

from streams.cli import main
from streams.kafka_settings import is_secret
from streams.processes import stop_budget_s
from streams.settings_sources import load
from tests.composition import (
    INNER,
    LASTING,
    OURS,
    ROOT,
    WATCHING,
    compose,
    dockerfile,
    environment,
    image_environment,
    last_stage,
    mounts,
    said,
    seconds,
    service,
)

PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*")
SERVICES = list(compose()["services"])
NEEDED_BY_ONE_BROKER = {
    "DEFAULT_REPLICATION_FACTOR",
    "MIN_INSYNC_REPLICAS",
    "OFFSETS_TOPIC_REPLICATION_FACTOR",
    "TRANSACTION_STATE_LOG_REPLICATION_FACTOR",
    "TRANSACTION_STATE_LOG_MIN_ISR",
    "SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR",
    "SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR",
}


def settings_of(name):
    return load(environ=environment(name), folder=Path("nowhere")).settings


def parsed(arguments):
    """Parse a command line as the program does, without carrying it out; give the command."""
    context = main.make_context("driftline", list(arguments))
    command = main
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
    return command


def brokers():
    """Give the listeners of the broker by name: where it listens and what it tells clients."""
    found = service("kafka")["environment"]
    listens, tells = (
        dict(entry.split("://") for entry in found[f"KAFKA_{name}"].split(","))
        for name in ("LISTENERS", "ADVERTISED_LISTENERS")
    )
    return found, listens, tells


def test_we_know_every_service():
    assert sorted(SERVICES) == sorted(["kafka", *OURS, *WATCHING])


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_to_a_version(name):
    assert PINNED.fullmatch(service(name)["image"])


def test_every_stage_of_the_image_begins_with_a_version():
    stages = [rest.split()[0] for word, rest in dockerfile() if word == "FROM"]
    assert len(stages) == 2
    assert all(PINNED.fullmatch(stage) for stage in stages)
    assert len(set(stages)) == 1


def test_the_image_is_of_our_version():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    version = re.search(r'^version = "(.+)"$', text, flags=re.MULTILINE)[1]
    assert {service(name)["image"] for name in OURS} == {f"driftline:{version}"}


@pytest.mark.parametrize("name", OURS)
def test_every_command_line_is_understood(name):
    assert isinstance(parsed(service(name)["command"]), click.Command)


@pytest.mark.parametrize(
    "arguments",
    [["wurker"], ["topics", "make"], ["worker", "--slots", "3"], ["worker", "--processes", "no"]],
)
def test_a_wrong_command_line_is_found(arguments):
    with pytest.raises(click.ClickException):
        parsed(arguments)


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_known(name):
    assert settings_of(name)


def test_the_program_is_started_without_a_shell():
    assert said("ENTRYPOINT") == ["driftline"]
    assert isinstance(parsed(said("CMD")), click.Command)
    for name in OURS:
        assert isinstance(service(name)["command"], list)
        assert "entrypoint" not in service(name)


def test_the_program_is_not_root():
    words = [word for word, _ in last_stage()]
    user = dict(last_stage())["USER"]
    assert user not in {"root", "0"}
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert all("user" not in service(name) for name in OURS)


def test_kernels_are_compiled_when_the_image_is_built():
    build = dockerfile()[: -len(last_stage())]
    (compiles,) = [i for i, (_, rest) in enumerate(build) if "models.warm" in rest]
    processors = {
        pair
        for _, rest in (*build[:compiles], *last_stage())
        for pair in rest.split()
        if pair.startswith("NUMBA_CPU_NAME=")
    }
    assert processors == {"NUMBA_CPU_NAME=generic"}
    assert not any("NUMBA_CACHE_DIR" in rest for _, rest in build)


@pytest.mark.parametrize("name", OURS)
def test_the_root_is_read_only_and_what_is_written_goes_elsewhere(name):
    assert service(name)["read_only"] is True
    assert service(name)["cap_drop"] == ["ALL"]
    (temporary,) = service(name)["tmpfs"]
    assert temporary.startswith("/tmp:")  # noqa: S108  of the container
    writable = ["/tmp", *mounts(name)]  # noqa: S108  of the container
    written = {image_environment()["NUMBA_CACHE_DIR"]}
    if name == "worker":
        written.add(settings_of(name).worker.snapshot_folder)
    assert all(any(Path(path).is_relative_to(root) for root in writable) for path in written)


def test_snapshots_and_the_brokers_data_outlive_the_containers():
    assert mounts("worker") == {"/var/lib/driftline": "snapshots"}
    assert "/var/lib/kafka/data" in mounts("kafka")
    assert set(compose()["volumes"]) == {v for name in SERVICES for v in mounts(name).values()}


def test_the_volume_of_the_image_belongs_to_its_user():
    last = dict(last_stage())
    assert last["VOLUME"] in mounts("worker")
    assert f"--owner {last['USER']}" in last["RUN"]
    assert last["VOLUME"] in last["RUN"]


def test_a_worker_has_more_time_to_stop_than_it_takes():
    grace_s = seconds(service("worker")["stop_grace_period"])
    assert grace_s > stop_budget_s(settings_of("worker").worker)


@pytest.mark.parametrize("name", OURS)
def test_signals_reach_the_program_from_its_first_moment(name):
    assert service(name)["init"] is True


@pytest.mark.parametrize("name", LASTING)
def test_what_runs_on_has_a_health_check_and_comes_back(name):
    check = service(name)["healthcheck"]
    assert check["test"][0] == "CMD"
    assert seconds(check["timeout"]) > 0
    assert service(name)["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", [name for name in OURS if name not in LASTING])
def test_what_ends_has_neither(name):
    assert service(name)["healthcheck"] == {"disable": True}
    assert service(name)["restart"] == "no"


def test_the_worker_is_healthy_while_its_loop_ticks():
    command, *arguments = service("worker")["healthcheck"]["test"][1:]
    assert (command, arguments[:2]) == ("python", ["-m", "monitoring.probe"])
    served = settings_of("worker").monitoring
    assert arguments[2:] == [f"http://127.0.0.1:{served.port}/healthz"]
    assert served.host == "0.0.0.0"  # noqa: S104  of the container; no port is published
    assert json.loads(dict(last_stage())["HEALTHCHECK"].partition("CMD ")[2])[1:] == arguments


@pytest.mark.parametrize("name", WATCHING)
def test_what_watches_answers_this_machine_only(name):
    (port,) = service(name)["ports"]
    assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)


def test_prometheus_finds_every_worker_by_the_name_of_the_service():
    folder = "./monitoring/prometheus"
    assert f"{folder}:/etc/prometheus:ro" in service("prometheus")["volumes"]
    config = yaml.safe_load((ROOT / folder / "prometheus.yml").read_text("utf-8"))
    job = next(j for j in config["scrape_configs"] if j["job_name"].startswith("driftline"))
    (found,) = job["dns_sd_configs"]
    assert found["names"] == ["worker"]
    assert found["port"] == settings_of("worker").monitoring.port
    assert config["rule_files"] == ["rules/*.yml"]


def test_grafana_is_provisioned_with_our_dashboards_and_a_source():
    folder = ROOT / "monitoring" / "grafana"
    mounted = dict(
        volume.removesuffix(":ro").split(":") for volume in service("grafana")["volumes"]
    )
    assert mounted["./monitoring/grafana/provisioning"] == "/etc/grafana/provisioning"
    boards = yaml.safe_load((folder / "provisioning/dashboards/driftline.yml").read_text("utf-8"))
    (provider,) = boards["providers"]
    assert provider["options"]["path"] == mounted["./monitoring/grafana/dashboards"]
    home = service("grafana")["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (folder / "dashboards" / Path(home).name).is_file()
    path = folder / "provisioning/datasources/prometheus.yml"
    (source,) = yaml.safe_load(path.read_text("utf-8"))["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert source["isDefault"] is True
    every = yaml.safe_load((ROOT / "monitoring/prometheus/prometheus.yml").read_text("utf-8"))
    assert source["jsonData"]["timeInterval"] == every["global"]["scrape_interval"]


def test_whoever_opens_grafana_may_look_and_nothing_else():
    variables = service("grafana")["environment"]
    assert variables["GF_AUTH_ANONYMOUS_ENABLED"] == "true"
    assert variables["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert variables["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert variables["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"


def test_the_broker_is_healthy_when_it_lists_topics_on_the_inner_listener():
    test = service("kafka")["healthcheck"]["test"]
    assert test[1].endswith("/kafka-topics.sh")
    assert test[2:] == ["--bootstrap-server", INNER, "--list"]


def test_the_broker_answers_services_and_programs_of_the_host_at_their_own_addresses():
    found, listens, tells = brokers()
    protocols = dict(e.split(":") for e in found["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert set(listens) == set(protocols)
    assert set(listens) == {*tells, found["KAFKA_CONTROLLER_LISTENER_NAMES"]}
    assert len({*listens.values()}) == len(listens)
    for name, address in tells.items():
        assert address.partition(":")[2] == listens[name].lstrip(":")
    assert tells[found["KAFKA_INTER_BROKER_LISTENER_NAME"]] == INNER
    assert tells["HOST"] == "localhost:9092"
    assert service("kafka")["ports"] == ["127.0.0.1:9092:9092"]


def test_the_broker_is_one_node_that_is_enough_for_itself():
    found, listens, _ = brokers()
    assert found["KAFKA_PROCESS_ROLES"] == "broker,controller"
    voter = found["KAFKA_CONTROLLER_QUORUM_VOTERS"]
    assert voter == f"{found['KAFKA_NODE_ID']}@localhost{listens['CONTROLLER']}"
    assert {found[f"KAFKA_{name}"] for name in NEEDED_BY_ONE_BROKER} == {"1"}


def test_topics_are_made_by_us_and_by_nobody_else():
    assert service("kafka")["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert service("topics")["command"][:2] == ["topics", "create"]


@pytest.mark.parametrize("name", [name for name in OURS if name != "simulation"])
def test_services_know_the_broker_by_its_inner_address(name):
    assert settings_of(name).kafka == {"bootstrap.servers": INNER}


def test_everything_waits_for_what_it_needs():
    healthy, done = {"condition": "service_healthy"}, "service_completed_successfully"
    assert service("topics")["depends_on"] == {"kafka": healthy}
    assert service("worker")["depends_on"] == {"kafka": healthy, "topics": {"condition": done}}
    assert service("publisher")["depends_on"] == {
        "topics": {"condition": done},
        "simulation": {"condition": done},
    }


def test_only_the_demo_publishes():
    assert {name for name in SERVICES if "profiles" in service(name)} == {
        "simulation",
        "publisher",
    }
    for name in ("simulation", "publisher"):
        assert service(name)["profiles"] == ["demo"]


def test_the_publisher_reads_what_the_simulation_writes():
    simulation, publisher = service("simulation")["command"], service("publisher")["command"]
    folder = simulation[simulation.index("--out") + 1]
    read = [word for word in publisher if word.startswith("/")]
    assert [Path(path).name for path in read] == ["events.jsonl", "content.jsonl"]
    assert {Path(path).parent for path in read} == {Path(folder)}
    assert mounts("simulation") == mounts("publisher")


def test_the_worker_can_be_scaled():
    worker = service("worker")
    assert not {"container_name", "hostname", "ports"} & worker.keys()
    assert settings_of("worker").worker.slot == -1


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_written_down(name):
    variables = service(name).get("environment", {})
    keys = {key.removeprefix("KAFKA_").lower().replace("_", "."): key for key in variables}
    assert [variable for key, variable in keys.items() if is_secret(key)] == []


def test_the_image_gets_only_what_it_is_made_of():
    ignore = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    lines = [line for line in ignore if line and not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for word, rest in dockerfile()
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / path).exists() for path in copied)
