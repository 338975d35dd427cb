"""Puts everything together, starts it and stops it."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from fakediscord.backend import Backend, make_backend
from fakediscord.control import Control
from fakediscord.files import Files
from fakediscord.keeping import StateError, StateWriter, kept_world, read_state, restore
from fakediscord.layout import DEFAULT_LAYOUT, read_layout
from fakediscord.local_only import is_loopback, local_only
from fakediscord.oauth import OAuth
from fakediscord.page import Page
from fakediscord.people import People
from fakediscord.rest import API, Api
from fakediscord.rest_guilds import GuildRoutes
from fakediscord.rest_interactions import InteractionRoutes
from fakediscord.rest_messages import MessageRoutes
from fakediscord.routes import LARGEST_BODY
from fakediscord.settings import Settings

STOP_SECONDS = 0.2


class FakeDiscord:
    """The server: `async with FakeDiscord(port=0) as fake:` serves until the block is left."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        layout: Path = DEFAULT_LAYOUT,
        state: Path | None = None,
        tokens: Iterable[str] = (),
        settings: Settings | None = None,
        clients: Mapping[str, str] | None = None,
    ) -> None:
        """`clients`: the secrets of the applications by which people may log in, by their ids."""
        if not is_loopback(host):
            raise ValueError(f"host {host!r} is not this machine's own; use 127.0.0.1")
        self._host, self._port = host, port
        kept = read_state(state) if state else None
        world = kept_world(kept) if kept else read_layout(layout)
        files = Files(state.with_name(f"{state.name}.files") if state else None)
        self.backend: Backend = make_backend(world, settings or Settings(), tokens, files)
        last_log = 0
        if kept and state:
            restore(self.backend, kept, state)
            last_log = kept["log"] + 1
        self._state_writer = StateWriter(self.backend, state, last_log) if state else None
        self._page = Page(self.backend)
        self._oauth = OAuth(self.backend, clients or {})
        self._runner = web.AppRunner(
            self._app(), access_log=None, shutdown_timeout=STOP_SECONDS, handle_signals=False
        )
        self._keeping: asyncio.Task[None] | None = None
        self.url = ""

    @property
    def api_url(self) -> str:
        return self.url + API

    @property
    def gateway_url(self) -> str:
        return self.backend.gateway.url

    async def start(self) -> None:
        try:
            await self._runner.setup()
            await web.TCPSite(self._runner, self._host, self._port).start()
            # The file is opened only once the port is ours: another server may still use it.
            if self._state_writer:
                self._state_writer.open()
        except (OSError, StateError):
            await self._runner.cleanup()
            raise
        port = self._runner.addresses[0][1]
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.url = self.backend.files.url = f"http://{shown}:{port}"
        self.backend.gateway.url = f"ws://{shown}:{port}/gateway"
        if self._state_writer:
            self._keeping = asyncio.create_task(self._state_writer.run())

    async def stop(self) -> None:
        self.backend.stopping.set()
        self.backend.faults.take_back()
        self._page.close()
        self.backend.connections.close()
        await self._runner.cleanup()
        if self._keeping:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if self._state_writer:
            self._state_writer.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[local_only])
        backend = self.backend
        messages = MessageRoutes(backend)
        guilds, interactions = GuildRoutes(backend), InteractionRoutes(backend)
        self._oauth.add_to(app)  # before the API, which answers for all other paths below it
        Api(backend).add_to(app, [*messages.routes(), *guilds.routes(), *interactions.routes()])
        app.router.add_get("/gateway", backend.connections.serve)
        app.router.add_get("/gateway/", backend.connections.serve)
        Control(backend, self._forget).add_to(app)
        People(backend).add_to(app)
        backend.files.add_to(app)
        self._page.add_to(app)
        return app

    def _forget(self) -> None:
        """Reset faults, limits and counts; guilds and messages stay."""
        self.backend.faults.take_back()
        self.backend.limits.forget()
        self.backend.journal.forget()
        self.backend.gateway.is_refusing = False
        self.backend.gateway.is_echo_muted = False
