"""Finds the deliveries that are due, in their order, and the moment of the next one."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from notices.models import Pause
from notices.sql import Statement, read_moment


class Due(NamedTuple):
    id: int
    notice_id: int


class Resting(NamedTuple):
    """Channels to be left alone."""

    creates: Collection[int] = ()
    changes: Collection[int] = ()


NOBODY = Resting()


@dataclass(frozen=True, slots=True)
class Shards:
    """This bot's share of the guilds, by Discord's own arithmetic: (guild_id >> 22) % count."""

    ids: tuple[int, ...] = (0,)
    count: int = 1

    def own(self, guild_id: int) -> bool:
        return (guild_id >> 22) % self.count in self.ids

    def values(self) -> dict[str, object]:
        """Return the values of the parameters in `OURS`."""
        return {"shard_ids": self.ids, "shard_count": self.count}


# SQL: whether the channel of a row is in one of our guilds. One whose guild nobody has seen yet is
# the first shard's, as any bot can post there and one of them has to.
# It is looked up row by row, since a planner that saw a join would begin with our channels. A bot
# without shards is spared the look.
OURS = """(%(shard_count)s = 1 OR (
    SELECT TRUE FROM notices_channel
    WHERE id = channel_id
        AND COALESCE(guild_id >> 22, 0) %% %(shard_count)s = ANY(%(shard_ids)s::bigint[])
))"""

# The first that are due, up to a limit of each kind. Creates and changes are asked for apart, since
# each have an index of their own (delivery_due_create, delivery_due_change).
_FIRST_DUE = Statement(
    """
    SELECT id, channel_id, notice_id, kind FROM (
        SELECT * FROM (
            SELECT id, due_at, channel_id, notice_id, 0 AS kind FROM notices_delivery
            WHERE due_at <= %(now)s AND message_id IS NULL
                AND NOT channel_id = ANY(%(no_creates)s::bigint[]) AND {ours}
            ORDER BY due_at, id LIMIT %(limit)s
        ) AS creates
        UNION ALL
        SELECT * FROM (
            SELECT id, due_at, channel_id, notice_id, 1 AS kind FROM notices_delivery
            WHERE due_at <= %(now)s AND message_id IS NOT NULL
                AND NOT channel_id = ANY(%(no_changes)s::bigint[]) AND {ours}
            ORDER BY due_at, id LIMIT %(limit)s
        ) AS changes
    ) AS first
    ORDER BY kind, due_at, id
    """,
    ours=OURS,
)

# The moments of the next one of each kind, by the same two indexes.
_NEXT_DUE = Statement(
    """
    SELECT CAST(due_at AS text) FROM (
        SELECT * FROM (
            SELECT due_at FROM notices_delivery
            WHERE due_at > %(now)s AND message_id IS NULL AND {ours}
            ORDER BY due_at LIMIT 1
        ) AS creates
        UNION ALL
        SELECT * FROM (
            SELECT due_at FROM notices_delivery
            WHERE due_at > %(now)s AND message_id IS NOT NULL AND {ours}
            ORDER BY due_at LIMIT 1
        ) AS changes
    ) AS next
    """,
    ours=OURS,
)

# SQL: whether a pause of its channel, or of all, holds a row back.
_PAUSED = """EXISTS (
    SELECT 1 FROM notices_pause AS pause
    WHERE pause.until > %(now)s AND pause.channel_id IN ({everything}, notices_delivery.channel_id)
)"""
# The oldest of each kind that is not held back.
_OLDEST_DUE = Statement(
    """
    SELECT CAST(due_at AS text) FROM (
        SELECT * FROM (
            SELECT due_at FROM notices_delivery
            WHERE due_at <= %(now)s AND message_id IS NULL AND NOT {paused}
            ORDER BY due_at LIMIT 1
        ) AS creates
        UNION ALL
        SELECT * FROM (
            SELECT due_at FROM notices_delivery
            WHERE due_at <= %(now)s AND message_id IS NOT NULL AND NOT {paused}
            ORDER BY due_at LIMIT 1
        ) AS changes
    ) AS oldest
    """,
    paused=_PAUSED.format(everything=Pause.EVERYTHING),
)


def pick_due(now: datetime, limit: int, busy: Resting, shards: Shards) -> list[Due]:
    """Return the deliveries to send next, one for each channel, creates before changes."""
    picked: dict[int, Due] = {}
    hidden = True
    while hidden and len(picked) < limit:
        rows = _FIRST_DUE.fetch(
            now=now, limit=limit * 4, no_creates=[*busy.creates, *picked],
            no_changes=[*busy.changes, *picked], **shards.values(),
        )  # fmt: skip
        for pk, channel_id, notice_id, _kind in rows:
            picked.setdefault(channel_id, Due(pk, notice_id))
        # A few channels with long queues must not hide the others.
        hidden = max(Counter(kind for *_row, kind in rows).values(), default=0) == limit * 4
    return list(picked.values())[:limit]


def next_due(now: datetime, shards: Shards) -> datetime | None:
    """The moment of the next request that is not due yet."""
    rows = _NEXT_DUE.fetch(now=now, **shards.values())
    moments = (read_moment(due_at) for (due_at,) in rows)
    return min((due_at for due_at in moments if due_at), default=None)


def oldest_due(now: datetime) -> timedelta | None:
    """The age of the oldest request that is due and was not made, though nobody has to wait."""
    moments = (read_moment(due_at) for (due_at,) in _OLDEST_DUE.fetch(now=now))
    return max((now - due_at for due_at in moments if due_at), default=None)
