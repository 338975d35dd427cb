"""A frontend's own small server: it holds the API key, which no browser may see.

It serves the page, and hands on what the page asks of studybot: these addresses, these headers and
these fields, nothing else. Needs Python 3.11 and aiohttp. README.md says what it lacks before it
may stand where others reach it: who is logged in, and what of it is theirs.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, web

PAGE = Path(__file__).with_name("page")
HOST = "127.0.0.1"
LIMIT_BYTES = 64 * 1024
# Also of a stream, which shows more often that it is alive.
SILENCE_SECONDS = 30

_NOTICE = r"/api/v1/notices/{id:[1-9]\d{0,18}}/"
ADDRESSES = (
    ("GET", "/api/v1/studies/"),
    ("POST", "/api/v1/notices/"),
    ("POST", "/api/v1/notices/preview/"),
    ("GET", _NOTICE),
    ("PATCH", _NOTICE),
    ("POST", _NOTICE + "withdraw/"),
    ("POST", _NOTICE + "send-again/"),
    ("GET", _NOTICE + "events/"),
)
# No `ping`: whoever uses this page shall not ring everybody's phone.
FIELDS = {"study_id", "channel_ids", "title", "content", "author", "url", "publish_at"}
ASKED_HEADERS = (
    "Accept",
    "Accept-Language",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
)
ANSWERED_HEADERS = ("Content-Type", "ETag", "Idempotent-Replayed", "Retry-After")
# Of every answer. The page needs nothing from elsewhere, and makes no HTML out of text.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

API = web.AppKey("API", ClientSession)


class NotForHereError(Exception):
    def __init__(self, told: str, field: str | None = None) -> None:
        super().__init__(told)
        self.field = field


def refusal(status: int, kind: str, detail: str, field: str | None = None) -> web.Response:
    """A problem document like the API's own, so that the page reads both alike."""
    errors = [{"field": field, "value": None, "detail": detail}] if field else []
    problem = {"type": f"urn:example:{kind}", "title": kind, "status": status, "detail": detail}
    return web.json_response(
        problem | {"errors": errors}, status=status, content_type="application/problem+json"
    )


def guard(port: int) -> Any:
    """Other sites may use the browser of whoever is here, but not for asking in her name."""
    hosts = {f"{HOST}:{port}", f"localhost:{port}"}

    @web.middleware
    async def guarded(request: web.Request, handler: Any) -> web.StreamResponse:
        # Another name that leads here is that of a site which rebinds its own (DNS rebinding).
        if request.host not in hosts:
            return refusal(421, "host", f"{request.host!r} is not served here.")
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if request.path.startswith("/api/") and site != "same-origin":
            return refusal(403, "site", "Another site's page asked for this.")
        origin = request.headers.get("Origin")
        if request.method not in ("GET", "HEAD") and origin != f"http://{request.host}":
            return refusal(403, "origin", f"{origin!r} is not this page.")
        answer: web.StreamResponse = await handler(request)
        return answer

    return guarded


async def secure(_request: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.update(SECURITY_HEADERS)
    answer.headers.setdefault("Cache-Control", "no-cache")


async def index(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(PAGE / "index.html")


async def hand_on(request: web.Request) -> web.StreamResponse:
    headers = {name: request.headers[name] for name in ASKED_HEADERS if name in request.headers}
    # A redirect could take the key elsewhere.
    asked: dict[str, Any] = {"headers": headers, "allow_redirects": False}
    if request.body_exists:
        try:
            asked["json"] = fields_of(await request.read())
        except NotForHereError as error:
            return refusal(400, "invalid", str(error), error.field)
    try:
        # The path is one of ADDRESSES; a query string is not handed on.
        async with request.app[API].request(request.method, request.path, **asked) as answer:
            if answer.content_type == "text/event-stream":
                return await stream(request, answer)
            return web.Response(
                status=answer.status, body=await answer.read(), headers=headers_of(answer)
            )
    except (ClientError, TimeoutError):
        # Nobody knows whether it was done: the page repeats it with the same Idempotency-Key.
        return refusal(502, "unreachable", "studybot does not answer.")


def fields_of(body: bytes) -> dict[str, Any]:
    """What was checked is what is sent on: two readers of the same bytes may differ."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise NotForHereError("The body is not a JSON object.")
    for name in fields:
        if name not in FIELDS:
            raise NotForHereError(f"{name[:80]!r} cannot be set from this page.", name)
    return fields


def headers_of(answer: ClientResponse) -> dict[str, str]:
    kept = {name: answer.headers[name] for name in ANSWERED_HEADERS if name in answer.headers}
    return {**kept, "Cache-Control": "no-store"}


async def stream(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    """Each event as it comes. Where either end goes away, so does the other."""
    told = web.StreamResponse(headers=headers_of(answer))
    await told.prepare(request)
    try:
        async for part in answer.content.iter_any():
            await told.write(part)
    except (ClientError, ConnectionError, TimeoutError):
        pass  # The browser comes back by itself.
    return told


def application(url: str, key: str, port: int) -> web.Application:
    app = web.Application(middlewares=[guard(port)], client_max_size=LIMIT_BYTES)
    app.on_response_prepare.append(secure)
    app.router.add_get("/", index)
    app.router.add_static("/page/", PAGE)
    for method, path in ADDRESSES:
        app.router.add_route(method, path, hand_on)

    async def session(app: web.Application) -> Any:
        async with ClientSession(
            url,
            headers={"X-API-Key": key},
            # One user's cookies are not to be another's.
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE_SECONDS),
        ) as app[API]:
            yield

    app.cleanup_ctx.append(session)
    return app


def main() -> None:
    key = os.environ.get("STUDYBOT_KEY", "")
    if not key:
        sys.exit("STUDYBOT_KEY is not set: make a key (manage.py createapikey) and put it there.")
    url = os.environ.get("STUDYBOT_URL") or "http://127.0.0.1:8000"
    port = int(os.environ.get("EXAMPLE_PORT") or 8002)
    web.run_app(
        application(url, key, port),
        host=HOST,
        port=port,
        access_log=None,
        print=None,
        shutdown_timeout=1,
        # A stream whose browser is gone ends at once, and gives its place back.
        handler_cancellation=True,
    )


if __name__ == "__main__":
    main()
