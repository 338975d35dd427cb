"""The page of the form has the data for its preview and for texts that are not saved yet."""

import json
import re
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices import actions
from notices.delivery import message
from notices.models import BotInstance, Delivery, Notice, Study

ADD = "/admin/notices/notice/add/"
WRITING = "0123456789abcdef"


def change(notice: Notice) -> str:
    return f"/admin/notices/notice/{notice.pk}/change/"


def told(answer: Any) -> Any:
    found = re.search(r'<script id="writing"[^>]*>(.*?)</script>', answer.content.decode(), re.S)
    assert found, "the page says nothing to its scripts"
    return json.loads(found[1])


def test_it_knows_her_studies_and_no_other(desk: Client, study: Study, other_study: Study) -> None:
    page = told(desk.get(ADD))
    assert list(page["studies"]) == [str(study.pk)]
    assert other_study.name not in json.dumps(page, ensure_ascii=False)


def test_the_footer_the_place_and_the_pings_are_those_of_the_message(
    desk: Client, notice: Notice, study: Study
) -> None:
    Study.objects.update(ping_role_id=1180000000000000007)
    notice.study.refresh_from_db()
    notice.place = "스터디룸 3"
    known = told(desk.get(change(notice)))["studies"][str(study.pk)]
    for ping in Notice.Ping.values:
        notice.ping = ping
        sent = message.build(Delivery(notice=notice, nonce="XXXXXXXXXX"))
        assert known["pings"][ping] == sent["content"]
        byline = known["byline"].replace("{name}", notice.author)
        assert f"{byline} · {known['footer']}" == sent["embeds"][0]["footer"]["text"]
        assert known["place"] == sent["embeds"][0]["fields"][0]["name"]
        assert known["colour"] == sent["embeds"][0]["color"]


def test_a_text_keeps_its_id_when_refused_and_gets_a_new_one_when_opened(
    desk: Client, form: dict[str, Any]
) -> None:
    refused = told(desk.post(ADD, form | {"title": "", "writing": WRITING, "_draft": "1"}))
    assert (refused["writing"], refused["isRefused"]) == (WRITING, True)
    opened = told(desk.get(ADD))
    assert opened["writing"] not in (WRITING, told(desk.get(ADD))["writing"])
    assert opened["isRefused"] is False


def test_the_page_tells_once_that_a_text_was_saved(desk: Client, form: dict[str, Any]) -> None:
    saved = desk.post(ADD, form | {"writing": WRITING, "_draft": "1"})
    assert told(desk.get(saved["Location"]))["saved"] == [WRITING]
    assert told(desk.get(saved["Location"]))["saved"] == []


@pytest.mark.parametrize("writing", ["", "../x", "<script>", "A" * 16, WRITING * 2])
def test_a_foreign_id_of_a_text_is_not_repeated(
    desk: Client, form: dict[str, Any], writing: str
) -> None:
    answer = desk.post(ADD, form | {"title": "", "writing": writing, "_draft": "1"})
    assert re.fullmatch("[0-9a-f]{16}", told(answer)["writing"])
    saved = desk.post(ADD, form | {"writing": writing, "_draft": "1"})
    assert told(desk.get(saved["Location"]))["saved"] == []


def test_a_read_only_notice_has_a_preview_and_keeps_no_unsaved_text(
    desk: Client, notice: Notice
) -> None:
    Notice.objects.update(place="스터디룸 3")
    actions.withdraw(notice)
    page = desk.get(change(notice)).content.decode()
    assert 'id="writing"' not in page
    assert 'id="preview"' in page
    assert '<input type="hidden" name="place" value="스터디룸 3">' in page


def test_the_moment_of_a_published_notice_is_on_the_studys_clock(
    desk: Client, notice: Notice
) -> None:
    Study.objects.update(time_zone="America/New_York")
    moment = datetime.fromisoformat("2026-01-02T03:04:00+00:00")
    Notice.objects.update(publish_at=moment, status=Notice.Status.SENT)
    assert told(desk.get(change(notice)))["published"] == "2026-01-01T22:04"


def test_no_field_lets_the_browser_cut_off_text(desk: Client) -> None:
    page = desk.get(ADD).content.decode()
    for name in ("title", "content", "place", "author"):
        field = re.search(rf'<(?:input|textarea)[^>]*name="{name}"[^>]*>', page)
        assert field
        assert "maxlength" not in field[0]
        assert "data-limit" in field[0]


def test_a_page_from_before_the_last_login_says_what_to_do(
    leader: User, form: dict[str, Any]
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(leader)
    answer = browser.post(ADD, form | {"_draft": "1"})
    assert answer.status_code == 403
    assert 'href="/admin/notices/notice/"' in answer.content.decode()
    assert not Notice.objects.exists()


def test_the_preview_shows_the_bots_display_name(desk: Client) -> None:
    english = {"Accept-Language": "en"}
    assert told(desk.get(ADD, headers=english))["texts"]["bot"] == "Notice bot"
    now = timezone.now()
    BotInstance.objects.create(name="old", started_at=now, heartbeat_at=now, display_name="예비 봇")
    BotInstance.objects.create(
        name="active", started_at=now, heartbeat_at=now, is_active=True, display_name="스터디봇"
    )
    assert told(desk.get(ADD))["texts"]["bot"] == "스터디봇"


def test_the_names_of_the_emoji_are_in_her_language(desk: Client) -> None:
    for language in ("ko", "en"):
        page = desk.get(ADD, headers={"Accept-Language": language}).content.decode()
        assert f'data-emoji-data="/static/notices/emoji-{language}.json"' in page
