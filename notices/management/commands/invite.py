"""Makes an invitation without the desk, as for the first leader of a study."""

import argparse
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations
from django.db import transaction
from django.urls import reverse

from notices.management.arguments import find_study
from notices.models import Study, StudyRole
from notices.people import invitations, public_address
from notices.people.public_address import UnknownAddressError


class Command(BaseCommand):
    help = "Make an invitation to a study and print its link, once: only a hash is kept."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("study", metavar="STUDY_ID", help="as addstudy has printed it")
        parser.add_argument("--role", choices=StudyRole.Role.values, required=True)
        parser.add_argument(
            "--until",
            metavar="YYYY-MM-DD",
            help="its last day, where the study is; 30 days at most",
        )
        parser.add_argument(
            "--many", action="store_true", help="for as many as come until that day; else for one"
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["study"])
        until = _checked_day(options["until"], study) if options["until"] else None
        if options["many"] and until is None:
            raise CommandError("--many lets in whoever has the link: say until when by --until.")
        with transaction.atomic():
            _made, secret = invitations.make(
                study,
                options["role"],
                by=None,
                is_single_use=not options["many"],
                expires_at=invitations.last_moment(until, study) if until else None,
            )
            link = _link(secret)
        self.stdout.write(link)


def _checked_day(text: str, study: Study) -> date:
    first, last = invitations.today_in(study), invitations.may_last_until(study)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--until {text!r} is no day; write one such as {last}") from None
    if not first <= day <= last:
        raise CommandError(f"--until {text!r} cannot be; write a day from {first} to {last}")
    return day


def _link(secret: str) -> str:
    try:
        return public_address.of_path(reverse("invitation", args=[secret]))
    except UnknownAddressError as error:
        raise CommandError(str(error)) from error
