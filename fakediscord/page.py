"""Serves the page in the browser: its files, a live feed, and what a person does on it."""

import asyncio
from pathlib import Path

from aiohttp import web

from fakediscord.backend import Backend
from fakediscord.control import acted, press
from fakediscord.threads import changed_thread, is_thread
from fakediscord.wire import Json, dumps
from fakediscord.world import Event, Guild, displayed_name

STATIC = Path(__file__).with_name("static")
SHOWN_MESSAGES = 100
MOST_WAITING = 10_000
KEEPALIVE_SECONDS = 15.0
PERMISSION_EVENTS = ("GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE")
NOT_FOR_PAGE = ("INTERACTION_CREATE", "THREAD_LIST_SYNC")
CSP = (
    "default-src 'self'; img-src 'self' http: https: data:; object-src 'none';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

Feed = asyncio.Queue[tuple[str, str] | None]


class Page:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._world = backend.world
        self._feeds: set[Feed] = set()
        backend.world.listeners.append(self._on_event)
        backend.answers.listeners.append(self._on_ephemeral)

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/", self._index)
        app.router.add_get("/channels/{guild_id}/{channel_id}{_:.*}", self._link)
        app.router.add_get("/static/{name}", self._file)
        app.router.add_get("/_page/events", self._events)
        app.router.add_post("/_page/interactions", acted(self._press))
        path = "/_page/channels/{channel_id}/messages/{message_id}"
        app.router.add_delete(path, acted(self._delete))
        app.router.add_patch(path, acted(self._set_flags))
        app.router.add_patch("/_page/channels/{channel_id}", acted(self._change_thread))

    # The feed to the browsers

    def _on_event(self, event: Event) -> None:
        if not self._feeds or event.name in NOT_FOR_PAGE:
            return
        # On the page a thread stands among the channels.
        self._tell(event.name.replace("THREAD_", "CHANNEL_"), self._as_shown(event))
        if event.name in PERMISSION_EVENTS:
            for channel in self._world.guilds[event.guild_id].channels.values():
                self._tell("CHANNEL_UPDATE", self._channel(channel))

    def _as_shown(self, event: Event) -> Json:
        if event.name in ("CHANNEL_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "THREAD_UPDATE"):
            return self._channel(event.data)
        if event.name == "GUILD_CREATE":
            return self._guild(self._world.guilds[event.guild_id])
        if event.name.startswith("MESSAGE_"):
            return {**event.data, "guild_id": event.guild_id}
        return event.data

    def _on_ephemeral(self, message: Json, user_id: str) -> None:
        data = {"channel_id": message["channel_id"], "message": message, "user_id": user_id}
        self._tell("EPHEMERAL", data)

    def _tell(self, name: str, data: Json) -> None:
        text = dumps(data)
        for feed in list(self._feeds):
            if feed.qsize() < MOST_WAITING:
                feed.put_nowait((name, text))
            else:
                self._feeds.discard(feed)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Serve Server-Sent Events. A browser that does not keep up is cut off and begins anew."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        feed: Feed = asyncio.Queue()
        self._feeds.add(feed)
        try:
            await response.write(_sse("snapshot", dumps(self._snapshot())))
            while feed in self._feeds and not self._backend.stopping.is_set():
                await response.write(await _next(feed))
        except ConnectionError:
            pass
        finally:
            self._feeds.discard(feed)
        return response

    def close(self) -> None:
        for feed in self._feeds:
            feed.put_nowait(None)

    # The world as the page sees it

    def _snapshot(self) -> Json:
        return {
            "guilds": [self._guild(guild) for guild in self._world.guilds.values()],
            "messages": {
                channel_id: self._backend.messages.history(channel_id).newest(SHOWN_MESSAGES)[::-1]
                for channel_id in self._world.guild_of
            },
            "me": self._world.acting,
        }

    def _guild(self, guild: Guild) -> Json:
        return {
            "id": guild.id,
            "name": guild.about["name"],
            "icon_text": guild.about["icon_text"],
            "channels": [
                self._channel(channel)
                for channel in (*guild.channels.values(), *guild.threads.values())
            ],
            "roles": list(guild.roles.values()),
            "members": [_member(member) for member in guild.members.values()],
        }

    def _channel(self, channel: Json) -> Json:
        held = self._world.permissions(channel["id"], self._world.me)
        shown = {**channel, "bot_permissions": str(held)}
        if is_thread(channel):
            # A thread stands below its channel.
            parent = self._world.channel(channel["parent_id"])
            shown["position"] = parent.get("position", 0) + 0.5
        return shown

    # A person's deeds on the page

    async def _press(self, request: web.Request) -> Json:
        return await press(self._backend, await request.json())

    async def _delete(self, request: web.Request) -> None:
        found = request.match_info
        self._backend.messages.delete(found["channel_id"], found["message_id"])

    async def _set_flags(self, request: web.Request) -> None:
        found = request.match_info
        flags = int((await request.json())["flags"])
        self._backend.messages.set_flags(found["channel_id"], found["message_id"], flags)

    async def _change_thread(self, request: web.Request) -> None:
        thread = self._world.channel(request.match_info["channel_id"])
        if not is_thread(thread):
            raise ValueError(f"channel {thread['id']} is no thread")
        self._world.put_thread(changed_thread(thread, await request.json()))

    # The page's files

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return _static("index.html")

    async def _link(self, request: web.Request) -> web.StreamResponse:
        """Redirect Discord's own form of a link to a channel or a message."""
        found = request.match_info
        raise web.HTTPFound(f"/#/{found['guild_id']}/{found['channel_id']}")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return _static(request.match_info["name"])


def _static(name: str) -> web.StreamResponse:
    known = {path.name: path for path in STATIC.iterdir()} if STATIC.is_dir() else {}
    if name not in known:
        raise web.HTTPNotFound(text=f"no file {name!r} in {STATIC}\n")
    return web.FileResponse(known[name], headers=HEADERS)


async def _next(feed: Feed) -> bytes:
    try:
        told = await asyncio.wait_for(feed.get(), KEEPALIVE_SECONDS)
    except TimeoutError:
        return b": still there\n\n"
    return _sse(*told) if told else b""


def _sse(name: str, text: str) -> bytes:
    return f"event: {name}\ndata: {text}\n\n".encode()


def _member(member: Json) -> Json:
    return {
        "id": member["user"]["id"],
        "name": displayed_name(member),
        "avatar_color": member["user"]["avatar_color"],
        "bot": member["user"]["bot"],
    }
