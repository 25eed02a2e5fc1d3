"""A file that is touched while the loop of a worker runs, and the check whether it was lately.

``python -m streams.heartbeat FILE MAX_AGE_S`` ends with 0 when it was, else with 1 and a sentence:
a health check for Compose or Kubernetes that needs no port. Where ``driftline worker`` runs
several processes each has a file of its own, ``FILE.0``, ``FILE.1``, … and all must be fresh.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from streams.errors import SettingsError

_EVERY_S = 1.0
_USAGE = "usage: python -m streams.heartbeat FILE MAX_AGE_S"


class Heartbeat:
    """Touches a file, at most once a second.

    Parameters
    ----------
    path
        Of the file; empty for none.
    clock
        Seconds that never go back.

    Attributes
    ----------
    is_broker_away : bool
        Whether the last call to Kafka found no broker; set by who called.

    Raises
    ------
    SettingsError
        The file cannot be made.
    """

    def __init__(self, path: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = Path(path) if path else None
        self._clock = clock
        self.is_broker_away = False
        self._next_s = clock() + _EVERY_S
        if self._path:
            try:
                self._path.touch()
            except OSError as error:
                raise SettingsError(
                    f"worker.heartbeat_file: {path!r} cannot be touched: {error.strerror}"
                ) from error

    def beat(self) -> None:
        """Tell that the loop ticks; called once a turn, costs a clock reading."""
        now_s = self._clock()
        if self._path is None or now_s < self._next_s:
            return
        self._next_s = now_s + _EVERY_S
        # A full disk is no reason to stop: the file that grows old is the message.
        with suppress(OSError):
            self._path.touch()


def forget(path: Path) -> None:
    """Remove what an earlier run left, so that nothing old is waited for."""
    for file in files_of(path):
        file.unlink(missing_ok=True)


def files_of(path: Path) -> list[Path]:
    """Give the file of a worker, or those of its processes; empty when there is none."""
    numbered = path.parent.glob(f"{path.name}.*")
    own = [path] if path.exists() else []
    return own + sorted(file for file in numbered if file.suffix[1:].isdigit())


def complaint(files: Iterable[Path], max_age_s: float, now_s: float) -> str | None:
    """Say what is wrong with the heartbeats; ``None`` when all are fresh.

    Parameters
    ----------
    files
        At least one must be there.
    max_age_s
        Age from which one is too old. A time so far ahead, left by a clock set back, is as bad.
    now_s
        The time as files have it, in epoch seconds.
    """
    try:
        ages_s = {file: now_s - file.stat().st_mtime for file in files}
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    for file, age_s in ages_s.items():
        if abs(age_s) > max_age_s:
            return f"{file} was touched {age_s:.0f} s ago, more than {max_age_s:g} s"
    return None if ages_s else "no heartbeat file"


def main(arguments: Sequence[str]) -> int:
    """Check the heartbeat as the command line asks and give the exit code."""
    try:
        name, age = arguments
        max_age_s = float(age)
    except ValueError:
        print(_USAGE, file=sys.stderr)  # noqa: T201  a program of its own
        return 2
    found = complaint(files_of(Path(name)), max_age_s, time.time())
    if found:
        print(found, file=sys.stderr)  # noqa: T201  health checks show it
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
