"""Registers all pages of the desk, as Django imports this module."""

from notices.desk import callbacks, channel, key, notice, queue, records, roster, study, user

__all__ = [
    "callbacks",
    "channel",
    "key",
    "notice",
    "queue",
    "records",
    "roster",
    "study",
    "user",
]
