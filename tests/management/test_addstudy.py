"""manage.py addstudy: a whole study from one line, or nothing."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from notices.models import Channel, Study


def addstudy(*arguments: str) -> str:
    printed = StringIO()
    call_command("addstudy", *arguments, stdout=printed)
    return printed.getvalue()


@pytest.mark.django_db
def test_it_prints_the_id_alone() -> None:
    printed = addstudy("독서 모임", "--channel", "1100000000000000031")

    assert printed == f"{Study.objects.get().pk}\n"


def test_it_connects_channels_known_and_new(channel: Channel) -> None:
    addstudy("독서 모임", "--channel", str(channel.pk), "--channel", "41", "42")

    assert set(Study.objects.get().channels.values_list("pk", flat=True)) == {channel.pk, 41, 42}
    channel.refresh_from_db()
    assert channel.name == "공지"


def test_it_names_the_leaders(leader: User, other_leader: User) -> None:
    addstudy("독서 모임", "--channel", "41", "--leader", "minji", "--leader", "junho")

    assert set(Study.objects.get().accounts.all()) == {leader, other_leader}


@pytest.mark.django_db
def test_it_sets_language_and_time_zone() -> None:
    addstudy("Book club", "--channel", "41", "--language", "en", "--time-zone", "Europe/London")

    study = Study.objects.get()
    assert (study.language, study.time_zone) == ("en", "Europe/London")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["n", "--channel", "41", "general"], "--channel 'general' is not a channel's id"),
        (["n", "--channel", "１２"], "--channel '１２'"),
        (["n", "--channel", "0"], "--channel '0'"),
        (["n", "--channel", "9" * 19], "--channel '999"),
        (["n", "--channel", "41", "--leader", "nobody"], "--leader 'nobody' is not known"),
        (["n", "--channel", "41", "--time-zone", "Mars"], "time_zone 'Mars'"),
        (["n", "--channel", "41", "--language", "fr"], "'fr'"),
        ([" ", "--channel", "41"], "name ''"),
        (["n" * 101, "--channel", "41"], "name 'nnn"),
        (["n"], "--channel"),
    ],
)
def test_it_names_a_bad_argument_and_makes_nothing(arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError) as refusal:
        addstudy(*arguments)

    assert told in str(refusal.value)
    assert not Study.objects.exists()
    assert not Channel.objects.exists()
