"""Prepares what `make run` shows without a bot token."""

from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from demo import banner, laying_out
from demo.saved_logins import SavedLogins

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Command(BaseCommand):
    help = "Lay the demo out in a database without people, and open its logins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--close", action="store_true", help="close the demo's logins")
        parser.add_argument(
            "--say",
            choices=["demo", "discord"],
            help="wait until all answers, then say where to look and how to come in",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["say"]:
            banner.say(shows_demo=options["say"] == "demo")
            return
        if options["close"]:
            laying_out.close_logins()
            return
        _refuse_outside_development()
        path = settings.VAR_DIR / "demo.json"
        kept = SavedLogins.read_or_make(path)
        if not User.objects.exists():
            laying_out.lay_out()
        if laying_out.is_laid_out():
            laying_out.open_logins(kept)
        else:
            kept.api_key = ""
        kept.write(path)


def _refuse_outside_development() -> None:
    if not settings.DEBUG:
        raise CommandError("DEBUG=0: the demo's logins are for development; set DEBUG=1.")
    host = urlsplit(settings.DISCORD_API_URL).hostname
    if host not in _LOOPBACK:
        raise CommandError(
            f"DISCORD_API_URL={settings.DISCORD_API_URL} is not on this machine: the demo is shown "
            "by fakediscord; set DISCORD_API_URL=http://127.0.0.1:8001/api/v10."
        )
