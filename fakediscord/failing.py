"""Carries out a fault on the request that it strikes."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from fakediscord.faults import Fault
from fakediscord.replies import VIA, Reply, html_reply, json_reply
from fakediscord.wire import Json

NO_LINGER = struct.pack("ii", 1, 0)
DEFAULT_RETRY_AFTER = 1.0


class Perform(Protocol):
    """Reads the request, awaits `before`, then does what was asked for."""

    async def __call__(self, before: Callable[[], Awaitable[None]] | None = None) -> Reply: ...


@dataclass(slots=True)
class FaultResult:
    """The end of a fault: `status` is the answered number or, without one, the fault's kind."""

    response: web.StreamResponse
    status: int | str
    scope: str | None = None


async def fail(fault: Fault, request: web.Request, perform: Perform) -> FaultResult:
    kind = fault.order["kind"]
    if kind == "delay":
        # The request is read first, so it takes effect even if nobody waits for it any more.
        return _answered(await perform(fault.wait_until_over))
    reply = await perform() if _does_it_first(fault) else None
    match kind:
        case "status":
            return _answered(_ordered_reply(fault.order), fault.order.get("scope"))
        case "truncate" if reply:
            return FaultResult(await _send_half(request, reply), kind)
        case "hang":
            await fault.wait_until_over()
            _break_off(request)
        case "reset":
            _break_off(request, is_reset=True)
        case _:
            _break_off(request)
    return FaultResult(web.Response(), kind)


def _does_it_first(fault: Fault) -> bool:
    return fault.order["kind"] in ("lost_reply", "truncate") or fault.order.get("after", False)


def _answered(reply: Reply, scope: str | None = None) -> FaultResult:
    return FaultResult(reply.response(), reply.status, scope)


def _ordered_reply(order: Json) -> Reply:
    status = order["status"]
    body = order.get("body")
    if order.get("json") is False or isinstance(body, str):
        reply = html_reply(status, body if isinstance(body, str) else f"<h1>{status}</h1>")
        reply.headers["Via"] = VIA
    else:
        reply = json_reply(status, _default_body(order) if body is None else body)
    if status == 429:
        reply.headers.update(_rate_limit_headers(order))
    if order.get("via") is False:
        reply.headers.pop("Via", None)
    reply.headers.update(order.get("headers") or {})
    return reply


def _default_body(order: Json) -> Json:
    if order["status"] == 429:
        return {
            "message": "You are being rate limited.",
            "retry_after": order.get("retry_after", DEFAULT_RETRY_AFTER),
            "global": order.get("scope") == "global",
        }
    words = order.get("message") or f"{order['status']}: ordered fault"
    return {"message": words, "code": order.get("code", 0)}


def _rate_limit_headers(order: Json) -> dict[str, str]:
    scope = order.get("scope") or "user"
    headers = {
        "Retry-After": str(order.get("retry_after", DEFAULT_RETRY_AFTER)),
        "X-RateLimit-Scope": scope,
    }
    if scope == "global":
        headers["X-RateLimit-Global"] = "true"
    return headers


async def _send_half(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Promise the whole body in the headers, then end the connection halfway."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body)
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
    await asyncio.sleep(0)
    if request.transport:
        request.transport.close()
    return response


def _break_off(request: web.Request, *, is_reset: bool = False) -> None:
    """End the connection without an answer: orderly (FIN), or with a reset (RST)."""
    transport: Any = request.transport
    if transport is None:
        return
    if is_reset:
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    transport.abort()
