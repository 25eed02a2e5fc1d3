"""What of a record is not believed while input faults are open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from models import raw_statistics as raw
from models.alarms import Kind, Reaction
from models.raw_statistics import N_SCOPES, NAMES

REACTIONS = {
    raw.VIEW_TIME: "view_time_imputed",
    raw.IMPLAUSIBLE: "implausible_view_time_imputed",
    raw.RATING: "rating_ignored",
    raw.CLOCK: "clock_replaced",
    raw.USERS: "busiest_users_not_learned",
}
"""What is done while an input fault of a statistic lasts."""


class Told(NamedTuple):
    """An alarm that is open: its kind, and the name of its scope."""

    kind: Kind
    scope: str


class Distrust:
    """The scopes and users that are not believed, by what is wrong with them.

    Nothing is wrong with everybody's clock: what time it is, is what most clocks say.

    Parameters
    ----------
    protects
        Whether anything is distrusted at all.

    Attributes
    ----------
    is_any : bool
        Whether anything is distrusted.
    suspects : frozenset of str
        Users whose events teach nothing for now.

    Examples
    --------
    >>> distrust = Distrust(protects=True)
    >>> is_open = {raw.VIEW_TIME * N_SCOPES + 2: Told(Kind.INPUT_FAULT, "device:tv")}
    >>> [reaction[:4] for reaction in distrust.update(is_open, None, 1.6e9)]
    [('view_time_imputed', 'view_time', 'device:tv', True)]
    >>> distrust.is_any, list(distrust.scopes(raw.VIEW_TIME)), list(distrust.scopes(raw.CLOCK))
    (True, [2], [])
    >>> [reaction[:4] for reaction in distrust.update({}, None, 1.6e9)]
    [('view_time_imputed', 'view_time', 'device:tv', False)]
    """

    def __init__(self, *, protects: bool) -> None:
        self.protects = protects
        self.is_any = False
        self.suspects: frozenset[str] = frozenset()
        self._scopes: dict[int, dict[int, str]] = {}

    def scopes(self, statistic: int) -> Collection[int]:
        """Return the scopes in which a statistic is at fault."""
        return self._scopes.get(statistic, ())

    def update(
        self, is_open: Mapping[int, Told], suspects: frozenset[str] | None, time: float
    ) -> Iterator[Reaction]:
        """Follow the open alarms, and yield what is done from now on and what no more.

        Parameters
        ----------
        is_open
            What was told and lasts, by level: statistic times scopes plus scope.
        suspects
            The users who are too busy, when they were counted anew.
        time
            Event time in epoch seconds.
        """
        if not self.protects or not (is_open or self._scopes):
            return
        before, self._scopes = self._scopes, {}
        for at, told in is_open.items():
            statistic, scope = divmod(at, N_SCOPES)
            is_knowable = statistic != raw.CLOCK or scope != 0
            if told.kind is Kind.INPUT_FAULT and statistic in REACTIONS and is_knowable:
                self._scopes.setdefault(statistic, {})[scope] = told.scope
        self.is_any = bool(self._scopes)
        if raw.USERS not in self._scopes:
            self.suspects = frozenset()
        elif suspects is not None:
            self.suspects = suspects
        for statistic, name in REACTIONS.items():
            then, now = before.get(statistic, {}), self._scopes.get(statistic, {})
            for scope in sorted(then.keys() ^ now.keys()):
                where = now.get(scope) or then[scope]
                yield Reaction(name, NAMES[statistic], where, scope in now, time)
