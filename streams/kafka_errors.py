"""What a failed call to Kafka asks of its caller.

::

    DriftlineError
    └── KafkaCallError           a call failed; ``verdict`` says what may be done
        └── RecordTooLargeError  one record was refused before it was sent
"""

from __future__ import annotations

import enum
import time
from typing import TYPE_CHECKING, TypeVar

from streams.errors import DriftlineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.kafka_records import Output

_Answer = TypeVar("_Answer")

# A refused call returns at once, so its repetition must not keep the core busy.
_PAUSE_S = 0.01


class Verdict(enum.Enum):
    """What may be done after a failed call.

    Attributes
    ----------
    RETRY
        Repeat the same call with the same arguments, as often as wanted. Any other call of the
        transaction, ``abort`` included, is refused until that one is through.
    ABORT
        Abort the transaction; the producer can be used again.
    FATAL
        The client is of no more use: build a new one, or end.
    UNKNOWN
        The transaction is committed or not. Drop the producer without another call; a new one
        with the same ``transactional.id`` settles it by ``init``, after which the committed
        offsets tell.
    """

    RETRY = "retry"
    ABORT = "abort"
    FATAL = "fatal"
    UNKNOWN = "unknown"


def verdict_of(*, is_fatal: bool, needs_abort: bool, is_retriable: bool) -> Verdict:
    """Give the verdict by the flags that librdkafka sets on an error.

    The order matters: an error may be fatal and retriable at once.

    >>> verdict_of(is_fatal=False, needs_abort=True, is_retriable=True)
    <Verdict.ABORT: 'abort'>
    >>> verdict_of(is_fatal=False, needs_abort=False, is_retriable=False)
    <Verdict.FATAL: 'fatal'>
    """
    if is_fatal:
        return Verdict.FATAL
    if needs_abort:
        return Verdict.ABORT
    return Verdict.RETRY if is_retriable else Verdict.FATAL


class KafkaCallError(DriftlineError):
    """A call to Kafka failed.

    Parameters
    ----------
    call
        What was asked, in words: ``commit``, ``send offsets``.
    name
        Name of the error in Kafka's protocol (``ILLEGAL_GENERATION``) or, with a leading
        underscore, in librdkafka (``_TIMED_OUT``).
    text
        Explanation by librdkafka.
    verdict
        What may be done.
    """

    def __init__(self, call: str, *, name: str, text: str, verdict: Verdict) -> None:
        super().__init__(f"Kafka: {call}: {name}: {text}")
        self.call = call
        self.name = name
        self.text = text
        self.verdict = verdict

    def settled_as(self, verdict: Verdict) -> KafkaCallError:
        """Give the same failure with another verdict."""
        return KafkaCallError(self.call, name=self.name, text=self.text, verdict=verdict)


class RecordTooLargeError(KafkaCallError):
    """A record is larger than ``message.max.bytes``; the transaction goes on without it.

    Parameters
    ----------
    record
        The record that was refused; those before it are on their way, those after it are not.
    cause
        The failure as the client told it.
    """

    def __init__(self, record: Output, cause: KafkaCallError) -> None:
        super().__init__(cause.call, name=cause.name, text=cause.text, verdict=cause.verdict)
        self.record = record


def repeated(attempt: Callable[[float], _Answer], timeout_s: float) -> _Answer:
    """Attempt the same call until it succeeds, fails for good or its time is up.

    Parameters
    ----------
    attempt
        The call; gets the seconds that are left.
    timeout_s
        Seconds for all attempts; one is made in any case.

    Raises
    ------
    KafkaCallError
        The last failure, with the verdict retry when only the time was short.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return attempt(max(deadline - time.monotonic(), _PAUSE_S))
        except KafkaCallError as error:
            if error.verdict is not Verdict.RETRY or time.monotonic() >= deadline:
                raise
        time.sleep(_PAUSE_S)
