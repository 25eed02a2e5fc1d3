from pathlib import Path

import pytest

from tests.architecture.imports import Rule, imports_of, sources

ROOT = Path(__file__).parents[2]
SOURCES = sources(ROOT, ("models", "streams", "monitoring"))
KAFKA_CLIENTS = frozenset({"confluent_kafka", "kafka", "aiokafka", "quixstreams"})

RULES = {
    "models are mathematics": Rule(
        "models",
        KAFKA_CLIENTS
        | {"streams", "monitoring", "faust", "prometheus_client", "logging"}
        | {"time", "os", "random", "secrets", "uuid"}
        | {"socket", "subprocess", "click", "rich"},
    ),
    # compiled.py digests the kernels' own sources to name the folder of numba's cache.
    "models open no files": Rule(
        "models",
        frozenset({"pathlib", "io", "tempfile", "shutil"}),
        unless=("models/compiled.py",),
    ),
    "streams do not watch": Rule("streams", frozenset({"prometheus_client"})),
    "only the command line joins streams and monitoring": Rule(
        "streams", frozenset({"monitoring"}), unless=("streams/cli", "streams/__main__.py")
    ),
    "monitoring takes plain values": Rule(
        "monitoring", KAFKA_CLIENTS | {"models", "streams", "faust"}
    ),
    "state is never a pickle": Rule(
        ".", frozenset({"pickle", "shelve", "marshal", "dill", "cloudpickle", "joblib"})
    ),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_arrows_never_turn_round(rule):
    broken = [line for path, text in SOURCES.items() for line in rule.broken_by(path, text)]
    assert broken == []


@pytest.mark.parametrize(
    ("name", "path", "line"),
    [
        ("models are mathematics", "models/a.py", "from streams.events import View"),
        ("models are mathematics", "models/a.py", "import os.path"),
        ("models are mathematics", "models/a.py", "def f():\n    from time import monotonic"),
        ("models open no files", "models/a.py", "from pathlib import Path"),
        ("streams do not watch", "streams/cli/a.py", "import prometheus_client as p"),
        (
            "only the command line joins streams and monitoring",
            "streams/pipeline.py",
            "from monitoring import progress",
        ),
        ("monitoring takes plain values", "monitoring/a.py", "import models"),
        ("state is never a pickle", "streams/a.py", "from pickle import loads"),
    ],
)
def test_every_rule_catches_what_it_forbids(name, path, line):
    assert len(RULES[name].broken_by(path, line)) == 1


@pytest.mark.parametrize(
    ("name", "path", "line"),
    [
        ("models are mathematics", "models/a.py", "import timeit_like, models.state"),
        ("models are mathematics", "streams/a.py", "import os"),
        (
            "only the command line joins streams and monitoring",
            "streams/cli/replay.py",
            "from monitoring import progress",
        ),
    ],
)
def test_no_rule_catches_what_is_allowed(name, path, line):
    assert RULES[name].broken_by(path, line) == []


def importers(modules):
    return {
        path
        for path, text in SOURCES.items()
        for _, name in imports_of(text)
        if name.partition(".")[0] in modules
    }


def test_the_kafka_client_is_known_to_one_file_at_most():
    assert len(importers({"confluent_kafka"})) <= 1


def test_the_client_of_object_storage_is_known_to_one_file():
    assert importers({"obstore"}) == {"streams/object_store.py"}


def test_faust_is_known_to_one_package_at_most():
    assert len({Path(path).parent for path in importers({"faust"})}) <= 1


def test_imports_are_absolute():
    relative = [
        (path, name)
        for path, text in SOURCES.items()
        for _, name in imports_of(text)
        if name.startswith(".")
    ]
    assert relative == []
