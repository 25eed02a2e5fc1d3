import pytest

from streams.errors import SettingsError
from streams.settings import Settings
from streams.settings_sources import load
from streams.store_options import FILE_SECRETS, is_secret, masked_options
from tests.replays import driftline

VARIABLE = "DRIFTLINE_SNAPSHOT_STORE_"


@pytest.mark.parametrize(
    "name",
    [
        *sorted(FILE_SECRETS),
        "aws_sse_customer_key_base64",
        "azure_storage_client_secret",
        "azure_storage_sas_token",
        "access_key_id",
        "proxy_url",
        "token",
    ],
)
def test_secrets_are_masked(name):
    assert masked_options({name: "hush"}) == {name: "***"}


@pytest.mark.parametrize(
    "name",
    [
        "allow_http",
        "aws_endpoint",
        "aws_region",
        "aws_web_identity_token_file",
        "google_service_account_path",
    ],
)
def test_what_is_no_secret_is_shown(name):
    assert not is_secret(name)


def test_options_pass_through_whatever_their_source(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[snapshot_store]\naws_region = 'file'\nallow_http = true\ntimeout = '9s'\n")
    environ = {f"{VARIABLE}AWS_REGION": "variable"}
    loaded = load(environ=environ, config=path, flags={"snapshot_store.timeout": "5s"})
    assert loaded.settings.snapshot_store == {
        "aws_region": "variable",
        "allow_http": "true",
        "timeout": "5s",
    }
    assert loaded.sources["snapshot_store.aws_region"] == f"{VARIABLE}AWS_REGION"
    assert loaded.sources["snapshot_store.allow_http"] == str(path)
    assert loaded.settings.fingerprint() == Settings().fingerprint()


def test_an_option_that_is_no_value_is_refused(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[snapshot_store]\naws_region = ['a']\n")
    with pytest.raises(SettingsError, match=r"snapshot_store\.aws_region must be text"):
        load(environ={}, config=path)


def test_a_secret_may_stand_in_a_file(tmp_path):
    path = tmp_path / "key"
    path.write_text("k y\n", encoding="utf-8")
    variable = f"{VARIABLE}AWS_SECRET_ACCESS_KEY_FILE"
    loaded = load(environ={variable: str(path)}, folder=tmp_path)
    assert loaded.settings.snapshot_store == {"aws_secret_access_key": "k y"}
    assert loaded.sources["snapshot_store.aws_secret_access_key"] == variable


def test_a_secret_given_twice_is_refused(tmp_path):
    name = f"{VARIABLE}AWS_SECRET_ACCESS_KEY"
    with pytest.raises(SettingsError, match="are both set; keep one") as caught:
        load(environ={name: "hush", f"{name}_FILE": "b"}, folder=tmp_path)
    assert "hush" not in str(caught.value)


def test_an_option_of_the_clouds_that_ends_in_file_is_not_read(tmp_path):
    environ = {f"{VARIABLE}AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"}
    loaded = load(environ=environ, folder=tmp_path)
    assert loaded.settings.snapshot_store == {"aws_web_identity_token_file": "/run/token"}


def test_config_show_names_options_and_hides_secrets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"AWS_SECRET_ACCESS_KEY": "hush", "AWS_ENDPOINT": "http://minio:9000"}
    shown = driftline("config", "show", **{VARIABLE + name: v for name, v in options.items()})
    assert "hush" not in shown.output
    rows = {line.split()[0]: line.split()[1:] for line in shown.output.splitlines() if line}
    key = "snapshot_store.aws_secret_access_key"
    assert rows[key] == ["***", f"{VARIABLE}AWS_SECRET_ACCESS_KEY"]
    assert rows["snapshot_store.aws_endpoint"][0] == "http://minio:9000"
