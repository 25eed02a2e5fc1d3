"""Where settings come from: defaults, a TOML file, the environment, flags; the last one wins.

Each value keeps the place it came from, so that an error and ``driftline config show`` can name
it. Unknown names are refused with the nearest known one: a misspelt setting never runs as the
default.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from streams import kafka_settings, store_options
from streams.errors import SettingsError
from streams.settings import SECTIONS, Setting, Settings, settings_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CONFIG_VARIABLE = "DRIFTLINE_CONFIG"
DEFAULT_FILE = "driftline.toml"
DEFAULT = "default"
FLAG = "flag"
_PREFIX = "DRIFTLINE_"
_KAFKA, _STORE = "kafka", "snapshot_store"
_PASSED_ON = (_KAFKA, _STORE)


class Loaded(msgspec.Struct, frozen=True):
    """Settings in effect and where each of them came from.

    Attributes
    ----------
    settings
        The values.
    sources
        By dotted name: ``default``, the path of a file, the name of a variable, or ``flag``.
        What is passed on appears as ``kafka.<property>`` and ``snapshot_store.<option>``.
    """

    settings: Settings
    sources: dict[str, str]


class _Given(msgspec.Struct, frozen=True):
    """A value as somebody wrote it; text of variables and flags is read as the setting's type."""

    name: str
    value: object
    source: str
    is_typed: bool = False


def load(
    *,
    environ: Mapping[str, str],
    config: Path | None = None,
    flags: Mapping[str, object] | None = None,
    folder: Path | None = None,
) -> Loaded:
    """Read the settings of one run.

    Parameters
    ----------
    environ
        The environment; ``DRIFTLINE_*`` and ``KAFKA_*`` are looked at.
    config
        A TOML file that must exist. Without it ``DRIFTLINE_CONFIG``, then ``driftline.toml`` in
        ``folder``, which may be absent.
    flags
        Values of the command line by dotted name; ``None`` stands for a flag not given.
    folder
        Where ``driftline.toml`` is looked for, by default the working directory.

    Raises
    ------
    SettingsError
        A name is unknown, a value does not fit its setting, or a file cannot be read.

    Examples
    --------
    >>> loaded = load(environ={"DRIFTLINE_ENGINE_K": "5"}, folder=Path("nowhere"))
    >>> loaded.settings.engine.k, loaded.sources["engine.k"], loaded.sources["engine.step_every"]
    (5, 'DRIFTLINE_ENGINE_K', 'default')
    """
    path = _config_path(config, environ, folder or Path())
    given: dict[str, _Given] = {}
    for layer in (_from_file(path), _from_environment(environ), _from_flags(flags or {})):
        given |= {value.name: value for value in layer}
    return _build(given)


def _build(given: Mapping[str, _Given]) -> Loaded:
    table = {row.name: row for row in settings_table()}
    passed_on = {section: _passed_on(given, section) for section in _PASSED_ON}
    sections: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    for name, value in given.items():
        section, _, field = name.partition(".")
        if section not in passed_on:
            sections[section][field] = _converted(table[name], value)
    settings = msgspec.convert({**sections, **passed_on}, type=Settings)
    names = [*table, *(f"{section}.{key}" for section, some in passed_on.items() for key in some)]
    sources = {name: given[name].source if name in given else DEFAULT for name in names}
    return Loaded(settings=settings, sources=sources)


def _passed_on(given: Mapping[str, _Given], section: str) -> dict[str, str]:
    """Give the values of a section whose names are another's."""
    values = {}
    for value in given.values():
        own, _, key = value.name.partition(".")
        if own == section == _KAFKA:
            kafka_settings.check_owned(key, value.source)
        if own == section:
            values[key] = str(value.value)
    return values


def _converted(row: Setting, given: _Given) -> object:
    try:
        value: object = msgspec.convert(given.value, type=row.annotation, strict=given.is_typed)
    except msgspec.ValidationError as error:
        raise _refused(row, given) from error
    if isinstance(value, float) and not math.isfinite(value):
        raise _refused(row, given)
    return value


def _refused(row: Setting, given: _Given) -> SettingsError:
    return SettingsError(f"{given.source}: {row.name} must be {row.allowed}, not {given.value!r}")


def _config_path(config: Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    if config is not None:
        return config
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    path = folder / DEFAULT_FILE
    return path if path.is_file() else None


def _from_file(path: Path | None) -> Iterator[_Given]:
    if path is None:
        return
    source = str(path)
    for section, table in _read_toml(path).items():
        _known(section, (*SECTIONS, *_PASSED_ON), f"{source}: unknown section", "[{}]")
        if not isinstance(table, dict):
            raise SettingsError(
                f"{source}: {section} is a section; write [{section}] above its settings"
            )
        is_passed_on = section in _PASSED_ON
        fields = kafka_settings.flatten(table, source, section=section) if is_passed_on else table
        for field, value in fields.items():
            name = f"{section}.{field}"
            _check_name(name, f"{source}: unknown setting")
            yield _Given(name, value, source, is_typed=True)


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"settings file {str(path)!r} cannot be read: {error.strerror}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {str(path)!r} is not TOML: {error}") from error


def _from_environment(environ: Mapping[str, str]) -> Iterator[_Given]:
    names = {row.variable: row.name for row in settings_table()}
    for variable in sorted(environ):
        is_own = variable.startswith(_PREFIX) and not variable.startswith(store_options.PREFIX)
        if is_own and variable != CONFIG_VARIABLE:
            _known(variable, (*names, CONFIG_VARIABLE), "unknown variable", "{}")
            yield _Given(names[variable], environ[variable], variable)
    for key, value, variable in kafka_settings.from_environment(environ):
        yield _Given(f"{_KAFKA}.{key}", value, variable)
    for key, value, variable in store_options.options_from_environment(environ):
        yield _Given(f"{_STORE}.{key}", value, variable)


def _from_flags(flags: Mapping[str, object]) -> Iterator[_Given]:
    for name, value in flags.items():
        _check_name(name, f"{FLAG}: unknown setting")
        if value is not None:
            yield _Given(name, value, FLAG)


def _check_name(name: str, complaint: str) -> None:
    if name.partition(".")[0] not in _PASSED_ON:
        _known(name, [row.name for row in settings_table()], complaint, "{}")


def _known(name: str, known: Iterable[str], complaint: str, spelling: str) -> None:
    names = list(known)
    if name in names:
        return
    field = name.rpartition(".")[2]
    elsewhere = [known_name for known_name in names if known_name.rpartition(".")[2] == field]
    near = elsewhere or difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {spelling.format(near[0])}?" if near else ""
    raise SettingsError(f"{complaint} {spelling.format(name)}{hint}")
