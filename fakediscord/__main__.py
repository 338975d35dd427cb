"""Runs fakediscord: `python -m fakediscord --port 8001`."""

import argparse
import asyncio
import errno
import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fakediscord.keeping import StateError
from fakediscord.layout import DEFAULT_LAYOUT, LayoutError
from fakediscord.server import FakeDiscord
from fakediscord.settings import Settings

USAGE_ERROR = 2
DEMO_TOKEN = "demo"  # noqa: S105 (it opens nothing but this)
# All messages are kept, so looking for garbage among them costs a tenth and finds none.
ALLOCATIONS_BETWEEN_COLLECTIONS = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS)
    try:
        fake = FakeDiscord(
            host=options.host,
            port=options.port,
            layout=options.layout,
            state=options.state,
            tokens=_tokens(options),
            settings=_settings(options),
            clients=_clients(options),
        )
        asyncio.run(_serve(fake))
    except (ValueError, LayoutError, StateError) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(_why_not(error, options.host, options.port))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fakediscord", description="A local Discord.")
    parser.add_argument("--host", default="127.0.0.1", help="an address of this machine alone")
    parser.add_argument("--port", type=int, default=8001, help="0 takes a free one")
    parser.add_argument("--layout", type=Path, default=DEFAULT_LAYOUT, metavar="FILE.json")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keeps it all across restarts")
    parser.add_argument(
        "--token",
        action="append",
        help=f"the only one that is let in; unless given, BOT_TOKEN's value, or {DEMO_TOKEN!r}",
    )
    parser.add_argument("--any-token", action="store_true", help="lets every one in")
    parser.add_argument(
        "--client",
        action="append",
        type=_client,
        metavar="ID:SECRET",
        help="an application by which people may log in; unless given, DISCORD_CLIENT_ID's and "
        "DISCORD_CLIENT_SECRET's values",
    )
    parser.add_argument("--latency", type=float, metavar="SECONDS")
    parser.add_argument("--jitter", type=float, metavar="SECONDS")
    parser.add_argument("--global-rate", type=int, metavar="PER_SECOND", help="0 lifts the limit")
    parser.add_argument("--no-limits", action="store_true", help="lifts every limit")
    return parser


def _tokens(options: argparse.Namespace) -> Sequence[str]:
    """Return the tokens that may come in; none means every token."""
    return () if options.any_token else options.token or [os.environ.get("BOT_TOKEN") or DEMO_TOKEN]


def _client(given: str) -> tuple[str, str]:
    client_id, _, secret = given.partition(":")
    if not client_id or not secret:
        raise argparse.ArgumentTypeError("write ID:SECRET")
    return client_id, secret


def _clients(options: argparse.Namespace) -> dict[str, str]:
    if options.client:
        return dict(options.client)
    named = (os.environ.get("DISCORD_CLIENT_ID"), os.environ.get("DISCORD_CLIENT_SECRET"))
    return {named[0]: named[1]} if named[0] and named[1] else {}


def _settings(options: argparse.Namespace) -> Settings:
    changes: dict[str, Any] = {}
    if options.no_limits:
        changes |= dict.fromkeys(("global_rate", "bucket_limit", "crosspost_limit"))
        changes |= dict.fromkeys(("other_limit", "invalid_limit", "old_message_edits"))
    for name in ("latency", "jitter"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    if options.global_rate is not None:
        changes["global_rate"] = options.global_rate or None
    settings = Settings()
    settings.change(changes)
    return settings


async def _serve(fake: FakeDiscord) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with fake:
        print(f"fakediscord listening on {fake.url}", flush=True)  # noqa: T201
        await stop.wait()


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; stop what uses it, or choose another --port"
    return f"cannot listen on {host}:{port}: {error.strerror}"


def _refuse(reason: str) -> int:
    sys.stderr.write(f"fakediscord: {reason}\n")
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
