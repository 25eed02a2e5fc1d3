"""Options of object storage that pass through the settings.

An option comes from the ``[snapshot_store]`` table of the settings file, from a variable
``DRIFTLINE_SNAPSHOT_STORE_*`` or from ``--set snapshot_store.NAME=VALUE``. It is handed to
obstore, which knows the variables of the clouds (``AWS_*``, ``GOOGLE_*``, ``AZURE_*``) as well;
what is given here wins over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.kafka_settings import MASK, only_secret

PREFIX = "DRIFTLINE_SNAPSHOT_STORE_"

# Of the connection, whatever the storage; obstore takes them apart from the others.
CLIENT_OPTIONS = frozenset(
    {
        "allow_http",
        "allow_invalid_certificates",
        "connect_timeout",
        "http1_only",
        "http2_only",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_ca_certificate",
        "proxy_excludes",
        "proxy_url",
        "read_timeout",
        "root_certificate",
        "timeout",
        "user_agent",
    }
)
# Only these may come from a file: the clouds have options of their own that end in "_file".
FILE_SECRETS = frozenset(
    {
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "azure_storage_account_key",
        "azure_storage_client_secret",
        "azure_storage_sas_key",
        "azure_storage_token",
        "google_service_account_key",
    }
)
_CLOUDS = ("aws_", "azure_", "google_")
_SECRET_WORDS = ("credential", "key", "password", "proxy_url", "sas", "secret", "token")
_OPEN = ("_file", "_path", "_endpoint")


def is_secret(name: str) -> bool:
    """Whether the value of an option may not be shown.

    Examples
    --------
    >>> is_secret("aws_secret_access_key"), is_secret("aws_endpoint")
    (True, False)
    """
    return any(word in name for word in _SECRET_WORDS) and not name.endswith(_OPEN)


def masked_options(options: Mapping[str, str]) -> dict[str, str]:
    """Give the options with every secret replaced by ``***``."""
    return {name: MASK if is_secret(name) else value for name, value in options.items()}


def split_options(options: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Give the options of the storage, and those of the connection.

    Examples
    --------
    >>> split_options({"aws_region": "eu-central-1", "allow_http": "true"})
    ({'aws_region': 'eu-central-1'}, {'allow_http': 'true'})
    """
    config, client = {}, {}
    for name, value in options.items():
        plain = next((name.removeprefix(c) for c in _CLOUDS if name.startswith(c)), name)
        if plain in CLIENT_OPTIONS:
            client[plain] = value
        else:
            config[name] = value
    return config, client


def options_from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Give option, value and variable of every ``DRIFTLINE_SNAPSHOT_STORE_*``, by name.

    Raises
    ------
    SettingsError
        A secret is given twice, or its file cannot be read.
    """
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        name = variable.removeprefix(PREFIX).lower()
        base = name.removesuffix("_file")
        if base == name or base not in FILE_SECRETS:
            yield name, environ[variable], variable
        else:
            yield base, only_secret(variable, environ), variable
