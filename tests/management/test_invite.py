"""manage.py invite: a link from one line, or nothing."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from notices.models import Invitation, Study, StudyRole
from notices.people import invitations

SITE = "https://notices.example.org"


def invite(*arguments: str) -> str:
    printed = StringIO()
    call_command("invite", *arguments, stdout=printed)
    return printed.getvalue()


@pytest.fixture(autouse=True)
def _public(settings: Any) -> None:
    settings.PUBLIC_URL = SITE


def secret_of(printed: str) -> str:
    assert printed.startswith(f"{SITE}/invitation/")
    assert printed.endswith("/\n")
    return printed.removeprefix(f"{SITE}/invitation/").removesuffix("/\n")


def test_it_prints_the_link_alone_and_the_link_lets_in(study: Study, stranger: User) -> None:
    secret = secret_of(invite(str(study.pk), "--role", "leader"))
    made = Invitation.objects.get()
    assert (made.is_single_use, made.expires_at, made.created_by) == (True, None, None)
    invitations.accept(secret, stranger)
    assert StudyRole.objects.get(user=stranger).role == "leader"


def test_one_for_many_ends_with_its_day(study: Study) -> None:
    last = invitations.may_last_until(study)
    invite(str(study.pk), "--role", "viewer", "--until", last.isoformat(), "--many")
    made = Invitation.objects.get()
    assert not made.is_single_use
    assert made.expires_at == invitations.last_moment(last, study)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["999", "--role", "leader"], "STUDY_ID '999' is not known; the studies are"),
        (["x", "--role", "leader"], "STUDY_ID 'x' is not known"),
        (["STUDY", "--role", "boss"], "boss"),
        (["STUDY"], "--role"),
        (["STUDY", "--role", "leader", "--until", "soon"], "--until 'soon' is no day"),
        (["STUDY", "--role", "leader", "--until", "2020-01-01"], "write a day from"),
        (["STUDY", "--role", "leader", "--until", "9999-12-31"], "write a day from"),
        (["STUDY", "--role", "leader", "--many"], "say until when by --until"),
    ],
)
def test_it_names_a_bad_argument_and_makes_nothing(
    study: Study, arguments: list[str], told: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        invite(*(str(study.pk) if one == "STUDY" else one for one in arguments))
    assert told in str(refusal.value)
    assert not Invitation.objects.exists()


# --- where the link begins ---------------------------------------------------------------


def test_without_an_address_it_says_how_to_set_one(study: Study, settings: Any) -> None:
    settings.PUBLIC_URL, settings.BOT_API_HOST = "", "192.0.2.1"
    with pytest.raises(CommandError) as refusal:
        invite(str(study.pk), "--role", "leader")
    assert "PUBLIC_URL is not set: set it to" in str(refusal.value)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("changes", "site"),
    [
        ({"BOT_API_HOST": "127.0.0.1", "BOT_API_PORT": 8010}, "http://127.0.0.1:8010"),
        ({"BOT_API_HOST": "::1", "BOT_API_PORT": 8010}, "http://[::1]:8010"),
        (
            {"BEHIND_TLS_PROXY": True, "ALLOWED_HOSTS": [".example.org", "notices.example.org"]},
            "https://notices.example.org",
        ),
    ],
)
def test_the_address_is_known_by_other_settings_mostly(
    study: Study, settings: Any, changes: dict[str, Any], site: str
) -> None:
    settings.PUBLIC_URL = ""
    for name, value in changes.items():
        setattr(settings, name, value)
    assert invite(str(study.pk), "--role", "leader").startswith(f"{site}/invitation/")
