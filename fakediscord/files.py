"""Keeps the attachments' content, in place of Discord's CDN: in memory, or beside the state."""

import re
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

PATH = "/attachments/{channel_id}/{attachment_id}/{filename}"
SHOWN_IN_PAGES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg"}
SHOWN_IN_PAGES |= {"gif": "image/gif", "webp": "image/webp"}
NUMBER = re.compile(r"\d{1,20}")


class Files:
    """Stores files; `url` is the server's own address, once it is known."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._contents: dict[str, bytes] = {}
        self.url = ""

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(PATH, self._serve)

    def put(self, channel_id: str, attachment_id: str, filename: str, content: bytes) -> str:
        """Store a file and return its address."""
        if self._folder:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / attachment_id).write_bytes(content)
        else:
            self._contents[attachment_id] = content
        path = PATH.format(channel_id=channel_id, attachment_id=attachment_id, filename=filename)
        return self.url + path

    def drop(self, attachment_ids: Iterable[str]) -> None:
        for attachment_id in attachment_ids:
            self._contents.pop(attachment_id, None)
            if self._folder:
                (self._folder / attachment_id).unlink(missing_ok=True)

    def _content(self, attachment_id: str) -> bytes | None:
        if not self._folder:
            return self._contents.get(attachment_id)
        path = self._folder / attachment_id
        return path.read_bytes() if NUMBER.fullmatch(attachment_id) and path.is_file() else None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        found = request.match_info
        content = self._content(found["attachment_id"])
        if content is None:
            raise web.HTTPNotFound(text="no such attachment\n")
        kind = SHOWN_IN_PAGES.get(found["filename"].rpartition(".")[2].lower())
        headers = {
            "Content-Type": kind or "application/octet-stream",
            "Content-Disposition": "inline" if kind else "attachment",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=content, headers=headers)
