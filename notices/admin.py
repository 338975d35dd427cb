"""Registers all pages of the desk, as Django imports this module."""

from notices.desk import (
    callbacks,
    channel,
    invitation,
    key,
    notice,
    queue,
    records,
    roster,
    study,
    user,
)

__all__ = [
    "callbacks",
    "channel",
    "invitation",
    "key",
    "notice",
    "queue",
    "records",
    "roster",
    "study",
    "user",
]
