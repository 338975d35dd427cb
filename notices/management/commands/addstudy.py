"""Sets a study up without the admin."""

import argparse
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, no_translations
from django.db import transaction

from notices.advice.channel import never_show
from notices.ids import read_id
from notices.models import Channel, Study
from notices.tables.limits import default_time_zone
from notices.text import composed


class Command(BaseCommand):
    help = "Create a study, connect its channels, name its leaders; print the study's id."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--channel",
            nargs="+",
            action="extend",
            required=True,
            metavar="ID",
            help="a channel's id: in Discord, with developer mode on, “Copy Channel ID”",
        )
        parser.add_argument("--leader", nargs="+", action="extend", default=[], metavar="USERNAME")
        parser.add_argument("--language", choices=Study.Language.values, default="ko")
        parser.add_argument("--time-zone", default=default_time_zone(), help="such as Asia/Seoul")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        study = Study(
            name=composed(options["name"]).strip(),
            language=options["language"],
            time_zone=options["time_zone"],
        )
        with transaction.atomic():
            _save(study)
            study.accounts.set(_find_leaders(options["leader"]))  # a role's default is to lead
            study.channels.set(_find_or_create_channels(options["channel"]))
        self.stdout.write(str(study.pk))


def _save(study: Study) -> None:
    try:
        study.full_clean()
    except ValidationError as error:
        told = "; ".join(
            f"{field} {getattr(study, field)!r}: {' '.join(messages)}"
            for field, messages in error.message_dict.items()
        )
        raise CommandError(told) from error
    study.save()


def _find_leaders(names: list[str]) -> list[User]:
    names = [User.normalize_username(name) for name in names]
    users = {user.get_username(): user for user in User.objects.filter(username__in=names)}
    for name in names:
        if name not in users:
            raise CommandError(
                f"--leader {name!r} is not known; "
                "let a site admin make the account first, under Users in the admin"
            )
    return list(users.values())


def _find_or_create_channels(texts: list[str]) -> list[Channel]:
    channels = []
    for text in texts:
        channel_id = read_id(text)
        if channel_id is None:
            raise CommandError(
                f"--channel {text!r} is not a channel's id; "
                "copy it in Discord, with developer mode on, by “Copy Channel ID”"
            )
        # The bot fills in the names once it sees the channel.
        channels.append(Channel.objects.get_or_create(pk=channel_id)[0])
    for pk, why in never_show(channels).items():
        raise CommandError(f"--channel {pk}: {why}")
    return channels
