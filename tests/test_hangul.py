"""Hangul as people type it: in syllables or, on a Mac, in pieces; and letters that nobody sees."""

import unicodedata
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection

from notices import migrations
from notices.bot.discord_channels import as_name
from notices.files.uploads import clean_name
from notices.models import ApiKey, Channel, Notice, Role, Study
from notices.text import composed, is_blank

TITLE = "모집 안내"
BLANKS = [
    "", " \n\t", "\u3164", "\u200b", "\u2800", "\u115f\u1160", "\ufeff", "\u2060\u00ad", "\uffa0",
    "\u3164 \u200b\u2800", "\u202e\u200f", "\x7f", "\ufe0f", "\u034f", "\U000e0001", "\u180e",
]  # fmt: skip
SEEN = ["가", "ㅋ", "\u1100", ".", "😀", "\u200b1", "🇰🇷", "\u0301a", "、", "\u00b7"]


def in_pieces(text: str) -> str:
    pieces = unicodedata.normalize("NFD", text)
    assert pieces != text
    return pieces


@pytest.mark.parametrize("text", BLANKS)
def test_an_invisible_text_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", SEEN)
def test_a_visible_text_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_a_syllable_is_composed_and_what_has_no_syllable_stays() -> None:
    assert composed(in_pieces(TITLE)) == TITLE
    assert composed("ㄱㄴ") == "ㄱㄴ"  # the letters of a keyboard are none of a syllable's


@pytest.mark.django_db
def test_commands_compose_names_and_refuse_blank_ones(leader: User) -> None:
    who = User.objects.create_user("민지")
    told = StringIO()
    call_command(
        "addstudy",
        in_pieces("알고리즘"),
        "--channel",
        "11",
        "--leader",
        in_pieces("민지"),
        stdout=told,
    )
    study = Study.objects.get(pk=told.getvalue().strip())
    assert (study.name, study.accounts.get()) == ("알고리즘", who)

    call_command("createapikey", in_pieces("누리집"), stdout=StringIO(), stderr=StringIO())
    assert ApiKey.objects.get().name == "누리집"
    for command in (("addstudy", "\u3164", "--channel", "11"), ("createapikey", "\u200b")):
        with pytest.raises(CommandError):
            call_command(*command, stdout=StringIO(), stderr=StringIO())


def test_names_of_discord_and_of_files_are_composed() -> None:
    assert as_name(in_pieces("공지")) == "공지"
    assert as_name(in_pieces("각" * 100)) == "각" * 100
    assert clean_name(in_pieces("자료.pdf")) == "자료.pdf"
    assert clean_name("\u3164.pdf") == "file.pdf"


@pytest.mark.django_db
def test_a_study_needs_a_visible_name() -> None:
    with pytest.raises(ValidationError):
        Study(name="\u115f").full_clean()


def test_the_migration_composes_texts_saved_in_pieces(study: Study, leader: User) -> None:
    content = in_pieces("가나다")
    Notice.objects.create(study=study, title=in_pieces(TITLE), content=content)
    longer = Notice.objects.create(study=study, title="\u0958" * 256, content="क")
    Channel.objects.create(id=5, name=in_pieces("공지"), guild_name=in_pieces("서버"))
    Role.objects.create(id=6, guild_id=7, guild_name=in_pieces("서버"), name=in_pieces("모두"))
    User.objects.bulk_create([User(username=in_pieces("서연")), User(username="서연")])
    before = Notice.objects.earliest("pk").revision

    [path] = Path(str(migrations.__path__[0])).glob("*_composed_texts.py")
    migration = import_module(f"notices.migrations.{path.stem}")
    migration.compose(apps, connection.schema_editor())

    notice = Notice.objects.earliest("pk")
    assert (notice.title, notice.content, notice.revision) == (TITLE, "가나다", before)
    assert str(Channel.objects.get(pk=5)) == "#공지 (서버)"
    assert str(Role.objects.get(pk=6)) == "@모두"
    longer.refresh_from_db()
    assert longer.title == "\u0958" * 256
    assert User.objects.filter(username__in=["서연", in_pieces("서연")]).count() == 2
