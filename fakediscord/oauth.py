"""Speaks OAuth2: people let an application know who they are, by the scope `identify`."""

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from fakediscord import oauth_page
from fakediscord.backend import Backend
from fakediscord.errors import UNAUTHORIZED, ApiError
from fakediscord.failing import fail
from fakediscord.local_only import is_loopback
from fakediscord.replies import Reply, json_reply
from fakediscord.wire import Json

TOKEN_SECONDS = 604_800
SCOPES = ("identify",)
# The parts of a user that anybody may know. The address of her mail takes a scope of its own.
TOLD = ("id", "username", "global_name", "discriminator", "avatar", "banner", "accent_color")

Answer = Callable[[web.Request], Awaitable[Reply]]


class GrantError(Exception):
    """A refusal of the token's address, by the name that OAuth2 has for it."""

    def __init__(self, status: int, name: str, words: str = "") -> None:
        self.status = status
        self.body = {"error": name} | ({"error_description": words} if words else {})
        super().__init__(name)


@dataclass(slots=True, frozen=True)
class Grant:
    """What somebody has allowed: behind a code at first, then behind a token."""

    client_id: str
    redirect_uri: str
    user_id: str
    scope: str
    until: float


class OAuth:
    def __init__(self, backend: Backend, clients: Mapping[str, str]) -> None:
        """`clients` has the secret of each application that may ask, by its id."""
        self._backend = backend
        self._clients = clients
        self._codes: dict[str, Grant] = {}
        self._tokens: dict[str, Grant] = {}

    def add_to(self, app: web.Application) -> None:
        for path in ("/oauth2/authorize", "/api/oauth2/authorize"):
            app.router.add_get(path, self._ask)
            app.router.add_post(path, self._choose)
        for base in ("/api", "/api/v10"):
            app.router.add_post(f"{base}/oauth2/token", self._faulty(self._token))
        app.router.add_get("/api/users/@me", self._faulty(self._me))

    def _faulty(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Let the faults that were ordered strike here too."""

        async def perform(
            request: web.Request, before: Callable[[], Awaitable[None]] | None = None
        ) -> Reply:
            if before:
                await before()
            return await answer(request)

        async def handle(request: web.Request) -> web.StreamResponse:
            path = request.path.removeprefix("/api").removeprefix("/v10")
            entry = self._backend.journal.arrived(request.method, path, None)
            fault = self._backend.faults.strike(request.method, path)
            if fault:
                result = await fail(fault, request, partial(perform, request))
                self._backend.journal.answered(entry, result.status)
                return result.response
            reply = await perform(request)
            self._backend.journal.answered(entry, reply.status)
            return reply.response()

        return handle

    # The page on which somebody allows it

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        asked = self._asked(request.query)
        if error := _wrong_in(asked):
            return _back(asked, {"error": error})
        people = [user for user in self._backend.world.users.values() if not user["bot"]]
        name = self._backend.world.application["name"]
        return oauth_page.page(name, people, asked, request.headers.get("Accept-Language", ""))

    async def _choose(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        sent = {name: value for name, value in form.items() if isinstance(value, str)}
        asked = self._asked(sent)
        if error := _wrong_in(asked):
            return _back(asked, {"error": error})
        user = self._backend.world.users.get(sent.get("user_id", ""))
        if user is None or user["bot"]:
            words = "The resource owner or authorization server denied the request"
            return _back(asked, {"error": "access_denied", "error_description": words})
        code = secrets.token_urlsafe(22)
        until = time.monotonic() + self._backend.settings.oauth_code_seconds
        self._codes[code] = Grant(
            asked["client_id"], asked["redirect_uri"], user["id"], asked["scope"], until
        )
        return _back(asked, {"code": code})

    def _asked(self, sent: Mapping[str, str]) -> dict[str, str]:
        """Return what is asked for. Without a place to answer to, the person alone is told."""
        asked = {name: sent.get(name, "") for name in oauth_page.PASSED_ON}
        if asked["client_id"] not in self._clients:
            raise web.HTTPBadRequest(text=f"unknown application {asked['client_id']!r}\n")
        where = urlsplit(asked["redirect_uri"])
        # Discord knows the addresses of each application; here those of this machine are known.
        if where.scheme not in ("http", "https") or not is_loopback(where.hostname or ""):
            raise web.HTTPBadRequest(text=f"invalid redirect_uri {asked['redirect_uri']!r}\n")
        return asked

    # What the application asks by itself

    async def _token(self, request: web.Request) -> Reply:
        try:
            return json_reply(200, self._granted(request, await request.post()))
        except GrantError as error:
            return json_reply(error.status, error.body)

    def _granted(self, request: web.Request, form: Mapping[str, object]) -> Json:
        client_id = self._client(request, form)
        if form.get("grant_type") != "authorization_code":
            raise GrantError(400, "unsupported_grant_type")
        # A code is good once, also where the rest of the request is wrong.
        grant = self._codes.pop(str(form.get("code", "")), None)
        if grant is None or grant.until < time.monotonic() or grant.client_id != client_id:
            raise GrantError(400, "invalid_grant", 'Invalid "code" in request.')
        if grant.redirect_uri != form.get("redirect_uri"):
            raise GrantError(400, "invalid_grant", 'Invalid "redirect_uri" in request.')
        token = secrets.token_urlsafe(22)
        until = time.monotonic() + TOKEN_SECONDS
        self._tokens[token] = Grant(
            client_id, grant.redirect_uri, grant.user_id, grant.scope, until
        )
        return {
            "token_type": "Bearer",
            "access_token": token,
            "expires_in": TOKEN_SECONDS,
            "refresh_token": secrets.token_urlsafe(22),
            "scope": grant.scope,
        }

    def _client(self, request: web.Request, form: Mapping[str, object]) -> str:
        """Return who asks, named in the header (basic) or in the form."""
        in_header = _basic(request.headers.get("Authorization", ""))
        named = in_header or (str(form.get("client_id", "")), str(form.get("client_secret", "")))
        known = self._clients.get(named[0], "")
        if not known or not hmac.compare_digest(known.encode(), named[1].encode()):
            raise GrantError(401, "invalid_client")
        return named[0]

    async def _me(self, request: web.Request) -> Reply:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        grant = self._tokens.get(token) if scheme == "Bearer" else None
        user = self._backend.world.users.get(grant.user_id) if grant else None
        if grant is None or user is None or grant.until < time.monotonic():
            return json_reply(401, ApiError(UNAUTHORIZED).body())
        return json_reply(200, {name: user[name] for name in TOLD})


def _wrong_in(asked: Mapping[str, str]) -> str:
    """Return OAuth2's name for what the application did wrong, or an empty text."""
    if asked["response_type"] != "code":
        return "unsupported_response_type"
    scopes = asked["scope"].split()
    return "" if scopes and set(scopes) <= set(SCOPES) else "invalid_scope"


def _back(asked: Mapping[str, str], told: dict[str, str]) -> web.StreamResponse:
    """Lead the browser back to the application."""
    if asked["state"]:
        told["state"] = asked["state"]
    separator = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    location = f"{asked['redirect_uri']}{separator}{urlencode(told)}"
    return web.Response(status=302, headers={"Location": location})


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme != "Basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret
