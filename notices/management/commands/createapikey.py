"""Makes a frontend's key without the admin."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, no_translations
from django.db import transaction

from notices import actions
from notices.ids import read_id
from notices.models import ApiKey, Study
from notices.outside import clock
from notices.tables.limits import validate_not_blank
from notices.text import composed

OVERLAP_HOURS = 24


class Command(BaseCommand):
    help = "Create an API key and print it, once: only its hash is kept."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="whose key it is, as the admin lists it")
        parser.add_argument(
            "--study",
            nargs="+",
            action="extend",
            default=[],
            metavar="ID",
            help="the studies it is good for; without it, every study",
        )
        parser.add_argument("--read-only", action="store_true", help="it may write nothing")
        parser.add_argument(
            "--may-ping", action="store_true", help="its notices may ping @everyone, @here, roles"
        )
        parser.add_argument(
            "--people", action="store_true", help="it may see and change who is on a roster"
        )
        parser.add_argument(
            "--days", type=_whole, metavar="N", help="it is good for so long; without it, for ever"
        )
        parser.add_argument(
            "--rotate",
            metavar="PREFIX",
            help="make a successor, with the same rights, of the key that begins with PREFIX",
        )
        parser.add_argument(
            "--overlap",
            type=_whole,
            default=OVERLAP_HOURS,
            metavar="HOURS",
            help="with --rotate: for how long the old key is still good (%(default)s)",
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(self._rotate(options) if options["rotate"] else self._create(options))

    def _create(self, options: dict[str, Any]) -> str:
        name = _checked_name(options["name"] or "")
        studies = [_find_study(text) for text in options["study"]]
        with transaction.atomic():
            api_key = ApiKey(
                name=name,
                all_studies=not studies,
                read_only=options["read_only"],
                may_ping=options["may_ping"],
                may_see_people=options["people"],
            )
            if options["days"] is not None:
                api_key.expiry_date = clock.now() + timedelta(days=options["days"])
            key = ApiKey.objects.assign_key(api_key)
            api_key.save()
            api_key.studies.set(studies)
        if not studies:
            self.stderr.write("This key is good for every study; --study ID limits it.")
        return key

    def _rotate(self, options: dict[str, Any]) -> str:
        given = ("name", "study", "read_only", "may_ping", "people", "days")
        if any(options[name] for name in given):
            raise CommandError("--rotate keeps name, studies, rights and life: give it alone")
        old = _find_key(options["rotate"])
        _successor, key = actions.rotate(old, timedelta(hours=options["overlap"]))
        self.stderr.write(f"The old key of {old.name} is good until {old.expiry_date:%F %T %Z}.")
        return key


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise argparse.ArgumentTypeError(f"{text!r} is no number; write one such as 24")
    return int(text)


def _find_key(text: str) -> ApiKey:
    # The whole key is accepted too.
    key = ApiKey.objects.get_usable_keys().filter(prefix=text.partition(".")[0]).first()
    if not isinstance(key, ApiKey):
        raise CommandError(
            f"--rotate {text.partition('.')[0]!r} is not the beginning of a key that is in use; "
            "the admin lists them under API keys"
        )
    return key


def _checked_name(name: str) -> str:
    try:
        name = composed(name).strip()
        validate_not_blank(name)
        return str(ApiKey._meta.get_field("name").clean(name, None))
    except ValidationError as error:
        raise CommandError(f"name {name!r}: {' '.join(error.messages)}") from error


def _find_study(text: str) -> Study:
    study = Study.objects.filter(pk=read_id(text) or 0).first()
    if study is None:
        known = ", ".join(f"{study.pk} ({study})" for study in Study.objects.all()[:20])
        raise CommandError(
            f"--study {text!r} is not known; "
            + (f"the studies are {known}" if known else "set one up first by manage.py addstudy")
        )
    return study
