"""The link by which the first site admin of a new installation comes in, without a terminal."""

import logging
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.db import transaction
from django.urls import reverse

from notices.people import public_address
from notices.people.public_address import UnknownAddressError

GOOD_FOR = timedelta(days=1)
SALT = "notices.people.first_admin"

log = logging.getLogger("studybot.start")


class FirstAdminOverError(Exception):
    """The link is forged or too old, or there is a site admin."""


def is_wanted() -> bool:
    return not User.objects.filter(is_superuser=True, is_active=True).exists()


def new_token() -> str:
    return signing.dumps(_site_admins(), salt=SALT)


def is_good(token: str) -> bool:
    try:
        counted = signing.loads(token, salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        return False
    return is_wanted() and counted == _site_admins()


def _site_admins() -> int:
    """Count those that are switched off too: with each, the links of before are over for good."""
    return User.objects.filter(is_superuser=True).count()


def make(token: str, user: User) -> None:
    """Save the new account as a site admin's. Raises FirstAdminOverError."""
    with transaction.atomic():
        # There may be no account to lock yet: a row that every database has stands for them.
        ContentType.objects.select_for_update().get(app_label="auth", model="user")
        if not is_good(token):
            raise FirstAdminOverError
        user.is_superuser = True
        user.save()


def link() -> str:
    """Return a link for whoever runs the site, or "" if there is a site admin already."""
    if not is_wanted():
        return ""
    path = reverse("first_admin", args=[new_token()])
    try:
        return public_address.of_path(path)
    except UnknownAddressError:  # the operator knows the address that she has just set up
        return f"http://{settings.BOT_API_HOST}:{settings.BOT_API_PORT}{path}"


def say() -> None:
    if found := link():
        log.warning(
            "There is no site admin yet. Open this link within a day, and choose a name and a "
            "password; whoever has it can: %s",
            found,
        )
