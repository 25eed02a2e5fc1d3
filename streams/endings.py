"""Which exit code a worker's failure is, and which failures new clients cannot cure."""

from __future__ import annotations

from streams.errors import DriftlineError, SettingsError, SnapshotError
from streams.exit_codes import ExitCode
from streams.kafka_errors import KafkaCallError
from streams.topics import TopicError

GONE = frozenset({"_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE"})
"""Errors that say the offset to read is not in the topic any more."""
REFUSED = frozenset(
    {
        "_AUTHENTICATION",
        "CLUSTER_AUTHORIZATION_FAILED",
        "GROUP_AUTHORIZATION_FAILED",
        "INCONSISTENT_GROUP_PROTOCOL",
        "INVALID_SESSION_TIMEOUT",
        "INVALID_TRANSACTION_TIMEOUT",
        "SASL_AUTHENTICATION_FAILED",
        "TOPIC_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "UNSUPPORTED_VERSION",
    }
)
"""Errors by which the brokers say that a setting or a right is not as it must be."""


class BreakerOpenError(DriftlineError):
    """Too many of the latest events of a partition are dead letters."""


class MissingHistoryError(DriftlineError):
    """The topic no longer has the records that a restore needs."""


class SlotTakenError(DriftlineError):
    """A younger worker has this one's slot."""


_CODES: tuple[tuple[type[DriftlineError], ExitCode], ...] = (
    (BreakerOpenError, ExitCode.BREAKER),
    (MissingHistoryError, ExitCode.MISSING_HISTORY),
    (SlotTakenError, ExitCode.SLOT_TAKEN),
    (SnapshotError, ExitCode.SNAPSHOT),
    (TopicError, ExitCode.CONFIGURATION),
    (SettingsError, ExitCode.CONFIGURATION),
)


def is_curable(error: KafkaCallError) -> bool:
    """Whether new clients may go on where the old ones failed."""
    return error.name not in GONE | REFUSED


def ending_of(error: DriftlineError) -> ExitCode:
    """Give the exit code of what ended a worker.

    Examples
    --------
    >>> ending_of(SlotTakenError("a younger worker has slot 3")).name
    'SLOT_TAKEN'
    """
    if isinstance(error, KafkaCallError):
        if error.name in GONE:
            return ExitCode.MISSING_HISTORY
        return ExitCode.CONFIGURATION if error.name in REFUSED else ExitCode.KAFKA
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.CRASH)
