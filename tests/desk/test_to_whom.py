"""The form shows each channel's troubles, and asks a second time before a large ping."""

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notices.advice.permissions import EMBED_LINKS, MENTION_EVERYONE, READ_MESSAGE_HISTORY
from notices.models import Channel, Delivery, Notice, Study
from tests.roles import (
    EVERYTHING,
    GUILD,
    MEMBERS_ROLE,
    OTHER_GUILD,
    OTHER_ROLE,
    make_everyone,
    make_role,
    see,
)

ADD = "/admin/notices/notice/add/"
REACH = "/admin/notices/notice/reach/"
ENGLISH = {"Accept-Language": "en"}
TOMORROW = "2030-01-01T09:00"


def change(notice: Notice) -> str:
    return f"/admin/notices/notice/{notice.pk}/change/"


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def question(answer: Any) -> Any:
    """The question of a page that has saved nothing yet."""
    assert answer.status_code == 200
    asked = answer.context["adminform"].form.question
    assert asked is not None
    return asked


def write(desk: Client, form: dict[str, Any], url: str = ADD, **sent: Any) -> Any:
    return desk.post(url, form | sent, headers=ENGLISH)


# --- what is wrong in a channel --------------------------------------------------------------


def test_the_form_shows_a_problem_beside_its_channel_before_saving(
    desk: Client, channel: Channel, second_channel: Channel
) -> None:
    see(channel)
    see(second_channel, EVERYTHING & ~EMBED_LINKS)
    page = text(desk.get(ADD, headers=ENGLISH))
    [box] = [label for label in re.findall(r"<label.*?</label>", page, re.S) if "Embed" in label]
    assert f'value="{second_channel.pk}"' in box
    assert "The bot may not embed links in #과제: Channel settings → Permissions" in box


def test_problems_of_the_channels_are_repeated_after_publishing(
    desk: Client, form: dict[str, Any], channel: Channel
) -> None:
    see(channel, EVERYTHING & ~(READ_MESSAGE_HISTORY | MENTION_EVERYONE))
    make_everyone(3)
    sent = form | {"ping": "everyone", "_publish": "1"}
    asked = question(desk.post(ADD, sent, headers=ENGLISH))
    sent["_publish"] = asked.answer
    answer = desk.post(ADD, sent, follow=True, headers=ENGLISH)
    warnings = [str(one) for one in answer.context["messages"] if one.level_tag == "warning"]
    assert len(warnings) == 2
    assert "read back in #공지" in warnings[0]
    assert "ping in #공지" in warnings[1]


def test_a_channels_name_is_text_and_nothing_else(desk: Client, channel: Channel) -> None:
    Channel.objects.filter(pk=channel.pk).update(name="<img src=x>", permissions=0)
    assert "<img src=x>" not in desk.get(ADD).content.decode()


# --- whom it pings ---------------------------------------------------------------------------


def test_the_form_says_whom_it_pings_as_it_was_saved(desk: Client, study: Study) -> None:
    make_everyone(31)
    draft = Notice.objects.create(study=study, title="초안", content="초안", ping="everyone")
    draft.channels.set(study.channels.all())
    page = text(desk.get(change(draft), headers=ENGLISH))
    assert "Pings @everyone: at most 31 people." in page


def test_the_page_asks_the_server_whom_the_picked_ping_reaches(
    desk: Client, study: Study, channel: Channel
) -> None:
    make_role(member_count=24)
    study.ping_role_id = MEMBERS_ROLE
    study.save()
    picked: Any = {"study": study.pk, "channels": [channel.pk], "ping": "role"}
    assert "Pings @스터디원: about 24 people." in text(desk.get(REACH, picked, headers=ENGLISH))


def test_the_number_of_people_is_not_told_to_another_study(
    desk: Client, study: Study, other_study: Study, other_channel: Channel, stranger: User
) -> None:
    make_everyone(777, OTHER_GUILD)
    asked: Any = {"channels": [other_channel.pk], "ping": "everyone"}
    assert desk.get(REACH, asked | {"study": other_study.pk}).status_code == 404
    assert "777" not in text(desk.get(REACH, asked | {"study": study.pk}))


@pytest.mark.parametrize(
    "asked", [{}, {"study": "x"}, {"study": "9" * 30}, {"study": "1", "ping": "all"}]
)
def test_nonsense_is_answered_with_not_found(desk: Client, asked: dict[str, str]) -> None:
    assert desk.get(REACH, asked).status_code == 404


