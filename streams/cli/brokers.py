"""How a command for people reaches the brokers: soon, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.kafka_admin import Admin
    from streams.settings import Settings

ANSWER_S = 10.0
"""Seconds that a person waits for one answer."""


def admin_of(settings: Settings) -> Admin:
    """Give a client for the brokers of the settings; it asks nothing yet."""
    from streams.kafka_admin import Admin
    from streams.kafka_clients import admin_properties

    return Admin(admin_properties(settings.kafka), timeout_s=ANSWER_S)
