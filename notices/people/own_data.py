"""What is kept about a reader: she may see it, take it along and delete it (PIPA, 35 and 36)."""

from contextlib import suppress
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from notices.models import Person
from notices.people import discord_accounts, public_address


def privacy_line() -> str:
    """Say what is kept, and where all of it is told."""
    said = _("Your Discord id and name are kept for the study's roster; /mydata deletes them.")
    with suppress(public_address.UnknownAddressError):
        said += " " + public_address.of_path(reverse("privacy"))
    return said


def kept_of(discord_id: int) -> dict[str, Any] | None:
    """Return all that is kept as JSON takes it, with days and no times; None if it is nothing."""
    person = Person.objects.filter(discord_id=discord_id).select_related("user").first()
    if person is None:
        return None
    memberships = person.memberships.select_related("study").order_by("since", "pk")
    return {
        "discord_id": str(person.discord_id),
        "name": person.name,
        "language": person.language,
        "account": person.user and person.user.get_username(),
        "memberships": [
            {
                "study": one.study.name,
                "since": one.since.date().isoformat(),
                "until": one.until and one.until.date().isoformat(),
                "way": one.way,
                "sight": one.sight,
            }
            for one in memberships
        ],
    }


def erase(discord_id: int) -> bool:
    """Delete all of it, and the link to a login. Return whether there was anything."""
    with transaction.atomic():
        person, _by_table = Person.objects.filter(discord_id=discord_id).delete()
        link, _by_table = discord_accounts.of_number(discord_id).delete()
    return bool(person or link)
