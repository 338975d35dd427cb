"""Runs the bot process."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from notices.bot.standby import NoSeatError, refuse_pooled_transactions
from notices.discord_worker import FatalError, Options, run_bot
from notices.upkeep.migrations_applied import refuse_unapplied_migrations


class Command(BaseCommand):
    help = "Run the Discord bot: it shows the notices and writes back what became of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shard-ids", help="the shards of this bot, such as 0,1")
        parser.add_argument("--shard-count", type=int, help="how many shards there are in all")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BOT_TOKEN:
            raise CommandError(
                "BOT_TOKEN is not set. Make an application at "
                "https://discord.com/developers/applications, open Bot, press Reset Token, and "
                "set BOT_TOKEN to what it shows (README.md goes through it step by step)."
            )
        try:
            refuse_pooled_transactions()
            refuse_unapplied_migrations()
            run_bot(
                Options(
                    token=settings.BOT_TOKEN,
                    shard_ids=_shard_ids(options["shard_ids"], options["shard_count"]),
                    shard_count=options["shard_count"],
                )
            )
        except (FatalError, NoSeatError) as error:
            raise CommandError(str(error)) from error


def _shard_ids(text: str | None, count: int | None) -> tuple[int, ...] | None:
    if text is None:
        return tuple(range(count)) if count else None
    try:
        ids = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise CommandError(f"--shard-ids {text} is not a list of numbers such as 0,1.") from None
    if not count or not ids or ids[0] < 0 or ids[-1] >= count:
        raise CommandError(f"--shard-ids {text} needs --shard-count, and each id must be below it.")
    return ids
