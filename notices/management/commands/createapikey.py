"""Make a frontend's key without the admin."""

import argparse
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, no_translations
from django.db import transaction

from notices.api.fields import read_id
from notices.models import ApiKey, Study


class Command(BaseCommand):
    help = "Create an API key and print it, once: only its hash is kept."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="whose key it is, as the admin lists it")
        parser.add_argument(
            "--study",
            nargs="+",
            action="extend",
            default=[],
            metavar="ID",
            help="the studies it is good for; without it, every study",
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        name = _checked_name(options["name"])
        studies = [_find_study(text) for text in options["study"]]
        with transaction.atomic():
            api_key = ApiKey(name=name, all_studies=not studies)
            key = ApiKey.objects.assign_key(api_key)
            api_key.save()
            api_key.studies.set(studies)
        if not studies:
            self.stderr.write("This key is good for every study; --study ID limits it.")
        self.stdout.write(key)


def _checked_name(name: str) -> str:
    try:
        return str(ApiKey._meta.get_field("name").clean(name.strip(), None))
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
