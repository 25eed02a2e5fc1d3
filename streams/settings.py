"""Every setting of driftline: name, type, bounds, unit and meaning, in one place.

The structs of ``engine_settings.py`` and ``worker_settings.py`` are the table. ``driftline config
show``, the sentences of errors and ``docs/settings.md`` (written by ``python -m streams.settings``)
are all made from it. How values get here from files, variables and flags is in
``settings_sources.py``.
"""

from __future__ import annotations

import hashlib
import typing
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Meta

from streams.drift_settings import DriftSettings
from streams.engine_settings import EngineSettings, QualitySettings, ReplaySettings
from streams.worker_settings import NEUTRAL, MonitoringSettings, TopicNames, WorkerSettings

__all__ = [
    "SECTIONS",
    "EngineSettings",
    "MonitoringSettings",
    "QualitySettings",
    "ReplaySettings",
    "Setting",
    "Settings",
    "TopicNames",
    "WorkerSettings",
    "section_rows",
    "settings_table",
]


class Settings(msgspec.Struct, frozen=True):
    """All settings of one run.

    Attributes
    ----------
    kafka
        Properties passed to librdkafka as they are.
    snapshot_store
        Options passed to obstore as they are.
    """

    quality: QualitySettings = QualitySettings()
    engine: EngineSettings = EngineSettings()
    drift: DriftSettings = DriftSettings()
    replay: ReplaySettings = ReplaySettings()
    topics: TopicNames = TopicNames()
    worker: WorkerSettings = WorkerSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    kafka: dict[str, str] = {}
    snapshot_store: dict[str, str] = {}

    def decisive(self) -> dict[str, int | float | str]:
        """Give the settings that results depend on, by dotted name, in the setting's own type."""
        typed = msgspec.convert(msgspec.to_builtins(self), type=Settings)
        return {s.name: s.value_in(typed) for s in settings_table() if not s.is_neutral}

    def fingerprint(self) -> str:
        """Digest of the settings that results depend on.

        Returns
        -------
        str
            SHA-256, in hexadecimal, of the canonical JSON of `decisive`: sorted names.

        Examples
        --------
        >>> faster = Settings(replay=ReplaySettings(batch_size=1))
        >>> faster.fingerprint() == Settings().fingerprint()
        True
        >>> shorter = Settings(engine=EngineSettings(k=5))
        >>> shorter.fingerprint() == Settings().fingerprint()
        False
        """
        return hashlib.sha256(msgspec.json.encode(self.decisive(), order="sorted")).hexdigest()


class Setting(msgspec.Struct, frozen=True):
    """One row of the table of settings."""

    name: str
    annotation: typing.Any
    default: int | float | str
    meta: Meta

    @property
    def unit(self) -> str:
        """Unit of the value, empty where it has none."""
        return str((self.meta.extra or {}).get("unit", ""))

    @property
    def is_neutral(self) -> bool:
        """Whether results never depend on it."""
        return NEUTRAL in (self.meta.extra or {})

    @property
    def variable(self) -> str:
        """Name of its environment variable."""
        return "DRIFTLINE_" + self.name.replace(".", "_").upper()

    @property
    def allowed(self) -> str:
        """Type and bounds in words."""
        kind = typing.get_args(self.annotation)[0]
        if typing.get_origin(kind) is Literal:
            return "one of " + ", ".join(typing.get_args(kind))
        words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}[kind]
        bounds = ((">", self.meta.gt), (">=", self.meta.ge), ("<=", self.meta.le))
        limits = [f"{sign} {bound:,}" for sign, bound in bounds if bound is not None]
        return " ".join([words, " and ".join(limits)]).strip()

    def value_in(self, settings: Settings) -> int | float | str:
        """Value of this setting in ``settings``."""
        section, _, field = self.name.partition(".")
        value: int | float | str = getattr(getattr(settings, section), field)
        return value


SECTIONS: dict[str, type[msgspec.Struct]] = {
    "quality": QualitySettings,
    "engine": EngineSettings,
    "drift": DriftSettings,
    "replay": ReplaySettings,
    "topics": TopicNames,
    "worker": WorkerSettings,
    "monitoring": MonitoringSettings,
}


def settings_table() -> list[Setting]:
    """Every setting, in the order of the structs; the tables that pass through have no names.

    Examples
    --------
    >>> [row.variable for row in settings_table() if row.name == "engine.k"]
    ['DRIFTLINE_ENGINE_K']
    """
    return [row for section, kind in SECTIONS.items() for row in section_rows(section, kind)]


def section_rows(section: str, kind: type[msgspec.Struct]) -> list[Setting]:
    """Give the settings of one section."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return [
        Setting(
            name=f"{section}.{field.name}",
            annotation=hints[field.name],
            default=field.default,
            meta=typing.get_args(hints[field.name])[1],
        )
        for field in msgspec.structs.fields(kind)
    ]


if __name__ == "__main__":
    from streams.settings_page import settings_page

    Path("docs/settings.md").write_text(settings_page(), encoding="utf-8")
