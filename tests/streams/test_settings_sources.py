import pytest

from streams.errors import SettingsError
from streams.settings import Settings
from streams.settings_sources import load


@pytest.fixture
def write(tmp_path):
    def write_toml(text, name="driftline.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_toml


def refusal(**given):
    with pytest.raises(SettingsError) as caught:
        load(**{"environ": {}, **given})
    return str(caught.value)


def test_without_anything_given_all_are_defaults(tmp_path):
    loaded = load(environ={}, folder=tmp_path)
    assert loaded.settings == Settings()
    assert set(loaded.sources.values()) == {"default"}


def test_flags_win_over_variables_over_the_file_over_defaults(write):
    path = write("[engine]\nk = 3\nstep_every = 3\n[replay]\nbatch_size = 3\n")
    environ = {"DRIFTLINE_ENGINE_K": "4", "DRIFTLINE_ENGINE_STEP_EVERY": "4"}
    loaded = load(environ=environ, config=path, flags={"engine.k": 5})
    assert (loaded.settings.engine.k, loaded.sources["engine.k"]) == (5, "flag")
    assert (loaded.settings.engine.step_every, loaded.sources["engine.step_every"]) == (
        4,
        "DRIFTLINE_ENGINE_STEP_EVERY",
    )
    assert loaded.settings.replay.batch_size == 3
    assert loaded.sources["replay.batch_size"] == str(path)
    assert loaded.sources["replay.partitions"] == "default"


def test_the_file_is_looked_for_where_it_is_said(write, tmp_path):
    beside = write("[engine]\nk = 1\n")
    by_variable = write("[engine]\nk = 2\n", "two.toml")
    by_flag = write("[engine]\nk = 3\n", "three.toml")
    environ = {"DRIFTLINE_CONFIG": str(by_variable)}
    assert load(environ={}, folder=beside.parent).settings.engine.k == 1
    assert load(environ=environ, folder=tmp_path).settings.engine.k == 2
    assert load(environ=environ, config=by_flag, folder=tmp_path).settings.engine.k == 3


def test_a_flag_that_was_not_given_changes_nothing(tmp_path):
    assert load(environ={}, flags={"engine.k": None}, folder=tmp_path).settings == Settings()


def test_whole_numbers_are_taken_for_fractions(write):
    path = write("[quality]\nrating_max = 5\n")
    assert load(environ={}, config=path).settings.quality.rating_max == 5.0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[engine]\nkk = 1", "driftline.toml: unknown setting engine.kk; did you mean engine.k?"),
        ("[engin]\nk = 1", "driftline.toml: unknown section [engin]; did you mean [engine]?"),
        ("[engine]\nrating_max = 1", "did you mean quality.rating_max?"),
        ("[engine]\nzzzz = 1", "unknown setting engine.zzzz"),
        ("engine = 1", "driftline.toml: engine is a section; write [engine] above its settings"),
        (
            "[engine]\nk = 0",
            "driftline.toml: engine.k must be a whole number >= 1 and <= 100, not 0",
        ),
        ("[engine]\nk = '7'", "engine.k must be a whole number >= 1 and <= 100, not '7'"),
        ("[engine]\nk = true", "engine.k must be a whole number >= 1 and <= 100, not True"),
        ("[engine]\nprotocol = 'old'", "engine.protocol must be one of fresh, served, not 'old'"),
        ("[quality]\nrating_max = inf", "quality.rating_max must be a number, not inf"),
        ("[quality]\nrating_max = nan", "quality.rating_max must be a number, not nan"),
        ("[quality]\nallowed_lateness_s = -1", "allowed_lateness_s must be a number >= 0, not -1"),
        ("[engine\nk = 1", "is not TOML"),
        ("[kafka]\ntopics = ['a']", "kafka.topics must be text, a number or true/false"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_place_and_name(write, text, sentence):
    assert sentence in refusal(config=write(text))


def test_a_file_that_is_named_must_exist(tmp_path):
    missing = tmp_path / "missing.toml"
    assert f"settings file {str(missing)!r} cannot be read" in refusal(config=missing)
    assert "cannot be read" in refusal(environ={"DRIFTLINE_CONFIG": str(missing)})


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xff\xfe")
    assert "is not TOML" in refusal(config=path)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"DRIFTLINE_ENGINE_KS": "1"}, "unknown variable DRIFTLINE_ENGINE_KS; did you mean"),
        ({"DRIFTLINE_CONFG": "x"}, "did you mean DRIFTLINE_CONFIG?"),
        ({"DRIFTLINE_ENGINE_K": "ten"}, "DRIFTLINE_ENGINE_K: engine.k must be a whole number"),
        ({"DRIFTLINE_ENGINE_K": ""}, "DRIFTLINE_ENGINE_K: engine.k must be a whole number"),
        ({"DRIFTLINE_QUALITY_RATING_MAX": "inf"}, "quality.rating_max must be a number"),
        ({"DRIFTLINE_ENGINE_POSITIVE": "rating"}, "engine.positive: expected a comparison"),
        ({"DRIFTLINE_QUALITY_RATING_MIN": "11"}, "must be below quality.rating_max (10)"),
    ],
)
def test_a_variable_that_is_wrong_is_refused_by_its_name(tmp_path, environ, sentence):
    assert sentence in refusal(environ=environ, folder=tmp_path)


def test_an_unknown_flag_is_refused(tmp_path):
    sentence = "flag: unknown setting replay.batchsize; did you mean replay.batch_size?"
    assert refusal(flags={"replay.batchsize": 1}, folder=tmp_path) == sentence


def test_other_variables_are_nobodys_business(tmp_path):
    assert load(environ={"PATH": "/bin", "DRIFT": "1"}, folder=tmp_path).settings == Settings()


def test_properties_of_kafka_pass_through_whatever_their_source(write):
    path = write("[kafka]\nbootstrap.servers = 'file:1'\n'linger.ms' = 5\nenable.metrics = false\n")
    environ = {"KAFKA_BOOTSTRAP_SERVERS": "variable:1"}
    loaded = load(environ=environ, config=path, flags={"kafka.client.id": "me"})
    assert loaded.settings.kafka == {
        "bootstrap.servers": "variable:1",
        "linger.ms": "5",
        "enable.metrics": "false",
        "client.id": "me",
    }
    assert loaded.sources["kafka.bootstrap.servers"] == "KAFKA_BOOTSTRAP_SERVERS"
    assert loaded.sources["kafka.linger.ms"] == str(path)
