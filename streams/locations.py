"""What a location of snapshots names: a folder, or a URL of object storage."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from streams.errors import SettingsError
from streams.local_store import LocalStore
from streams.settings import Settings
from streams.stores import SnapshotStore

SCHEMES = ("s3", "gs", "az")
EXTRA = "object-storage"


def local_folder(location: str) -> Path | None:
    """Give the folder that a location names, None for one in object storage.

    Examples
    --------
    >>> local_folder("snapshots"), local_folder("file:///var/lib/drift%20line")
    (PosixPath('snapshots'), PosixPath('/var/lib/drift line'))
    >>> local_folder("s3://bucket/prefix") is None
    True
    """
    scheme, colon, _ = location.partition("://")
    if not colon:
        return Path(location)
    return Path(unquote(urlsplit(location).path)) if scheme == "file" else None


def open_store(location: str, settings: Settings) -> SnapshotStore:
    """Open what a location names: a path, or a URL of one of `SCHEMES` or ``file``.

    Nothing is asked of the storage yet.

    Parameters
    ----------
    location
        ``worker.snapshot_folder``, or another that a command was given.
    settings
        ``snapshot_store`` and ``worker.store_budget_s`` are looked at, for object storage only.

    Raises
    ------
    SettingsError
        The kind of storage is unknown, is not installed or refuses an option.
    """
    folder = local_folder(location)
    if folder is not None:
        return LocalStore(folder)
    scheme = location.partition("://")[0]
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in (*SCHEMES, "file"))
        raise SettingsError(f"{location}: snapshots are kept in a folder or at {known}")
    try:
        from streams.object_store import connected  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "obstore":
            raise
        raise SettingsError(
            f"{location}: object storage needs obstore; install driftline[{EXTRA}]"
        ) from error
    return connected(location, settings.snapshot_store, settings.worker.store_budget_s)
