"""Reads what the commands are given, and refuses it with its value and a remedy."""

from django.core.management.base import CommandError

from notices.ids import read_id
from notices.models import Study

MOST_NAMED = 20


def find_study(text: str) -> Study:
    study = Study.objects.filter(pk=read_id(text) or 0).first()
    if study is None:
        known = ", ".join(f"{study.pk} ({study})" for study in Study.objects.all()[:MOST_NAMED])
        raise CommandError(
            f"STUDY_ID {text!r} is not known; "
            + (f"the studies are {known}" if known else "set one up first by manage.py addstudy")
        )
    return study
