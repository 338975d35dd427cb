"""Tells the bot of new work: PostgreSQL by NOTIFY, while SQLite's bot watches its file."""

from django.db import connection, transaction

from notices.sql import Statement

# The NOTIFY channel on which PostgreSQL tells the bot of new work.
WAKE_CHANNEL = "studybot_wake"

_NOTIFY = Statement("SELECT pg_notify(%(channel)s, '')")


def wake() -> None:
    """Tell the bot as soon as this transaction is committed. (SQLite's bot watches its file.)

    Not in it: of transactions that notify PostgreSQL commits one at a time, each with its own wait
    for the disk. Where a crash comes in between, the bot's slow poll finds what there is.
    """
    if connection.vendor == "postgresql":
        hooks = [entry[1] for entry in connection.run_on_commit]
        if _notify not in hooks:
            transaction.on_commit(_notify, robust=True)


def _notify() -> None:
    _NOTIFY.execute(channel=WAKE_CHANNEL)
