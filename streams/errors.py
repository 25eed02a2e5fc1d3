"""What can go wrong, as one small tree.

::

    DriftlineError
    ├── SettingsError   a setting is unknown, malformed or contradicts another
    ├── InputError      a log, catalogue or folder cannot be read as asked
    ├── SnapshotError   saved state is damaged, foreign or of another version
    │   └── StoreError  where it is kept does not answer, or refuses
    └── RejectedEvent   one event becomes a dead letter

The command line prints the first three as ``Error: …`` and exits with 2. A ``RejectedEvent``
never leaves the path of an event: it is written as a dead letter and counted.
"""

from __future__ import annotations


class DriftlineError(Exception):
    """Base of every error that driftline raises on purpose."""


class SettingsError(DriftlineError):
    """A setting is unknown, malformed or contradicts another."""


class InputError(DriftlineError):
    """A log, catalogue or folder cannot be read as asked."""


class SnapshotError(DriftlineError):
    """Saved state is damaged, foreign or of another version."""


class StoreError(SnapshotError):
    """Where snapshots are kept does not answer, or refuses; says nothing about what is there."""


class RejectedEvent(DriftlineError):  # noqa: N818 (an outcome of every log, not a failure)
    """One event is refused and becomes a dead letter.

    Parameters
    ----------
    reason
        Short class of the refusal: ``decode``, ``schema``, ``range`` or ``late``; for a record of a
        topic also ``key``.
    error
        One sentence for people: what is wrong, with the offending field, without the payload.
    """

    def __init__(self, reason: str, error: str) -> None:
        super().__init__(f"{reason}: {error}")
        self.reason = reason
        self.error = error
