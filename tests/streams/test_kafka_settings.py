import pytest

from streams.errors import SettingsError
from streams.kafka_settings import FILE_SECRETS, OWNED, is_secret, masked
from streams.settings_sources import load


@pytest.mark.parametrize("key", sorted(OWNED))
def test_a_property_on_which_a_promise_rests_is_refused(key, tmp_path):
    variable = "KAFKA_" + key.replace(".", "_").upper()
    with pytest.raises(SettingsError, match=rf"{variable}: kafka\.{key} is decided by driftline"):
        load(environ={variable: "x"}, folder=tmp_path)


@pytest.mark.parametrize(
    "key",
    [
        *sorted(FILE_SECRETS),
        "ssl.key.location",
        "sasl.kerberos.principal",
        "ssl.keystore.location",
        "schema.registry.token",
    ],
)
def test_secrets_are_masked(key):
    assert masked({key: "hush"}) == {key: "***"}


@pytest.mark.parametrize(
    "key", ["bootstrap.servers", "sasl.mechanisms", "security.protocol", "ssl.ca.location"]
)
def test_what_is_no_secret_is_shown(key):
    assert not is_secret(key)


def test_a_secret_may_stand_in_a_file(tmp_path):
    path = tmp_path / "password"
    path.write_text("p w\n", encoding="utf-8")
    loaded = load(environ={"KAFKA_SASL_PASSWORD_FILE": str(path)}, folder=tmp_path)
    assert loaded.settings.kafka == {"sasl.password": "p w"}
    assert loaded.sources["kafka.sasl.password"] == "KAFKA_SASL_PASSWORD_FILE"


def test_a_secret_given_twice_is_refused(tmp_path):
    environ = {"KAFKA_SASL_PASSWORD": "a", "KAFKA_SASL_PASSWORD_FILE": "b"}
    with pytest.raises(SettingsError, match="are both set; keep one") as caught:
        load(environ=environ, folder=tmp_path)
    assert "'a'" not in str(caught.value)


def test_a_secret_file_that_cannot_be_read_is_refused(tmp_path):
    environ = {"KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "missing")}
    with pytest.raises(SettingsError, match=r"KAFKA_SASL_PASSWORD_FILE: .* cannot be read"):
        load(environ=environ, folder=tmp_path)


def test_a_property_of_librdkafka_that_ends_in_file_is_not_read(tmp_path):
    environ = {"KAFKA_SASL_OAUTHBEARER_ASSERTION_FILE": "/run/assertion"}
    loaded = load(environ=environ, folder=tmp_path)
    assert loaded.settings.kafka == {"sasl.oauthbearer.assertion.file": "/run/assertion"}


def test_what_kubernetes_injects_beside_a_service_named_kafka_is_ignored(tmp_path):
    environ = {
        "KAFKA_PORT": "tcp://10.0.0.1:9092",
        "KAFKA_PORT_9092_TCP_ADDR": "10.0.0.1",
        "KAFKA_SERVICE_HOST": "10.0.0.1",
    }
    assert load(environ=environ, folder=tmp_path).settings.kafka == {}
