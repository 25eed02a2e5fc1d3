"""Properties of librdkafka that pass through the settings, and those that may not.

A property comes from the ``[kafka]`` table of the settings file, from ``KAFKA_*`` variables or
from ``--set kafka.NAME=VALUE``. It is not interpreted here, except that a property on which a
promise of driftline rests is refused by name, and that secrets are never shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from streams.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MASK = "***"

OWNED = {
    "enable.auto.commit": "offsets are committed with the results, in one transaction",
    "enable.auto.offset.store": "offsets are committed with the results, in one transaction",
    "auto.offset.reset": "missing history is an error, never a silent jump",
    "isolation.level": "records of aborted transactions may not be learned",
    "transactional.id": "it is derived from the worker's slot, so that a zombie is fenced",
    "enable.idempotence": "the producer is transactional",
    "group.id": "it is the consumer group of the worker",
    "group.instance.id": "it is derived from the worker's slot",
    "partitioner": "users must meet the partition that their views are in",
    "partition.assignment.strategy": "partitions move cooperatively",
}

# Only these may come from a file: librdkafka has properties of its own that end in ".file".
FILE_SECRETS = frozenset(
    {
        "sasl.password",
        "sasl.username",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
    }
)

_SECRET_PREFIXES = ("sasl.", "ssl.key")
_SECRET_WORDS = ("password", "passphrase", "secret", "token", "pem")
_OPEN = frozenset({"sasl.mechanism", "sasl.mechanisms"})
# Kubernetes puts these into every pod beside a service named "kafka"; librdkafka has none such.
_KUBERNETES = ("KAFKA_SERVICE_", "KAFKA_PORT")


def is_secret(key: str) -> bool:
    """Whether the value of a property may not be shown.

    Examples
    --------
    >>> is_secret("sasl.password"), is_secret("bootstrap.servers")
    (True, False)
    """
    if key in _OPEN:
        return False
    return key.startswith(_SECRET_PREFIXES) or any(word in key for word in _SECRET_WORDS)


def masked(properties: Mapping[str, str]) -> dict[str, str]:
    """Give the properties with every secret replaced by ``***``."""
    return {key: MASK if is_secret(key) else value for key, value in properties.items()}


def check_owned(key: str, source: str) -> None:
    """Refuse a property that driftline decides itself.

    Raises
    ------
    SettingsError
        With the reason why the property is not free.
    """
    if key in OWNED:
        raise SettingsError(f"{source}: kafka.{key} is decided by driftline: {OWNED[key]}")


def flatten(
    table: Mapping[str, object], source: str, prefix: str = "", *, section: str = "kafka"
) -> dict[str, str]:
    """Give the properties of a table whose names are another's; TOML reads dots as nesting.

    Examples
    --------
    >>> flatten({"bootstrap": {"servers": "broker:9092"}, "enable.metrics": True}, "here")
    {'bootstrap.servers': 'broker:9092', 'enable.metrics': 'true'}
    """
    flat: dict[str, str] = {}
    for name, value in table.items():
        key = prefix + name
        if isinstance(value, dict):
            flat |= flatten(value, source, key + ".", section=section)
        else:
            flat[key] = _text(f"{section}.{key}", value, source)
    return flat


def from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Give property, value and variable name of every ``KAFKA_*`` variable, by name."""
    for variable in sorted(environ):
        if not variable.startswith("KAFKA_") or variable.startswith(_KUBERNETES):
            continue
        key = variable.removeprefix("KAFKA_").lower().replace("_", ".")
        base = key.removesuffix(".file")
        if base == key or base not in FILE_SECRETS:
            yield key, environ[variable], variable
        else:
            yield base, only_secret(variable, environ), variable


def only_secret(variable: str, environ: Mapping[str, str]) -> str:
    """Read the secret that a variable with ``_FILE`` at its end names.

    Raises
    ------
    SettingsError
        The variable without ``_FILE`` is set as well, or the file cannot be read.
    """
    direct = variable.removesuffix("_FILE")
    if direct in environ:
        raise SettingsError(f"{variable} and {direct} are both set; keep one")
    return secret_file(environ[variable], variable)


def secret_file(path: str, variable: str) -> str:
    """Read the secret that a variable with ``_FILE`` at its end names.

    Raises
    ------
    SettingsError
        The file cannot be read.
    """
    try:
        # Editors and `echo` end the file with a newline that is not part of the secret.
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}: {path!r} cannot be read: {error}") from error


def _text(name: str, value: object, source: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise SettingsError(f"{source}: {name} must be text, a number or true/false")
