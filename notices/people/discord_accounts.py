"""The Discord accounts by which people log in: whose each is, and how one becomes a login."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.db.models import BigIntegerField, QuerySet

from notices.models import Person
from notices.tables.person import PERSON_NAME_LIMIT
from notices.text import NOT_STORABLE, composed, is_blank

PROVIDER = "discord"
_SNOWFLAKE = re.compile(r"[1-9][0-9]{0,18}")
# What Django's user names may not have.
_NOT_IN_LOGIN_NAMES = re.compile(r"[^\w.@+-]", re.ASCII)
_LOGIN_NAME_LIMIT = 100


class NoProfileError(Exception):
    """What Discord said names nobody."""


@dataclass(frozen=True)
class Profile:
    """What Discord tells of whoever logs in, by the scope `identify`."""

    id: int
    username: str
    name: str


def read_profile(told: dict[str, Any]) -> Profile:
    """Raise NoProfileError unless it is a user as Discord writes one."""
    user_id, username = told.get("id"), _text(told.get("username"))
    if not isinstance(user_id, str) or not _SNOWFLAKE.fullmatch(user_id) or not username:
        raise NoProfileError
    if int(user_id) > BigIntegerField.MAX_BIGINT:
        raise NoProfileError
    # Who has chosen no name to be shown by has null.
    return Profile(int(user_id), username, _text(told.get("global_name")) or username)


def _text(told: object) -> str:
    if not isinstance(told, str):
        return ""
    text = composed(NOT_STORABLE.sub("", told))[:PERSON_NAME_LIMIT].strip()
    return "" if is_blank(text) else text


def profile_of(account: SocialAccount) -> Profile:
    """Return what was told last; of an account that never logged in, the number alone."""
    told = {"username": account.uid, "name": account.uid} | account.extra_data
    return Profile(int(account.uid), told["username"], told["name"])


def linked_to(user: User) -> QuerySet[SocialAccount]:
    accounts: QuerySet[SocialAccount] = SocialAccount.objects.filter(provider=PROVIDER, user=user)
    return accounts


def of_number(discord_id: int) -> QuerySet[SocialAccount]:
    """Return the link of this Discord account, if there is one."""
    accounts: QuerySet[SocialAccount] = SocialAccount.objects.filter(
        provider=PROVIDER, uid=str(discord_id)
    )
    return accounts


def make_login(profile: Profile) -> User:
    """Make an account without a password."""
    user = User(username=_free_login_name(profile.username), first_name=profile.name)
    user.set_unusable_password()
    user.save()
    return user


def _free_login_name(username: str) -> str:
    """Return a name that differs from each other one in more than small and capital letters."""
    return next(
        name
        for name in _login_names(username)
        if not User.objects.filter(username__iexact=name).exists()
    )


def _login_names(username: str) -> Iterator[str]:
    name = _NOT_IN_LOGIN_NAMES.sub("", username)[:_LOGIN_NAME_LIMIT] or PROVIDER
    yield name
    yield from (f"{name}-{n}" for n in count(2))


def remember(profile: Profile, user: User, language: str) -> None:
    """Let the person of this Discord account be `user`, who has linked it."""
    # A person has one account: one that was hers by another Discord account is so no more.
    Person.objects.filter(user=user).exclude(discord_id=profile.id).update(user=None)
    hers = {"name": profile.name, "user": user}
    person, is_new = Person.objects.get_or_create(
        discord_id=profile.id, defaults=hers | {"language": language}
    )
    if not is_new:
        Person.objects.filter(pk=person.pk).update(**hers, language=person.language or language)


def forget(user: User) -> None:
    """Unlink her Discord accounts. The persons stay, as they may be on rosters."""
    linked_to(user).delete()
    Person.objects.filter(user=user).update(user=None)
