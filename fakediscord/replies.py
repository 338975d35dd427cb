"""Builds an answer before it is sent, with the headers of every answer of Discord's."""

from dataclasses import dataclass

from aiohttp import web

from fakediscord.wire import dumps

VIA = "1.1 fakediscord"
BAN_PAGE = (
    "<!DOCTYPE html><html><head><title>Access denied</title></head><body>"
    "<h1>Error 1015</h1><p>You are being rate limited: too many invalid requests.</p></body></html>"
)


@dataclass(slots=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]

    def response(self) -> web.Response:
        return web.Response(status=self.status, body=self.body, headers=self.headers)


def json_reply(status: int, data: object) -> Reply:
    """Return a JSON answer; no data is "204 No Content"."""
    if data is None:
        return Reply(204, b"", {"Via": VIA})
    # discord.py reads exactly this type as JSON, without a charset.
    return Reply(status, dumps(data).encode(), {"Content-Type": "application/json", "Via": VIA})


def html_reply(status: int, page: str) -> Reply:
    """Return a page as from a proxy in front of Discord, so without Via."""
    return Reply(status, page.encode(), {"Content-Type": "text/html; charset=UTF-8"})


def banned(seconds: float) -> Reply:
    reply = html_reply(429, BAN_PAGE)
    reply.headers["Retry-After"] = str(int(seconds) + 1)
    return reply