# --- the second question ---------------------------------------------------------------------


@pytest.fixture
def crowd(study: Study) -> None:
    make_everyone(312)


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    ("button", "more"), [("_publish", {}), ("_schedule", {"publish_at": TOMORROW})]
)
def test_a_large_ping_is_asked_about_and_keeps_what_was_typed(
    desk: Client, form: dict[str, Any], button: str, more: dict[str, str]
) -> None:
    sent = form | more | {"ping": "everyone", "url": "https://a.kr/", button: "1"}
    answer = write(desk, sent)
    assert not Notice.objects.exists()
    asked = question(answer)
    page = text(answer)
    assert "at most 312 people" in page
    assert f'name="{button}" value="{asked.answer}"' in page
    for typed in ("8주차 모임", "목요일 20시", "https://a.kr/", *more.values()):
        assert typed in page
    assert write(desk, sent, **{button: asked.answer}).status_code == 302
    assert Notice.objects.get().ping == "everyone"


@pytest.mark.usefixtures("crowd")
def test_a_confirmation_holds_for_one_ping_alone(
    desk: Client, form: dict[str, Any], study: Study, second_channel: Channel
) -> None:
    asked = question(write(desk, form, ping="here", _publish="1"))
    question(write(desk, form, ping="everyone", _publish=asked.answer))
    more = [*form["channels"], second_channel.pk]
    question(write(desk, form, ping="here", channels=more, _publish=asked.answer))
    assert not Notice.objects.exists()


@pytest.mark.usefixtures("crowd")
def test_a_draft_pings_nobody_and_is_not_asked_about(desk: Client, form: dict[str, Any]) -> None:
    assert write(desk, form, ping="everyone", _draft="1").status_code == 302


def test_a_small_ping_is_not_asked_about(desk: Client, form: dict[str, Any], settings: Any) -> None:
    make_everyone(settings.LARGE_PING - 1)
    assert write(desk, form, ping="everyone", _publish="1").status_code == 302


def test_a_ping_of_unknown_size_is_asked_about(desk: Client, form: dict[str, Any]) -> None:
    answer = write(desk, form, ping="everyone", _publish="1")
    assert "nobody knows how many people" in text(answer)
    assert question(answer).yes == "Yes, ping @everyone"


def test_a_ping_that_nobody_will_hear_is_asked_about(
    desk: Client, form: dict[str, Any], channel: Channel
) -> None:
    see(channel, EVERYTHING & ~MENTION_EVERYONE)
    make_everyone(312)
    sent = form | {"ping": "everyone"}
    answer = write(desk, sent, _publish="1")
    asked = question(answer)
    assert "Publish without a ping?" in text(answer)
    assert "ping in #공지" in text(answer)
    assert not Notice.objects.exists()
    write(desk, sent, _publish=asked.answer)
    assert Notice.objects.get().status == Notice.Status.QUEUED


@pytest.mark.usefixtures("crowd")
def test_a_ping_that_works_in_some_channels_alone_is_asked_about(
    desk: Client, form: dict[str, Any], channel: Channel, second_channel: Channel, settings: Any
) -> None:
    settings.LARGE_PING = 1000
    see(channel)
    see(second_channel, EVERYTHING & ~MENTION_EVERYONE)
    both = [channel.pk, second_channel.pk]
    answer = write(desk, form, ping="everyone", channels=both, _publish="1")
    assert "Publish though not all are pinged?" in text(answer)
    assert question(answer).yes == "Yes, publish"


def test_a_channel_that_the_bot_cannot_write_in_is_not_ticked_beforehand(
    desk: Client, channel: Channel, second_channel: Channel
) -> None:
    see(channel)
    see(second_channel, 0)
    answer = desk.get(ADD)
    assert answer.context["adminform"].form.initial["channels"] == [channel.pk]
    [box] = re.findall(r"<input[^>]*data-troubled[^>]*>", text(answer))
    assert f'value="{second_channel.pk}"' in box


@pytest.mark.usefixtures("crowd")
def test_a_leader_is_not_asked_twice_about_one_ping(desk: Client, form: dict[str, Any]) -> None:
    sent = form | {"ping": "everyone", "publish_at": TOMORROW}
    asked = question(write(desk, sent, _schedule="1"))
    write(desk, sent, _schedule=asked.answer)
    scheduled = Notice.objects.get()
    again = write(desk, sent, change(scheduled), title="고침", _schedule="1")
    assert again.status_code == 302


