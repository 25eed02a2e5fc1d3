import json
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from streams.cli import COMMANDS, Command, Invocation, load_command, main
from streams.errors import InputError
from streams.settings import Settings, settings_table

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run_main(*arguments, **environ):
        return CliRunner(env=environ).invoke(main, arguments)

    return run_main


@pytest.fixture
def command(monkeypatch):
    """Put a command of the test's own into the table."""

    def put(function, name="probe"):
        module = type(sys)(f"driftline_test_{name}")
        module.command = click.command(name)(click.pass_obj(function))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(COMMANDS, name, Command(module.__name__, "Test."))
        return name

    return put


def test_help_names_every_command_with_what_it_is_for(run):
    result = run("--help")
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert f"  {name} " in result.output
        assert entry.help in result.output


def test_help_imports_no_command_and_nothing_heavy():
    program = (
        "import sys\nfrom streams.cli import main\nmain(['--help'], standalone_mode=False)\n"
        "print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = ["numpy", "numba", "river", "msgspec", "rich", "logging", "streams.cli.config"]
    assert [name for name in heavy if f"'{name}'" in done.stderr] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_keeps_its_name(name):
    assert load_command(name).name == name


def test_a_command_that_is_not_installed_is_said_to_be_missing(run, monkeypatch):
    monkeypatch.setitem(COMMANDS, "absent", Command("streams.cli.absent", "Test."))
    assert run("--help").exit_code == 0
    result = run("absent")
    assert result.exit_code == 2
    assert result.stderr == "Error: the command 'absent' is not part of this installation\n"


def test_a_module_that_a_command_misses_is_not_mistaken_for_the_command(run, monkeypatch, tmp_path):
    (tmp_path / "driftline_test_broken.py").write_text("import driftline_test_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(COMMANDS, "broken", Command("driftline_test_broken", "Test."))
    result = run("broken")
    assert isinstance(result.exception, ModuleNotFoundError)
    assert result.exception.name == "driftline_test_missing"


def test_a_module_without_a_command_is_a_mistake_of_ours(monkeypatch):
    module = type(sys)("driftline_test_empty")
    module.command = "no command"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(COMMANDS, "empty", Command(module.__name__, "Test."))
    with pytest.raises(TypeError, match="is not a click command"):
        load_command("empty")


def test_a_misspelt_command_is_refused_with_the_nearest(run):
    result = run("replya")
    assert result.exit_code == 2
    assert "No such command 'replya'; did you mean 'replay'?" in result.stderr


def test_a_driftline_error_is_one_sentence_and_exit_code_2(run, command):
    def fail(_):
        raise InputError("no log 'x.csv'")

    result = run(command(fail))
    assert (result.exit_code, result.stderr, result.stdout) == (2, "Error: no log 'x.csv'\n", "")


def test_other_errors_are_not_hidden(run, command):
    def fail(_):
        raise ZeroDivisionError

    assert isinstance(run(command(fail)).exception, ZeroDivisionError)


def test_the_version_is_the_projects(run):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert run("--version").output == f"driftline {project['version']}\n"


def test_python_minus_m_streams_is_driftline():
    done = subprocess.run(
        [sys.executable, "-m", "streams", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Usage: driftline ")


def test_settings_reach_a_command_by_file_set_and_its_own_flag(run, command, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[engine]\nk = 3\nstep_every = 3\nmax_users = 3\n", encoding="utf-8")
    seen = {}

    def look(invocation):
        seen["loaded"] = invocation.load({"engine.k": 5, "engine.step_every": None})

    arguments = ["--config", str(path), "--set", "engine.k=4", "--set", "engine.step_every=4"]
    assert run(*arguments, command(look)).exit_code == 0
    engine = seen["loaded"].settings.engine
    assert (engine.k, engine.step_every, engine.max_users) == (5, 4, 3)


def test_an_invocation_of_nothing_gives_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Invocation().load().settings == Settings()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "engine.k"], "'engine.k' is not SECTION.NAME=VALUE"),
        (["--set", "engine.kk=1"], "unknown setting engine.kk; did you mean engine.k?"),
        (["--set", "engine.k=x"], "engine.k must be a whole number >= 1 and <= 100, not 'x'"),
        (["--config", "missing.toml"], "settings file 'missing.toml' cannot be read"),
    ],
)
def test_settings_that_are_wrong_exit_with_2(run, arguments, sentence):
    result = run(*arguments, "config", "show")
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_verbose_turns_logging_on(tmp_path):
    program = (
        "import logging\nfrom streams.cli import main\n"
        "main(['-v', 'config', 'show'], standalone_mode=False)\n"
        "logging.getLogger('x').info('heard')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "INFO x: heard" in done.stderr


def test_config_show_lists_every_setting_with_unit_and_source(run):
    result = run("--set", "engine.step_every=9", "config", "show", DRIFTLINE_REPLAY_PARTITIONS="2")
    lines = {line.split()[0]: line.split() for line in result.output.splitlines() if line}
    assert lines["engine.step_every"] == ["engine.step_every", "9", "events", "flag"]
    assert lines["replay.partitions"] == [
        "replay.partitions",
        "2",
        "partitions",
        "DRIFTLINE_REPLAY_PARTITIONS",
    ]
    assert {row.name for row in settings_table()} <= set(lines)
    assert lines["fingerprint"][1] != Settings().fingerprint()


def test_config_show_json_is_one_object_with_secrets_masked(run, tmp_path):
    (tmp_path / "driftline.toml").write_text("[kafka]\nsasl.password = 'hush'\n", encoding="utf-8")
    result = run("config", "show", "--json", KAFKA_SASL_USERNAME="who")
    assert "hush" not in result.output
    assert "who" not in result.output
    shown = json.loads(result.output)
    assert shown["settings"]["kafka.sasl.password"] == {
        "value": "***",
        "unit": None,
        "source": "driftline.toml",
    }
    assert shown["settings"]["quality.allowed_lateness_s"] == {
        "value": 86400.0,
        "unit": "s",
        "source": "default",
    }
    assert shown["fingerprint"] == Settings().fingerprint()
