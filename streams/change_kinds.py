"""Changes that can be planted into a log: their kinds, and what each of them is told.

A change is written in a scenario file as a ``[[change]]`` table with the fields of its kind.
`begin` and `end` are a share of the log (``0.5``), a number of events before it (``50_000``) or
an event time (``2022-01-15T12:00:00``, also as text; ``"+3d"`` after the first event).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from streams.columns import VIEW_FIELDS

Bound = int | float | str
Share = Annotated[float, Meta(gt=0, le=1)]
ALL = "all"
SCOPE_KINDS = GENRE, DEVICE, SOURCE = "genre", "device", "source"
# Of an event as driftline writes it. One that lacks a required one is no event.
FIELDS = tuple(field for field in VIEW_FIELDS.names if field != "timestamp_ms")
REQUIRED_FIELDS = VIEW_FIELDS.required


class Change(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all changes have in common.

    Parameters
    ----------
    begin
        Where it begins.
    end
        Where it ends; None for a change that lasts.
    scope
        ``all``, or ``genre:X``, ``device:X``, ``source:X`` where the kind allows it.
    strength
        How strong it is, in (0, 1]; of what, each kind says.
    """

    scopes: ClassVar[tuple[str, ...]] = SCOPE_KINDS

    begin: Bound
    end: Bound | None = None
    scope: str = ALL
    strength: Share = 1.0

    @property
    def kind(self) -> str:
        """The name of the kind."""
        return str(type(self).__struct_config__.tag)

    @property
    def topic(self) -> tuple[str, ...]:
        """What two changes may not share at one time."""
        return (self.kind, self.scope)

    @property
    def words(self) -> str:
        """What changes, in words."""
        raise NotImplementedError

    def parameters(self) -> dict[str, float | str]:
        """Return the fields of this kind alone."""
        own = set(self.__struct_fields__) - set(Change.__struct_fields__) - {"shape"}
        values = msgspec.structs.asdict(self)
        return {name: values[name] for name in values if name in own and values[name] is not None}


class Taste(Change, frozen=True, kw_only=True, tag="taste"):
    """People like other titles, other titles go together; strength is the share of people.

    Parameters
    ----------
    shape
        ``abrupt``; ``gradual``, for one person after the other from begin to end and lasting;
        ``recurring``, for half of each period.
    period
        Of a recurring change, as a share of the days of the log.
    """

    scopes: ClassVar[tuple[str, ...]] = (GENRE, DEVICE)

    shape: Literal["abrupt", "gradual", "recurring"] = "abrupt"
    period: Share | None = None

    @property
    def words(self) -> str:
        """What changes, in words."""
        when = {
            "abrupt": "at once",
            "gradual": "one after the other",
            "recurring": "for half of each period",
        }
        return f"{self.strength:.0%} of the people like titles of other niches, {when[self.shape]}"


class Popularity(Change, frozen=True, kw_only=True, tag="popularity"):
    """Hits are released; strength is their share of all choices at first."""

    scopes: ClassVar[tuple[str, ...]] = (GENRE, DEVICE)

    strength: Share = 0.15
    titles: Annotated[int, Meta(ge=1, le=100)] = 1

    @property
    def words(self) -> str:
        """What changes, in words."""
        return f"new titles ({self.titles}) take {self.strength:.0%} of all choices at first"


class Catalogue(Change, frozen=True, kw_only=True, tag="catalogue"):
    """Titles vanish and new ones take their places; strength is their share."""

    scopes: ClassVar[tuple[str, ...]] = (GENRE,)

    strength: Share = 0.2

    @property
    def words(self) -> str:
        """What changes, in words."""
        return f"{self.strength:.0%} of the titles vanish and as many new ones come"


class Audience(Change, frozen=True, kw_only=True, tag="audience"):
    """New people with a new taste come; strength is their share of all sessions."""

    scopes: ClassVar[tuple[str, ...]] = (GENRE, DEVICE)

    strength: Share = 0.3
    users: Annotated[int, Meta(ge=1)] | None = None

    @property
    def words(self) -> str:
        """What changes, in words."""
        return f"new people with another taste bring {self.strength:.0%} of all sessions"


class Unit(Change, frozen=True, kw_only=True, tag="unit"):
    """View times are in another unit; strength is the share of users."""

    factor: Annotated[float, Meta(gt=0)] = 1 / 60

    @property
    def words(self) -> str:
        """What changes, in words."""
        return f"view_time is multiplied by {self.factor:g} for {self.strength:.0%} of the users"


class Missing(Change, frozen=True, kw_only=True, tag="missing"):
    """A field is missing; strength is the share of events."""

    strength: Share = 0.5
    field: str = "view_time"

    @property
    def topic(self) -> tuple[str, ...]:
        """Two fields may be missing at one time."""
        return (self.kind, self.scope, self.field)

    @property
    def words(self) -> str:
        """What changes, in words."""
        return f"{self.field} is missing in {self.strength:.0%} of the events"


class Stuck(Change, frozen=True, kw_only=True, tag="stuck"):
    """A client repeats its last event byte for byte; strength is the share of lines."""

    strength: Annotated[float, Meta(gt=0, le=0.9)] = 0.3

    @property
    def words(self) -> str:
        """What changes, in words."""
        return f"one client repeats its last event, {self.strength:.0%} of all lines"


class Clock(Change, frozen=True, kw_only=True, tag="clock"):
    """Clocks are wrong by some hours; strength is the share of users."""

    hours: Annotated[float, Meta(ge=-8760, le=8760)] = -8.0

    @property
    def words(self) -> str:
        """What changes, in words."""
        return f"clocks are {self.hours:+g} hours off for {self.strength:.0%} of the users"


class Bots(Change, frozen=True, kw_only=True, tag="bots"):
    """A few users watch at inhuman rates, anything; strength is the share of lines."""

    scopes: ClassVar[tuple[str, ...]] = (DEVICE, SOURCE)

    strength: Annotated[float, Meta(gt=0, le=0.9)] = 0.2
    users: Annotated[int, Meta(ge=1, le=1000)] = 3

    @property
    def words(self) -> str:
        """What changes, in words."""
        return f"bots ({self.users}) watch anything, {self.strength:.0%} of all lines"


class Permute(Change, frozen=True, kw_only=True, tag="permute"):
    """Titles swap their ids at random; strength is the share of titles in scope."""

    @property
    def words(self) -> str:
        """What changes, in words."""
        return f"{self.strength:.0%} of the titles swap their ids at random"


KINDS: dict[str, type[Change]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        Taste,
        Popularity,
        Catalogue,
        Audience,
        Unit,
        Missing,
        Stuck,
        Clock,
        Bots,
        Permute,
    )
}
WORLD_KINDS = (Taste, Popularity, Catalogue, Audience)
"""Kinds that only a simulated world can go through; the others change any log."""
