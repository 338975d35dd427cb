"""Puts people on a study's roster without the desk."""

import argparse
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, no_translations

from notices.management.arguments import find_study
from notices.models import Membership
from notices.outside import clock
from notices.people import roster


class Command(BaseCommand):
    help = "Put people on the roster of a study; print who was new, came back, or was known."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("study", metavar="STUDY_ID")
        parser.add_argument(
            "ids",
            nargs="+",
            metavar="DISCORD_ID",
            help="a person's id: in Discord, with developer mode on, “Copy User ID”",
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["study"])
        ids = _read_all(options["ids"])
        added = roster.add(study, ids, Membership.Way.ADDED, clock.now())
        for kind, found in added._asdict().items():
            self.stdout.write(" ".join([f"{kind}:", *map(str, found or ["nobody"])]))


def _read_all(texts: list[str]) -> list[int]:
    """Read all ids, or name every wrong one: nobody is added then."""
    ids, wrong = [], []
    for text in texts:
        try:
            ids.append(roster.read_discord_id(text))
        except ValidationError as error:
            wrong.append(f"DISCORD_ID {text!r}: {error.messages[0]}")
    if wrong:
        raise CommandError("\n".join([*wrong, "Nobody was added."]))
    return ids
