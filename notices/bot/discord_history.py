"""Finds a lost create again in its channel's history, by whose message each one is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import discord
from discord.http import Route

from notices.advice.permissions import READ_MESSAGE_HISTORY, VIEW_CHANNEL
from notices.delivery.identity import identify
from notices.delivery.message import is_emptied
from notices.delivery.request import Answer, PermanentError, Request, TransientError, Word

VIEW_AND_READ_HISTORY = VIEW_CHANNEL | READ_MESSAGE_HISTORY
# A message's id holds Discord's time, and an attempt ours: the two clocks differ. To look too far
# back costs a page or so. To look too little would double the notice.
CLOCK_SKEW = timedelta(minutes=10)
HISTORY_PAGE = 100
HISTORY_PAGES = 10


@dataclass(frozen=True, slots=True)
class History:
    """Reads what channels show, if the gateway says that the bot may read them."""

    http: discord.http.HTTPClient
    permissions_in: Callable[[int], int | None]
    word_on: Callable[[int, int | None], Word]

    async def look_up(self, request: Request) -> Answer:
        """Read on from where the lost create began, until its message or the end is found."""
        if request.unknown_since is None:
            raise ValueError(f"delivery {request.delivery_id}: nothing of it is unknown")
        bits = self.permissions_in(request.channel_id)
        if bits is not None and bits & VIEW_AND_READ_HISTORY != VIEW_AND_READ_HISTORY:
            # Discord would answer with an empty list, whatever the channel holds.
            raise PermanentError("the bot may not read the channel's history", code=50013)
        after = discord.utils.time_snowflake(request.unknown_since - CLOCK_SKEW)
        is_readable = bits is not None
        for _page in range(HISTORY_PAGES):
            page = await self._read_page(request.channel_id, after=str(after), limit=HISTORY_PAGE)
            for message in page:
                if (found := identify(message)) and found.nonce == request.nonce:
                    return Answer(int(message["id"]), found.revision, is_emptied(message))
            is_readable = is_readable or bool(page)
            if len(page) < HISTORY_PAGE:
                if not is_readable:
                    await self._refuse_if_not_readable(request.channel_id)
                return Answer()
            after = max(int(message["id"]) for message in page)
        raise PermanentError("too many messages came after it", code=50013)

    async def _read_page(self, channel_id: int, **params: Any) -> list[dict[str, Any]]:
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel_id)
        page = await self.http.request(route, params=params)
        if not isinstance(page, list):
            # An answer of another kind does not say that the channel is empty.
            raise TransientError("the history is not readable", done=None)
        return page

    async def _refuse_if_not_readable(self, channel_id: int) -> None:
        """Return if the bot may read the channel, though the gateway does not list it.

        The gateway does not list archived threads. One message proves that the bot may read. Where
        there is none, the channel of a thread decides, since a thread has its permissions.
        """
        if await self._read_page(channel_id, limit=1):
            return
        route = Route("GET", "/channels/{channel_id}", channel_id=channel_id)
        channel = await self.http.request(route)
        parent_id = channel.get("parent_id") if isinstance(channel, dict) else None
        bits = self.permissions_in(int(parent_id)) if parent_id else None
        if bits is not None and bits & VIEW_AND_READ_HISTORY == VIEW_AND_READ_HISTORY:
            return
        if self.word_on(channel_id, None) is Word.NONE:
            raise TransientError("the bot does not know yet what it may read", done=None)
        raise PermanentError("nobody tells whether the bot may read the history", code=50013)
