"""A leader writes a notice in the browser and sees it appear in Discord."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.cast import GUILD, NEWS
from tests.browser.desk import DeskWithBot, log_in
from tests.e2e.stack import PATIENCE_SECONDS, Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser

PATIENCE_MS = PATIENCE_SECONDS * 1000


@pytest.fixture
def stack(tmp_path: Path, discord: FakeDiscordProcess) -> Iterator[Stack]:
    stack = DeskWithBot(tmp_path, discord, NEWS)
    yield stack
    stack.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """Nothing that it shows may come from anywhere else."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="ko-KR")
    hosts: set[str | None] = set()
    context.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()
    assert hosts == {"127.0.0.1"}


def come_in(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/admin/")
    log_in(page, "minji")


def test_a_leader_on_her_phone_publishes_edits_and_withdraws(stack: Stack, phone: Page) -> None:
    discord = phone.context.new_page()
    discord.goto(f"{stack.discord.url}/#/{GUILD}/{NEWS}")
    title = discord.locator("#messages .embed-title")

    come_in(phone, stack)
    phone.goto(f"{stack.url}/admin/notices/notice/add/")
    phone.fill("#id_title", "7주차 모임")
    phone.fill("#id_content", "**화요일** 20시입니다.")
    phone.click("[name=_publish]")
    expect(title).to_have_text("7주차 모임", timeout=PATIENCE_MS)
    # The page tells her by itself, without being loaded anew.
    expect(phone.get_by_text("게시됨", exact=True).first).to_be_visible(timeout=PATIENCE_MS)

    phone.fill("#id_title", "7주차 모임 (장소 변경)")
    phone.click("[name=_save]")
    expect(title).to_have_text("7주차 모임 (장소 변경)", timeout=PATIENCE_MS)

    phone.locator("#withdraw").click()
    phone.locator(".withdrawal button").click()
    expect(title).to_have_count(0, timeout=PATIENCE_MS)


def test_a_leader_schedules_a_notice_and_publishes_it_sooner(stack: Stack, phone: Page) -> None:
    come_in(phone, stack)
    phone.goto(f"{stack.url}/admin/notices/notice/add/")
    phone.fill("#id_title", "다음 주 모임")
    phone.fill("#id_content", "목요일 20시예요.")
    tomorrow = datetime.now(ZoneInfo("Asia/Seoul")) + timedelta(days=1)
    phone.fill("#id_publish_at", f"{tomorrow:%Y-%m-%dT20:00}")
    phone.get_by_role("button", name="예약", exact=True).click()
    expect(phone.locator("#outcome .badge-scheduled")).to_be_visible()
    expect(phone.get_by_text("오후 8:00 (Asia/Seoul)에 게시할게요.")).to_be_visible()
    phone.goto(f"{stack.url}/admin/")
    coming = phone.get_by_role("region", name="곧 게시될 공지")
    expect(coming).to_contain_text("오후 8:00")
    assert stack.discord.messages(NEWS) == []

    coming.get_by_role("link", name="다음 주 모임").click()
    phone.get_by_role("button", name="지금 게시").click()
    expect(phone.locator("#outcome .deliveries .badge-sent")).to_be_visible()
    assert stack.shown(NEWS) == ["다음 주 모임"]


@pytest.fixture
def crowd(discord: FakeDiscordProcess) -> None:
    """Sixty people join, and the bot may ping them all."""
    for number in range(60):
        user = discord.post("/_fake/users", {"username": f"member{number}"})
        discord.post(f"/_fake/guilds/{GUILD}/members", {"id": user["id"]})
    may = ["VIEW_CHANNEL", "SEND_MESSAGES", "EMBED_LINKS", "READ_MESSAGE_HISTORY"]
    everyone = {"permissions": [*may, "MENTION_EVERYONE"]}
    discord.call("PATCH", f"/_fake/guilds/{GUILD}/roles/{GUILD}", everyone)


def test_a_large_ping_is_asked_about_and_nothing_typed_is_lost(
    crowd: None, stack: Stack, phone: Page
) -> None:
    come_in(phone, stack)

    def everyone_is_counted() -> bool:
        phone.goto(f"{stack.url}/admin/notices/notice/add/")
        phone.select_option("#id_ping", "everyone")
        told = phone.locator("#reach strong")
        expect(told).to_contain_text("@everyone")
        return "63" in told.inner_text()

    wait_for(everyone_is_counted, "the bot has told how many people there are")
    phone.fill("#id_title", "전체 모임")
    phone.fill("#id_content", "**모두** 모여요.")
    phone.get_by_role("button", name="지금 게시").click()

    question = phone.get_by_role("alertdialog")
    expect(question).to_contain_text("정말 이렇게 많은 사람에게 알림을 보낼까요?")
    expect(question).to_contain_text("최대 63명")
    expect(phone.locator("#id_title")).to_have_value("전체 모임")
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    assert stack.discord.messages(NEWS) == []

    question.get_by_role("button").click()
    (message,) = wait_for(lambda: stack.discord.messages(NEWS), "it is shown")
    assert (message["content"], message["mention_everyone"]) == ("@everyone", True)
    assert message["embeds"][0]["title"] == "전체 모임"
