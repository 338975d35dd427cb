"""Carries out over HTTP what people do: write, delete, rename, give rights."""

from aiohttp import web

from fakediscord.backend import Backend
from fakediscord.control import Act, acted
from fakediscord.layout import channel_json, guild_json, member_json, overwrite_json, role_json
from fakediscord.messages import refuse_empty
from fakediscord.payload import check_message
from fakediscord.permissions import bits_of
from fakediscord.threads import changed_thread, is_thread, thread_json
from fakediscord.wire import Json
from fakediscord.world import Guild


class People:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._world = backend.world

    def add_to(self, app: web.Application) -> None:
        routes: list[tuple[str, str, Act]] = [
            ("POST", "messages", self._write),
            ("DELETE", "channels/{channel_id}/messages/{message_id}", self._delete_message),
            ("PATCH", "channels/{channel_id}/messages/{message_id}", self._suppress_embeds),
            ("POST", "channels/{channel_id}/messages/bulk-delete", self._delete_messages),
            ("POST", "users", self._add_user),
            ("POST", "guilds", self._add_guild),
            ("PATCH", "guilds/{guild_id}", self._change_guild),
            ("DELETE", "guilds/{guild_id}", self._remove_guild),
            ("POST", "channels", self._add_channel),
            ("PATCH", "channels/{channel_id}", self._change_channel),
            ("DELETE", "channels/{channel_id}", self._remove_channel),
            ("POST", "threads", self._add_thread),
            ("POST", "guilds/{guild_id}/roles", self._add_role),
            ("PATCH", "guilds/{guild_id}/roles/{role_id}", self._change_role),
            ("DELETE", "guilds/{guild_id}/roles/{role_id}", self._remove_role),
            ("POST", "guilds/{guild_id}/members", self._add_member),
            ("PATCH", "guilds/{guild_id}/members/{user_id}", self._change_member),
            ("DELETE", "guilds/{guild_id}/members/{user_id}", self._remove_member),
        ]
        for method, path, act in routes:
            app.router.add_route(method, f"/_fake/{path}", acted(act))

    # Messages

    async def _write(self, request: web.Request) -> Json:
        order = await request.json()
        channel = self._world.channel(str(order["channel_id"]))
        author = self._world.users[str(order.get("user_id") or self._world.acting)]
        check_message(order)
        message = self._backend.messages.compose(channel, author, order)
        refuse_empty(message)
        self._backend.messages.add(message, order.get("nonce"))
        return message

    async def _delete_message(self, request: web.Request) -> None:
        found = request.match_info
        self._backend.messages.delete(found["channel_id"], found["message_id"])

    async def _delete_messages(self, request: web.Request) -> None:
        ids = [str(one) for one in (await request.json())["messages"]]
        self._backend.messages.delete_many(request.match_info["channel_id"], ids)

    async def _suppress_embeds(self, request: web.Request) -> Json:
        found = request.match_info
        flags = int((await request.json())["flags"])
        return self._backend.messages.set_flags(found["channel_id"], found["message_id"], flags)

    # Guilds

    async def _add_user(self, request: web.Request) -> Json:
        return self._world.add_user(await request.json())

    async def _add_guild(self, request: web.Request) -> Json:
        """Add a guild as a layout describes it, or end the outage of one by its id alone."""
        order = await request.json()
        known = self._world.guilds.get(str(order.get("id")))
        if known:
            self._world.bring_back(known)
            return known.full_json()
        return self._world.add_guild(guild_json(self._world, order)).full_json()

    async def _change_guild(self, request: web.Request) -> Json:
        guild = self._guild(request)
        self._world.change_guild(guild, await request.json())
        return guild.json()

    async def _remove_guild(self, request: web.Request) -> None:
        """Remove a guild; with `?outage=1` it is only out of reach."""
        self._world.remove_guild(self._guild(request), is_outage="outage" in request.query)

    # Channels

    async def _add_channel(self, request: web.Request) -> Json:
        order = await request.json()
        guild = self._world.guild(str(order["guild_id"]))
        channel = channel_json(self._world, guild.id, order, len(guild.channels))
        self._world.put_channel(guild, channel)
        return channel

    async def _change_channel(self, request: web.Request) -> Json:
        channel = self._world.channel(request.match_info["channel_id"])
        order = await request.json()
        if is_thread(channel):
            self._world.put_thread(changed_thread(channel, order))
            return self._world.channel(channel["id"])
        changes = {name: order[name] for name in order if name in channel}
        if "overwrites" in order:
            overwrites = [overwrite_json(self._world, one) for one in order["overwrites"]]
            changes["permission_overwrites"] = overwrites
        left_out = order.get("without", ())
        changed = {k: v for k, v in {**channel, **changes}.items() if k not in left_out}
        self._world.put_channel(self._world.guild_of[channel["id"]], changed)
        return changed

    async def _remove_channel(self, request: web.Request) -> None:
        channel = self._world.channel(request.match_info["channel_id"])
        remove = self._world.remove_thread if is_thread(channel) else self._world.remove_channel
        remove(channel["id"])

    async def _add_thread(self, request: web.Request) -> Json:
        order = await request.json()
        parent = self._world.channel(str(order["parent_id"]))
        thread = thread_json(self._world.snowflakes, parent, order, self._world.acting)
        self._world.put_thread(thread)
        return thread

    # Roles and members

    async def _add_role(self, request: web.Request) -> Json:
        guild = self._guild(request)
        role = role_json(self._world, await request.json(), len(guild.roles))
        self._world.put_role(guild, role)
        return role

    async def _change_role(self, request: web.Request) -> Json:
        guild = self._guild(request)
        changes = _with_permissions_as_bits(await request.json())
        role = {**guild.roles[request.match_info["role_id"]], **changes}
        self._world.put_role(guild, role)
        return role

    async def _remove_role(self, request: web.Request) -> None:
        self._world.remove_role(self._guild(request), request.match_info["role_id"])

    async def _add_member(self, request: web.Request) -> Json:
        member = member_json(self._world, await request.json())
        self._world.put_member(self._guild(request), member)
        return member

    async def _change_member(self, request: web.Request) -> Json:
        guild = self._guild(request)
        member = self._world.member(guild, request.match_info["user_id"])
        changed = {**member, **await request.json()}
        self._world.put_member(guild, changed)
        return changed

    async def _remove_member(self, request: web.Request) -> None:
        guild = self._guild(request)
        user_id = request.match_info["user_id"]
        if user_id == self._world.me:
            raise ValueError("the bot is put out by DELETE /_fake/guilds/{guild_id}")
        self._world.member(guild, user_id)
        self._world.remove_member(guild, user_id)

    def _guild(self, request: web.Request) -> Guild:
        return self._world.guild(request.match_info["guild_id"])


def _with_permissions_as_bits(order: Json) -> Json:
    if "permissions" not in order:
        return order
    return {**order, "permissions": str(bits_of(order["permissions"]))}
