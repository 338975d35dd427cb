"""The routes of the bot itself, its application, the gateway's address, and its guilds."""

from collections import Counter

from fakediscord import permissions
from fakediscord.backend import Backend
from fakediscord.errors import ApiError
from fakediscord.paging import page_limit, queried_id
from fakediscord.routes import UNLIMITED, Call, Route
from fakediscord.threads import changed_thread, is_thread, refuse_to_change
from fakediscord.wire import Json
from fakediscord.world import Guild

DEFAULT_PAGE, LARGEST_PAGE = 1, 1000


class GuildRoutes:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._world = backend.world

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/users/@me", self._me),
            Route("GET", "/users/@me/guilds", self._my_guilds),
            Route("GET", "/users/{user_id}", self._user),
            Route("GET", "/oauth2/applications/@me", self._application),
            Route("GET", "/applications/@me", self._application),
            Route("GET", "/gateway", self._gateway, UNLIMITED, needs_token=False),
            Route("GET", "/gateway/bot", self._gateway_bot),
            Route("GET", "/guilds/{guild_id}", self._guild),
            Route("GET", "/guilds/{guild_id}/channels", self._channels),
            Route("GET", "/guilds/{guild_id}/roles", self._roles),
            Route("GET", "/guilds/{guild_id}/roles/member-counts", self._role_member_counts),
            Route("GET", "/guilds/{guild_id}/members", self._members),
            Route("GET", "/guilds/{guild_id}/members/{user_id}", self._member),
            Route("GET", "/guilds/{guild_id}/threads/active", self._active_threads),
            Route("GET", "/channels/{channel_id}", self._channel),
            Route("PATCH", "/channels/{channel_id}", self._change_thread),
        ]

    def _me(self, _call: Call) -> Json:
        bot = self._world.users[self._world.me]
        return {**bot, "verified": True, "mfa_enabled": False, "locale": "ko", "flags": 0}

    def _user(self, call: Call) -> Json:
        user = self._world.users.get(call.params["user_id"])
        if user is None:
            raise ApiError(10013)
        return user

    def _my_guilds(self, _call: Call) -> list[Json]:
        return [
            {
                "id": guild.id,
                "name": guild.about["name"],
                "icon": None,
                "banner": None,
                "owner": guild.about["owner_id"] == self._world.me,
                "permissions": str(self._world.guild_permissions(guild, self._world.me)),
                "features": guild.about["features"],
            }
            for guild in self._world.guilds.values()
            if self._world.me in guild.members
        ]

    def _application(self, _call: Call) -> Json:
        owner_id = self._world.acting
        return {
            "icon": None,
            "summary": "",
            "bot_public": False,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "team": None,
            "owner": self._world.users[owner_id],
            "bot": self._world.users[self._world.me],
            "flags": self._backend.gateway.application_flags(),
            "approximate_guild_count": len(self._world.guilds),
            **self._world.application,
        }

    def _gateway(self, _call: Call) -> Json:
        return {"url": self._backend.gateway.url}

    def _gateway_bot(self, _call: Call) -> Json:
        gateway = self._backend.gateway
        return {
            "url": gateway.url,
            "shards": self._backend.settings.shards,
            "session_start_limit": gateway.start_limit(),
        }

    def _guild(self, call: Call) -> Json:
        guild = self._found(call)
        counts: Json = {}
        if call.query.get("with_counts") in ("1", "true"):
            counts = {
                "approximate_member_count": len(guild.members),
                "approximate_presence_count": len(guild.members),
            }
        return {**guild.json(), **counts}

    def _channels(self, call: Call) -> list[Json]:
        return list(self._found(call).channels.values())

    def _roles(self, call: Call) -> list[Json]:
        return list(self._found(call).roles.values())

    def _role_member_counts(self, call: Call) -> Json:
        guild = self._found(call)
        held = Counter(role for member in guild.members.values() for role in member["roles"])
        return {role_id: held[role_id] for role_id in guild.roles if role_id != guild.id}

    def _members(self, call: Call) -> list[Json]:
        guild = self._found(call)
        if "members" not in self._backend.settings.privileged_intents:
            raise ApiError(50001)
        after = queried_id(call, "after") if "after" in call.query else 0
        later = sorted((m for m in guild.members.values() if _id(m) > after), key=_id)
        return later[: page_limit(call, DEFAULT_PAGE, LARGEST_PAGE)]

    def _member(self, call: Call) -> Json:
        return self._world.member(self._found(call), call.params["user_id"])

    def _channel(self, call: Call) -> Json:
        channel = self._world.channel(call.params["channel_id"])
        if not self._world.permissions(channel["id"], self._world.me) & permissions.VIEW_CHANNEL:
            raise ApiError(50001)
        return channel

    def _active_threads(self, call: Call) -> Json:
        return {"threads": self._world.active_threads(self._found(call)), "members": []}

    def _change_thread(self, call: Call) -> Json:
        """Change a thread. Other channels are not changed by the bot here."""
        channel = self._channel(call)
        if not is_thread(channel):
            raise ApiError(50013)
        held = self._world.permissions(channel["id"], self._world.me)
        refuse_to_change(channel, held, call.payload)
        changed = changed_thread(channel, call.payload)
        self._world.put_thread(changed)
        return changed

    def _found(self, call: Call) -> Guild:
        return self._world.guild(call.params["guild_id"])


def _id(member: Json) -> int:
    return int(member["user"]["id"])
