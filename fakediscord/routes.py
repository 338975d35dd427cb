"""Defines a route of the REST API, and what its handler is called with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from fakediscord.errors import INVALID_JSON, TOO_LARGE, ApiError
from fakediscord.uploads import Upload
from fakediscord.wire import Json, loads

LARGEST_BODY = 25 * 1024 * 1024

# The kinds of buckets. Each has its limit in the settings.
MESSAGES, CROSSPOST, OTHER, UNLIMITED = "messages", "crosspost", "other", "unlimited"


@dataclass(slots=True)
class Call:
    """One request; `data` is its JSON, which is an object except on a few routes."""

    params: Mapping[str, str]
    query: Mapping[str, str]
    data: Any
    uploads: list[Upload]

    @property
    def payload(self) -> Json:
        if not isinstance(self.data, dict):
            raise ApiError(INVALID_JSON)
        return self.data


# Returns the JSON to answer; None is "204 No Content".
Handler = Callable[[Call], Any]


@dataclass(slots=True, frozen=True)
class Route:
    """A route. Interactions' webhooks need no bot's token, and the global limit skips them."""

    method: str
    path: str
    handler: Handler
    bucket: str = OTHER
    needs_token: bool = True
    majors: tuple[str, ...] = field(default=("channel_id", "guild_id"))

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


async def read_call(request: web.Request) -> Call:
    data, uploads = await _read_body(request)
    return Call(request.match_info, request.query, data, uploads)


async def _read_body(request: web.Request) -> tuple[Any, list[Upload]]:
    if not request.can_read_body:
        return {}, []
    if (request.content_length or 0) > LARGEST_BODY:
        # The body is read to its end, or the sender would not come to read the answer.
        async for _chunk in request.content.iter_any():
            pass
        raise ApiError(TOO_LARGE)
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    return _decoded((await request.read()).decode(errors="replace")), []


def _decoded(body: str) -> Any:
    try:
        return loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        raise ApiError(INVALID_JSON) from error


async def _read_multipart(request: web.Request) -> tuple[Any, list[Upload]]:
    data: Any = {}
    uploads: list[Upload] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "payload_json":
            data = _decoded(await part.text())
        elif part.filename:
            kind = part.headers.get("Content-Type", "application/octet-stream")
            content = bytes(await part.read())
            uploads.append(Upload(part.name or "", part.filename, kind, content))
    return data, uploads
