"""How a process ends, so that a supervisor knows what to do."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """Exit codes of ``driftline``; a worker starts anew after `CRASH` and `KAFKA` only.

    Attributes
    ----------
    CLEAN
        Done, or stopped as asked.
    CRASH
        An error that nobody foresaw.
    CONFIGURATION
        A setting, an option or a topic is not as it must be.
    KAFKA
        New clients failed again and again, or a call took longer than ``worker.call_budget_s``.
    BREAKER
        Too many of a partition's latest events are dead letters.
    SLOT_TAKEN
        A younger worker has this one's slot.
    MISSING_HISTORY
        The input topic no longer holds what is needed to rebuild the state.
    SNAPSHOT
        Where snapshots are kept cannot be used.
    INTERRUPTED
        A replay was stopped by a signal.

    Examples
    --------
    >>> [code.name for code in ExitCode if code.may_restart]
    ['CRASH', 'KAFKA']
    """

    CLEAN = 0
    CRASH = 1
    CONFIGURATION = 2
    KAFKA = 3
    BREAKER = 4
    SLOT_TAKEN = 5
    MISSING_HISTORY = 6
    SNAPSHOT = 7
    INTERRUPTED = 130

    @property
    def may_restart(self) -> bool:
        """Whether a new start can help without anybody's care."""
        return self in {ExitCode.CRASH, ExitCode.KAFKA}


def exit_code_of(status: int) -> ExitCode:
    """Give the code of an ended process; whatever is no code of ours is a crash.

    Examples
    --------
    >>> exit_code_of(4).name, exit_code_of(-9).name, exit_code_of(137).name
    ('BREAKER', 'CRASH', 'CRASH')
    """
    known = {code.value: code for code in ExitCode}
    return known.get(status, ExitCode.CRASH)
