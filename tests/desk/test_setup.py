"""A site admin is led from the bot's token to the first message, and nobody else gets in."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices.advice import reasons
from notices.models import BotInstance, Channel, Delivery, Notice, Study
from tests.desk.conftest import logged_in

SETUP = "/admin/setup/"
CONNECT = "/admin/setup/connect/"
TEST = "/admin/setup/test/"
APPLICATION = 1000000000000000090
ADMINISTRATOR, MENTION_EVERYONE = 1 << 3, 1 << 17
# View Channel, Send Messages, Embed Links, Attach Files, Read Message History, and Send Messages in
# Threads.
NEEDED = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 38


@pytest.fixture
def bot(db: None) -> BotInstance:
    now = timezone.now()
    return BotInstance.objects.create(
        name="bot", started_at=now, heartbeat_at=now, is_active=True, application_id=APPLICATION
    )


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"{SETUP}{query}", headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    return answer.content.decode()


def asked_permissions(link: str) -> int:
    asked = parse_qs(urlsplit(link).query)
    assert asked["client_id"] == [str(APPLICATION)]
    assert asked["scope"] == ["bot"]
    return int(asked["permissions"][0])


def connection(study: Study, channel: Channel) -> int:
    return Study.channels.through.objects.get(study=study, channel=channel).pk


# --- the steps -----------------------------------------------------------------------------


def test_without_a_bot_it_says_how_to_start_one(admin_desk: Client, settings: Any) -> None:
    settings.BOT_TOKEN = ""
    html = page(admin_desk)
    assert "No bot is running." in html
    assert "BOT_TOKEN is not set here." in html
    assert "oauth2/authorize" not in html


def test_the_invite_asks_for_no_more_than_the_bot_uses(
    admin_desk: Client, bot: BotInstance
) -> None:
    context = admin_desk.get(SETUP).context
    assert asked_permissions(context["invite"]) == NEEDED
    assert asked_permissions(context["invite_everyone"]) == NEEDED | MENTION_EVERYONE
    assert not (NEEDED | MENTION_EVERYONE) & ADMINISTRATOR
    assert "BOT_TOKEN" not in page(admin_desk)


def test_channels_stand_under_their_server_with_their_troubles(
    admin_desk: Client, study: Study, channel: Channel
) -> None:
    Channel.objects.create(id=7, name="gone", guild_name="알고리즘", gone_at=timezone.now())
    Channel.objects.filter(pk=channel.pk).update(permissions=1 << 10, seen_at=timezone.now())
    html = page(admin_desk)
    assert "<legend>알고리즘</legend>" in html
    assert "Channel settings → Permissions → Send Messages" in html
    assert "#gone" not in html
    assert f'<span class="badge">{study}</span>' in html


def test_channels_are_connected_to_a_study_that_is_there(
    admin_desk: Client, study: Study, other_channel: Channel
) -> None:
    before = set(study.channels.all())
    answer = admin_desk.post(CONNECT, {"study": study.pk, "channels": [other_channel.pk]})
    assert answer.status_code == 302
    assert set(study.channels.all()) == before | {other_channel}
    assert LogEntry.objects.get().object_id == str(study.pk)


def test_channels_are_connected_to_a_new_study(admin_desk: Client, channel: Channel) -> None:
    admin_desk.post(CONNECT, {"new_study": "러스트", "channels": [channel.pk]})
    assert list(Study.objects.get(name="러스트").channels.all()) == [channel]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"new_study": "러스트"}, "channels"),
        ({"new_study": "러스트", "channels": ["x"]}, "channels"),
        ({"new_study": "러스트", "channels": ["9" * 30]}, "channels"),
        ({"channels": ["{channel}"]}, "study"),
        ({"new_study": "   ", "channels": ["{channel}"]}, "study"),
        ({"new_study": "가" * 101, "channels": ["{channel}"]}, "new_study"),
        ({"study": "0", "channels": ["{channel}"]}, "study"),
        ({"study": "{study}", "new_study": "러스트", "channels": ["{channel}"]}, "new_study"),
    ],
)
def test_a_connection_that_is_refused_names_the_field_and_keeps_the_ticks(
    admin_desk: Client, study: Study, channel: Channel, sent: dict[str, Any], field: str
) -> None:
    places = {"study": study.pk, "channel": channel.pk}
    filled = {
        name: [one.format(**places) for one in value]
        if isinstance(value, list)
        else value.format(**places)
        for name, value in sent.items()
    }
    answer = admin_desk.post(CONNECT, filled)
    assert answer.status_code == 200
    assert answer.context["form"].errors.keys() == {field}
    assert Study.objects.count() == 1
    ticked = [one.channel.pk for one in answer.context["seen"] if one.is_ticked]
    assert ticked == ([channel.pk] if str(channel.pk) in filled.get("channels", []) else [])


# --- the test message ----------------------------------------------------------------------


def send(client: Client, study: Study, channel: Channel) -> Notice:
    answer = client.post(TEST, {"where": connection(study, channel)})
    notice = Notice.objects.latest("pk")
    assert answer["Location"] == f"{SETUP}?test={notice.pk}#test-step"
    return notice


def test_a_test_message_is_a_notice_as_any_other(
    admin_desk: Client, site_admin: User, study: Study, channel: Channel
) -> None:
    Study.objects.update(language="en")
    notice = send(admin_desk, study, channel)
    assert list(notice.channels.all()) == [channel]
    assert (notice.study, notice.created_by, notice.title) == (study, site_admin, "Test message")
    assert notice.status == Notice.Status.QUEUED
    assert notice.expires_at is not None
    assert notice.expires_at < timezone.now() + timedelta(hours=1)


def test_while_it_is_under_way_the_page_looks_again(
    admin_desk: Client, bot: BotInstance, study: Study, channel: Channel
) -> None:
    notice = send(admin_desk, study, channel)
    assert f'hx-get="{TEST}{notice.pk}/"' in page(admin_desk, f"?test={notice.pk}")
    Delivery.objects.create(
        notice=notice, channel=channel, state="sent", wanted=1, shown=1, message_id=77
    )
    Notice.objects.filter(pk=notice.pk).update(status="sent")
    part = admin_desk.get(f"{TEST}{notice.pk}/", headers={"Accept-Language": "en"})
    assert "hx-get" not in part.content.decode()
    assert "It works" in part.content.decode()
    assert "/77" in part.content.decode()


def test_a_test_that_failed_says_why_and_what_to_do(
    admin_desk: Client, bot: BotInstance, study: Study, channel: Channel
) -> None:
    notice = send(admin_desk, study, channel)
    Delivery.objects.create(notice=notice, channel=channel, state="failed", error_code=50001)
    Notice.objects.filter(pk=notice.pk).update(status="failed")
    for address in (f"{SETUP}?test={notice.pk}", f"{TEST}{notice.pk}/"):
        html = admin_desk.get(address).content.decode()
        assert reasons.explain(50001).reason in html
        assert reasons.explain(50001).remedy in html
        assert f'hx-get="{TEST}' not in html


def test_a_test_without_a_bot_says_that_nothing_will_be_sent(
    admin_desk: Client, study: Study, channel: Channel
) -> None:
    notice = send(admin_desk, study, channel)
    assert "No bot is running, so nothing is sent" in page(admin_desk, f"?test={notice.pk}")


@pytest.mark.parametrize("where", ["", "0", "x", "9" * 30])
def test_a_test_without_a_channel_is_refused(admin_desk: Client, study: Study, where: str) -> None:
    answer = admin_desk.post(TEST, {"where": where}, follow=True)
    assert len(answer.context["messages"]) == 1
    assert not Notice.objects.exists()


@pytest.mark.parametrize("test", ["x", "0", "-1", "9" * 30, "٣"])
def test_an_unknown_test_in_the_address_is_no_error(admin_desk: Client, test: str) -> None:
    assert admin_desk.get(SETUP, {"test": test}).context["test"] is None


# --- who gets in ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", [SETUP, CONNECT, TEST, f"{TEST}{{notice}}/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_leader_can_neither_open_nor_post_to_the_set_up(
    desk: Client,
    study: Study,
    channel: Channel,
    other_notice: Notice,
    other_study: Study,
    other_channel: Channel,
    path: str,
    method: str,
) -> None:
    for mine, where in ((study, channel), (other_study, other_channel)):
        sent = {
            "study": mine.pk,
            "channels": [other_channel.pk],
            "where": connection(mine, where),
        }
        answer = getattr(desk, method)(path.format(notice=other_notice.pk), sent)
        assert answer.status_code in (403, 405)
    assert Notice.objects.count() == 1
    assert other_channel not in study.channels.all()
    assert "/admin/setup/" not in desk.get("/admin/").content.decode()


@pytest.mark.parametrize("path", [SETUP, CONNECT, TEST])
def test_a_stranger_is_sent_to_the_door(stranger: User, path: str) -> None:
    for client in (Client(), logged_in(stranger)):
        assert client.post(path)["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("path", [CONNECT, TEST])
def test_another_sites_form_is_refused(site_admin: User, study: Study, path: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(site_admin)
    assert browser.post(path, {"new_study": "x"}).status_code == 403


@pytest.mark.parametrize("path", [CONNECT, TEST])
def test_looking_at_an_address_does_nothing(admin_desk: Client, path: str) -> None:
    assert admin_desk.get(path).status_code == 405


def test_the_front_page_leads_there_while_nothing_is_set_up(
    admin_desk: Client, channel: Channel
) -> None:
    assert admin_desk.get("/admin/").context["needs_setup"]
    admin_desk.post(CONNECT, {"new_study": "러스트", "channels": [channel.pk]})
    assert not admin_desk.get("/admin/").context["needs_setup"]


def test_servers_that_look_alike_are_told_apart_by_their_ids(
    admin_desk: Client, study: Study, channel: Channel, other_channel: Channel
) -> None:
    assert "another server looks the same" not in page(admin_desk)
    Channel.objects.filter(pk=other_channel.pk).update(guild_name="알고리\u200b즘")
    html = page(admin_desk)

    assert html.count("another server looks the same") >= 2
    for one in (channel, other_channel):
        assert str(one.guild_id) in html


def test_the_autocomplete_tells_channels_apart_by_their_servers_ids(
    admin_desk: Client, study: Study, channel: Channel, other_channel: Channel
) -> None:
    Channel.objects.filter(pk=other_channel.pk).update(guild_name="알고리즘 ")
    asked = {
        "app_label": "notices",
        "model_name": "study",
        "field_name": "channels",
        "term": "공지",
    }
    found = admin_desk.get("/admin/autocomplete/", asked, headers={"Accept-Language": "en"}).json()

    texts = {one["id"]: one["text"] for one in found["results"]}
    for one in (channel, other_channel):
        assert str(one.guild_id) in texts[str(one.pk)]
        assert "⚠ another server looks the same" in texts[str(one.pk)]


def test_a_study_shows_its_channels_with_their_servers_ids(
    admin_desk: Client, study: Study, channel: Channel
) -> None:
    html = admin_desk.get(f"/admin/notices/study/{study.pk}/change/").content.decode()
    assert f"#{channel.name} ({channel.guild_name}, {channel.guild_id})" in html
