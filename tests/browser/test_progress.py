"""On her phone a leader follows a notice without reloading, decides, changes and withdraws it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.cast import HOMEWORK, NEWS
from tests.browser.desk import DeskWithBot, log_in
from tests.e2e.stack import PATIENCE_SECONDS, Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser

PATIENCE_MS = PATIENCE_SECONDS * 1000
CREATES = {"method": "POST", "path": "/messages$"}


@pytest.fixture
def stack(tmp_path: Path, discord: FakeDiscordProcess) -> Iterator[Stack]:
    stack = DeskWithBot(tmp_path, discord, NEWS, HOMEWORK, NONCE_WINDOW="1")
    yield stack
    stack.close()


@pytest.fixture
def phone(browser: Browser, stack: Stack) -> Iterator[Page]:
    """Logged in; whatever a page's script stumbles over fails the test."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="ko-KR")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(f"{stack.url}/admin/")
    log_in(page, "minji")
    yield page
    context.close()
    assert errors == []


def publish(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/admin/notices/notice/add/")
    page.fill("#id_title", "7주차 모임")
    page.fill("#id_content", "**화요일** 20시입니다.")
    page.click("[name=_publish]")
    expect(page.locator("#outcome")).to_be_visible()
    # A reload clears the mark.
    page.evaluate("window.isSamePage = true")


def is_same_page(page: Page) -> bool:
    return bool(page.evaluate("window.isSamePage === true"))


def line(page: Page, channel: str) -> Locator:
    return page.locator("#outcome .deliveries > li", has_text=channel)


def test_success_is_shown_without_a_reload_and_ends_the_polling(stack: Stack, phone: Page) -> None:
    stack.discord.fault(kind="hang", method="POST", path="/messages$", times=None)
    publish(phone, stack)
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    stack.discord.clear_faults()
    expect(line(phone, "공지").locator(".badge-sent")).to_be_visible()
    expect(line(phone, "과제").locator(".badge-sent")).to_be_visible()
    # The very last look takes the timer away.
    expect(phone.locator("#outcome-body[hx-trigger]")).to_have_count(0)
    assert is_same_page(phone)
    assert all("/outcome/" in url or "/effects/" in url for url in asked)
    expect(phone.locator("#outcome-said")).not_to_be_empty()
    with phone.context.expect_page() as opened:
        line(phone, "공지").locator("a[id^=message-]").click()
    expect(opened.value.locator(".embed-title").first).to_have_text("7주차 모임")


def test_a_failure_says_why_and_is_tried_again_by_one_button(stack: Stack, phone: Page) -> None:
    stack.discord.fault(
        kind="status", status=403, code=50013, method="POST", path=f"{HOMEWORK}/messages$", times=1
    )
    publish(phone, stack)
    failed = line(phone, "과제")
    expect(failed.locator(".badge-failed")).to_be_visible()
    expect(failed.locator(".why")).to_contain_text("메시지 보내기")
    assert is_same_page(phone)
    phone.locator("#send_again").click()
    expect(line(phone, "과제").locator(".badge-sent")).to_be_visible()
    expect(phone.locator("#send_again")).to_have_count(0)


@pytest.mark.parametrize("is_quick", [False, True])
def test_a_second_failure_is_told_and_nothing_promises_another_try(
    stack: Stack, phone: Page, is_quick: bool
) -> None:
    """While she looks on, or before the page has come."""

    def once_it_has_failed_again(route: Route) -> None:
        wait_for(lambda: stack.log("runbot").count(": refused") == 2, "it has failed again")
        route.continue_()

    stack.discord.fault(
        kind="status", status=403, code=50013, method="POST", path=f"{HOMEWORK}/messages$", times=2
    )
    publish(phone, stack)
    expect(line(phone, "과제").locator(".badge-failed")).to_have_text("실패")
    if is_quick:
        phone.route("**/change/", once_it_has_failed_again)
    phone.locator("#send_again").click()
    expect(line(phone, "과제").locator(".badge-failed")).to_have_text("다시 실패했어요")
    expect(phone.locator("[data-tags~=under-way]")).to_have_count(0)
    expect(phone.locator("#send_again")).to_be_visible()


def lose_what_is_sent_to(channel: str, stack: Stack) -> None:
    """The replies are lost, and the bot may not read what the channel shows."""
    stack.discord.gateway("mute_echo")
    stack.discord.fault(kind="lost_reply", method="POST", path=f"{channel}/messages$", times=None)
    stack.discord.fault(
        kind="status", status=403, code=50001, method="GET", path=f"{channel}/messages", times=None
    )


def test_a_leader_finds_an_unknown_message_and_leaves_it(stack: Stack, phone: Page) -> None:
    lose_what_is_sent_to(NEWS, stack)
    publish(phone, stack)
    with phone.context.expect_page() as opened:
        phone.locator(f"#channel-{NEWS}").click()
    expect(opened.value.locator(".embed-title")).to_have_text("7주차 모임")
    assert is_same_page(phone)
    phone.locator(f"#leave-{NEWS}").click()
    expect(phone.locator(f"#look_again-{NEWS}")).to_be_visible()
    stack.discord.clear_faults()

    # Later the bot may read there again: it finds the message, and makes the change to it.
    phone.fill("#id_title", "7주차 모임 (장소 변경)")
    phone.click("[name=_save]")
    expect(line(phone, "공지").locator(".badge-sent")).to_be_visible()
    assert stack.shown(NEWS) == ["7주차 모임 (장소 변경)"]


def test_a_leader_sends_an_unknown_message_that_is_missing(stack: Stack, phone: Page) -> None:
    lose_what_is_sent_to(NEWS, stack)
    publish(phone, stack)
    expect(phone.locator(f"#send_again-{NEWS}")).to_be_visible()
    (message,) = stack.discord.messages(NEWS)
    stack.discord.delete_message(NEWS, message["id"])
    stack.discord.clear_faults()
    phone.locator(f"#send_again-{NEWS}").click()
    expect(line(phone, "공지").locator(".badge-sent, .badge-failed")).to_be_visible()
    if line(phone, "공지").locator(".badge-failed").count():
        # Discord still knew the nonce of the deleted one: the second time it posts anew.
        phone.locator("#send_again").click()
    expect(line(phone, "공지").locator(".badge-sent")).to_be_visible()
    assert stack.shown(NEWS) == ["7주차 모임"]


def test_a_network_that_is_away_is_told_and_survived(stack: Stack, phone: Page) -> None:
    stack.discord.fault(kind="hang", method="POST", path="/messages$", times=None)
    publish(phone, stack)
    phone.locator("#id_title").focus()
    details = phone.locator(f"#attempts-{NEWS}")
    details.locator("summary").click()
    phone.locator("#id_title").focus()
    phone.context.set_offline(True)
    expect(phone.locator("#outcome-trouble")).not_to_be_empty()
    phone.context.set_offline(False)
    expect(phone.locator("#outcome-trouble")).to_be_empty()

    stack.discord.clear_faults()
    expect(line(phone, "공지").locator(".badge-sent")).to_be_visible()
    # Neither what she had unfolded nor where she was writing has moved.
    expect(details).to_have_attribute("open", "")
    expect(phone.locator("#id_title")).to_be_focused()
    assert is_same_page(phone)


def test_a_leader_who_is_logged_out_meanwhile_is_led_back(stack: Stack, phone: Page) -> None:
    stack.discord.fault(kind="hang", method="POST", path="/messages$", times=None)
    publish(phone, stack)
    phone.fill("#id_content", "noch nicht gespeichert")
    cookies = phone.context.cookies()
    phone.context.clear_cookies()
    trouble = phone.locator("#outcome-trouble")
    expect(trouble.get_by_role("link")).to_be_visible()
    # Her text and the last known outcome stay on the page.
    expect(phone.locator("#id_content")).to_have_value("noch nicht gespeichert")
    expect(line(phone, "공지")).to_be_visible()
    phone.context.add_cookies(cookies)  # type: ignore[arg-type]
    trouble.get_by_role("link").click()
    expect(line(phone, "공지")).to_be_visible()
    assert not is_same_page(phone)
    stack.discord.clear_faults()


def test_she_reads_what_a_change_and_a_withdrawal_do_before_they_happen(
    stack: Stack, phone: Page
) -> None:
    publish(phone, stack)
    expect(line(phone, "공지").locator(".badge-sent")).to_be_visible()
    expect(line(phone, "과제").locator(".badge-sent")).to_be_visible()
    effects = phone.locator(".effects li")
    expect(effects).to_have_count(1)
    phone.locator(f"input[name=channels][value='{HOMEWORK}']").uncheck()
    expect(effects).to_have_count(2)
    expect(effects.nth(1)).to_contain_text("#과제")
    phone.fill("#id_title", "7주차 모임 (장소 변경)")
    phone.click("[name=_save]")
    wait_for(lambda: stack.shown(HOMEWORK) == [], "the channel that she left out is empty")
    wait_for(lambda: stack.shown(NEWS) == ["7주차 모임 (장소 변경)"], "the other is changed")

    phone.locator("#withdraw").click()
    asked = phone.locator(".withdrawal")
    expect(asked).to_contain_text("#공지")
    asked.get_by_role("link").click()
    expect(phone.locator("#withdraw")).to_be_visible()
    assert stack.shown(NEWS) == ["7주차 모임 (장소 변경)"]
    phone.locator("#withdraw").click()
    asked.get_by_role("button").click()
    expect(phone.locator(".outcome-head .badge-withdrawn")).to_be_visible()
    assert stack.shown(NEWS) == []

    phone.locator("#history").click()
    expect(phone.locator(".timeline ins").first).to_be_visible()
    expect(phone.locator(".timeline .request")).to_have_count(5)
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    assert phone.evaluate(fits)
