"""Settings of drift: what is watched, and what is done about it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class DriftSettings(msgspec.Struct, frozen=True):
    """Which drift is looked for, and what is done about it."""

    detect: Annotated[
        bool,
        Meta(description="Look for changes of taste, of the inputs, and for faults in them."),
    ] = True
    protect: Annotated[
        bool,
        Meta(
            description="While an input fault lasts, do without what is faulty: impute view times,"
            " ignore ratings, replace clocks, learn nothing from users who are busier than people."
        ),
    ] = True
    adapt: Annotated[
        bool,
        Meta(
            description="When lists become worse, let the ranker take larger steps and"
            " co-visitation forget faster, for a while."
        ),
    ] = True
    patience_events: Annotated[
        int,
        Meta(
            ge=1_024,
            description="A change of an input that lasts for so many of its events counts as"
            " usual from then on.",
            extra={"unit": "events"},
        ),
    ] = 20_000
    fault_patience_events: Annotated[
        int,
        Meta(
            ge=1_024,
            description="The same for an input fault, whose protection ends then.",
            extra={"unit": "events"},
        ),
    ] = 100_000