@pytest.mark.usefixtures("crowd")
def test_an_edit_pings_nobody_but_a_channel_that_is_added_is_asked_about(
    desk: Client, form: dict[str, Any], notice: Notice, channel: Channel, second_channel: Channel
) -> None:
    Notice.objects.filter(pk=notice.pk).update(ping="everyone")
    Delivery.objects.create(
        notice=notice, channel=channel, wanted=1, shown=1, message_id=77, state="sent"
    )
    sent = form | {"ping": "everyone", "_save": "1"}
    assert write(desk, sent, change(notice)).status_code == 302
    both = [channel.pk, second_channel.pk]
    asked = question(write(desk, sent, change(notice), channels=both))
    assert asked.answer == f"everyone:{second_channel.pk}"
    assert write(desk, sent, change(notice), channels=both, _save=asked.answer).status_code == 302
    assert notice.channels.count() == 2


@pytest.mark.usefixtures("crowd")
def test_a_forged_confirmation_does_not_hold_for_another_study(
    desk: Client, form: dict[str, Any], other_study: Study, other_channel: Channel
) -> None:
    forged: Any = {"study": other_study.pk, "channels": [other_channel.pk], "ping": "everyone"}
    answer = write(desk, form, **forged, _publish=f"everyone:{other_channel.pk}")
    assert answer.status_code == 200
    assert not Notice.objects.exists()


# --- the study's role ------------------------------------------------------------------------


def study_page(study: Study) -> str:
    return f"/admin/notices/study/{study.pk}/change/"


def study_form(study: Study, **sent: Any) -> dict[str, Any]:
    return {
        "name": study.name,
        "roles-TOTAL_FORMS": 0,
        "roles-INITIAL_FORMS": 0,
        "channels": [channel.pk for channel in study.channels.all()],
        "colour": "#5865f2",
        "language": "ko",
        "time_zone": "Asia/Seoul",
        "ping_role_id": "",
    } | sent


def test_a_role_is_picked_by_its_name_among_those_of_the_studys_servers(
    admin_desk: Client, study: Study
) -> None:
    make_role(member_count=24)
    make_everyone(31)
    make_role(id=OTHER_ROLE, guild_id=OTHER_GUILD, guild_name="독서", name="회원")
    page = text(admin_desk.get(study_page(study), headers=ENGLISH))
    assert "@스터디원 (알고리즘, 24 people)" in page
    assert "@회원" not in page
    assert f'value="{GUILD}"' not in page  # @everyone has a ping of its own
    admin_desk.post(study_page(study), study_form(study, ping_role_id=MEMBERS_ROLE))
    study.refresh_from_db()
    assert study.ping_role_id == MEMBERS_ROLE


@pytest.mark.parametrize("role", [OTHER_ROLE, GUILD, 5, "x"])
def test_a_role_of_another_server_is_refused(
    admin_desk: Client, study: Study, role: object
) -> None:
    make_role()
    make_everyone(31)
    make_role(id=OTHER_ROLE, guild_id=OTHER_GUILD)
    answer = admin_desk.post(study_page(study), study_form(study, ping_role_id=role))
    assert answer.context["adminform"].form.errors.keys() == {"ping_role_id"}


def test_a_role_that_the_bot_sees_no_longer_is_shown_kept_and_can_be_taken_off(
    admin_desk: Client, study: Study
) -> None:
    study.ping_role_id = MEMBERS_ROLE
    study.save()
    assert "no such role" in text(admin_desk.get(study_page(study), headers=ENGLISH))
    for kept in (MEMBERS_ROLE, None):
        admin_desk.post(study_page(study), study_form(study, ping_role_id=kept or ""))
        study.refresh_from_db()
        assert study.ping_role_id == kept


def test_a_leader_reads_the_roles_name_and_cannot_change_it(desk: Client, study: Study) -> None:
    make_role()
    make_role(id=OTHER_ROLE, name="운영진")
    study.ping_role_id = MEMBERS_ROLE
    study.save()
    assert "@스터디원 (알고리즘)" in text(desk.get(study_page(study)))
    sent = study_form(study, ping_role_id=OTHER_ROLE)
    assert desk.post(study_page(study), sent).status_code == 403
    study.refresh_from_db()
    assert study.ping_role_id == MEMBERS_ROLE
