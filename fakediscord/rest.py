"""Leads a REST request through token, limits and faults to what it asks for."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from aiohttp import web

from fakediscord.backend import Backend
from fakediscord.errors import INVALID_JSON, NO_SUCH_ROUTE, UNAUTHORIZED, ApiError
from fakediscord.failing import fail
from fakediscord.limits import Bucket, Refusal
from fakediscord.replies import Reply, banned, json_reply
from fakediscord.routes import CROSSPOST, MESSAGES, OTHER, UNLIMITED, Route, read_call
from fakediscord.snowflake import age_class

API = "/api/v10"
INVALID = (401, 403, 429)


class Api:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def add_to(self, app: web.Application, routes: Iterable[Route]) -> None:
        for route in routes:
            app.router.add_route(route.method, API + route.path, self._handler(route))
        unknown = Route("*", "/{path:.*}", _nothing_there, UNLIMITED)
        app.router.add_route("*", API + unknown.path, self._handler(unknown))

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(route, request)

        return handle

    async def _handle(self, route: Route, request: web.Request) -> web.StreamResponse:
        backend = self._backend
        path = request.path[len(API) :]
        bucket = self._bucket(route, request)
        entry = backend.journal.arrived(request.method, path, bucket.hash if bucket else None)
        await self._delay()
        reply = self._refused(route, request, bucket)
        fault = None if reply else backend.faults.strike(request.method, path)
        if fault:
            outcome = await fail(fault, request, partial(self._perform, route, request, bucket))
            backend.journal.answered(entry, outcome.status)
            self._count_invalid(outcome.status, outcome.scope)
            return outcome.response
        if reply is None:
            reply = await self._perform(route, request, bucket)
        backend.journal.answered(entry, reply.status)
        self._count_invalid(reply.status, None)
        return reply.response()

    async def _perform(
        self,
        route: Route,
        request: web.Request,
        bucket: Bucket | None,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> Reply:
        try:
            call = await read_call(request)
            if before:
                await before()
            reply = json_reply(200, route.handler(call))
        except ApiError as error:
            reply = json_reply(error.status, error.body())
        except RecursionError:
            reply = json_reply(400, ApiError(INVALID_JSON).body())
        if bucket:
            reply.headers.update(self._backend.limits.headers(bucket))
        return reply

    def _refused(self, route: Route, request: web.Request, bucket: Bucket | None) -> Reply | None:
        """Return the refusal that comes before anything is done, if there is one."""
        backend = self._backend
        if (ban_seconds := backend.limits.ban_seconds()) > 0:
            return banned(ban_seconds)
        header = request.headers.get("Authorization")
        if route.needs_token and not backend.tokens.opens_header(header):
            return json_reply(401, ApiError(UNAUTHORIZED).body())
        refusal = backend.limits.take(bucket, is_global=route.needs_token)
        return self._rate_limited(refusal, bucket) if refusal else None

    def _rate_limited(self, refusal: Refusal, bucket: Bucket | None) -> Reply:
        reply = json_reply(429, refusal.body())
        reply.headers.update(refusal.headers())
        if bucket and not refusal.is_global:
            reply.headers.update(self._backend.limits.headers(bucket))
        return reply

    def _bucket(self, route: Route, request: web.Request) -> Bucket | None:
        settings = self._backend.settings
        limit, seconds = {
            MESSAGES: (settings.bucket_limit, settings.bucket_seconds),
            CROSSPOST: (settings.crosspost_limit, settings.crosspost_seconds),
            OTHER: (settings.other_limit, settings.other_seconds),
            UNLIMITED: (None, 0.0),
        }[route.bucket]
        if limit is None:
            return None
        params = request.match_info
        name = route.name
        if route.bucket == MESSAGES and route.method == "DELETE":
            name += age_class(params["message_id"])
        return Bucket(name, "+".join(params.get(one, "") for one in route.majors), limit, seconds)

    async def _delay(self) -> None:
        settings = self._backend.settings
        if settings.latency or settings.jitter:
            await asyncio.sleep(settings.latency + settings.jitter * random.random())

    def _count_invalid(self, status: int | str, scope: str | None) -> None:
        if status in INVALID and scope != "shared":
            self._backend.limits.count_invalid()


def _nothing_there(_call: object) -> None:
    raise ApiError(NO_SUCH_ROUTE)
