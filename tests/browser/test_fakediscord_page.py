"""The page of fakediscord: messages, buttons and channels, live in a real browser."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.cast import (
    FORBIDDEN,
    GUILD,
    HOMEWORK,
    MINJI,
    NEWS,
    OTHER_GUILD,
    OTHER_NEWS,
    YES,
    Bot,
    OpenPage,
    buttons,
    shown,
)
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser


def test_a_message_appears_live_with_its_author(bot: Bot, page: Page) -> None:
    message = shown(page, bot.send(content="안녕하세요"))
    expect(message.locator(".content")).to_have_text("안녕하세요")
    expect(message.locator(".author")).to_have_text("스터디봇")
    expect(message.locator(".app-badge")).to_have_text("앱")


def test_messages_sent_before_are_there_in_their_order(
    bot: Bot, page: Page, open_page: OpenPage
) -> None:
    for number in range(3):
        bot.send(content=f"{number}번")
    expect(open_page().locator(".content")).to_have_text(["0번", "1번", "2번"])


def test_an_embed_is_drawn_with_all_its_parts(bot: Bot, page: Page) -> None:
    embed = {
        "title": "3주차 **모임**",
        "url": "https://example.com/3",
        "description": "**비동기**를 다뤄요",
        "color": 0x5865F2,
        "author": {"name": "민지"},
        "fields": [
            {"name": "날짜", "value": "토요일", "inline": True},
            {"name": "장소", "value": "온라인", "inline": True},
            {"name": "준비물", "value": "노트북"},
        ],
        "footer": {"text": "알고리즘"},
        "timestamp": "2026-11-20T03:00:00+00:00",
    }
    drawn = shown(page, bot.send(embeds=[embed])).locator(".embed")
    expect(drawn.locator("a.embed-title")).to_have_attribute("href", "https://example.com/3")
    expect(drawn.locator(".embed-title strong")).to_have_text("모임")
    expect(drawn.locator(".embed-description strong")).to_have_text("비동기")
    expect(drawn.locator(".embed-author")).to_have_text("민지")
    expect(drawn.locator(".embed-row")).to_have_text(["날짜토요일장소온라인", "준비물노트북"])
    expect(drawn.locator(".embed-footer")).to_contain_text("알고리즘")
    expect(drawn.locator(".embed-footer time")).to_be_visible()
    expect(drawn).to_have_css("border-left-color", "rgb(88, 101, 242)")


def test_a_picture_that_cannot_be_loaded_says_so(
    bot: Bot, discord: FakeDiscordProcess, page: Page
) -> None:
    embed = {"title": "그림", "image": {"url": f"{discord.url}/no-such-picture.png"}}
    message = shown(page, bot.send(embeds=[embed]))
    expect(message.locator(".embed-image")).to_have_text("이미지를 불러오지 못했어요")


def test_an_edit_changes_the_message_and_says_so(bot: Bot, page: Page) -> None:
    sent = bot.send(content="처음")
    expect(shown(page, sent).locator(".edited")).to_have_count(0)
    bot.edit(sent, content="고침")
    expect(shown(page, sent).locator(".content")).to_have_text("고침(수정됨)")


def test_a_message_that_the_bot_deletes_disappears(bot: Bot, page: Page) -> None:
    sent = bot.send(content="곧 사라져요")
    expect(shown(page, sent)).to_be_visible()
    bot.delete(sent)
    expect(shown(page, sent)).to_have_count(0)


def test_a_press_is_busy_until_it_is_answered(bot: Bot, page: Page) -> None:
    held: list[Route] = []
    page.route("**/_page/interactions", lambda route: held.append(route))
    sent = bot.send(content="?", components=buttons(YES))
    message = shown(page, sent)
    button = message.get_by_role("button", name="확인했어요")
    with page.expect_request("**/_page/interactions") as request:
        button.press("Enter")
    expect(button).to_have_attribute("aria-busy", "true")
    held[0].fulfill(json={"type": 6})
    expect(button).not_to_have_attribute("aria-busy", "true")
    expect(button).to_be_focused()
    expect(message.locator(".failure")).to_have_count(0)
    pressed = {"channel_id": NEWS, "message_id": sent["id"], "custom_id": "yes", "user_id": MINJI}
    assert request.value.post_data_json == pressed


def test_a_press_that_nobody_answers_says_so(
    bot: Bot, discord: FakeDiscordProcess, page: Page
) -> None:
    discord.settings(interaction_seconds=0.1)
    message = shown(page, bot.send(content="?", components=buttons(YES)))
    message.get_by_role("button", name="확인했어요").click()
    expect(message.get_by_role("alert")).to_have_text("상호작용 실패")


def test_only_the_one_who_pressed_sees_an_ephemeral_answer(bot: Bot, page: Page) -> None:
    message = bot.send(content="?", components=buttons(YES))
    answer = {**message, "id": str(int(message["id"]) + 1), "content": "확인!", "flags": 64}
    page.route("**/_page/interactions", lambda route: route.fulfill(json={"message": answer}))
    page.get_by_label("버튼을 누르는 사람").select_option("준호")
    shown(page, message).get_by_role("button").first.click()
    expect(shown(page, answer)).to_contain_text("나만 볼 수 있음")
    page.get_by_label("버튼을 누르는 사람").select_option("민지")
    expect(shown(page, answer)).to_have_count(0)
    page.get_by_label("버튼을 누르는 사람").select_option("준호")
    shown(page, answer).get_by_role("button", name="메시지 닫기").click()
    expect(shown(page, answer)).to_have_count(0)


def test_buttons_have_their_styles_and_links_their_address(bot: Bot, page: Page) -> None:
    parts = [{**YES, "style": style, "custom_id": f"{style}"} for style in (1, 2, 3, 4)]
    link = {"type": 2, "style": 5, "label": "열기", "url": "https://a.kr/", "emoji": {"name": "📌"}}
    off = {**YES, "custom_id": "off", "label": "끝났어요", "disabled": True}
    components = [*buttons(*parts, link), *buttons(off)]
    message = shown(page, bot.send(content="?", components=components))
    for style in ("primary", "secondary", "success", "danger"):
        expect(message.locator(f"button.{style}").first).to_have_text("확인했어요")
    expect(message.get_by_role("link", name="열기")).to_have_attribute("href", "https://a.kr/")
    expect(message.get_by_role("button", name="끝났어요")).to_be_disabled()


def test_a_moderator_deletes_a_message_by_keyboard(bot: Bot, page: Page) -> None:
    first, last = bot.send(content="남아요"), bot.send(content="지워요")
    expect(shown(page, last)).to_be_visible()
    shown(page, first).focus()
    page.keyboard.press("ArrowDown")
    expect(shown(page, last)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="삭제", exact=True).press("Enter")
    expect(shown(page, last)).to_have_count(0)
    expect(shown(page, first)).to_be_focused()


def test_a_moderator_removes_an_embed_and_brings_it_back(bot: Bot, page: Page) -> None:
    message = shown(page, bot.send(content="공지", embeds=[{"title": "7주차"}]))
    expect(message.locator(".embed-title")).to_have_text("7주차")
    message.hover()
    message.get_by_role("button", name="임베드 지우기").click()
    expect(message.locator(".embed")).to_have_count(0)
    message.hover()
    message.get_by_role("button", name="임베드 다시 보이기").click()
    expect(message.locator(".embed-title")).to_have_text("7주차")


def test_a_thread_stands_below_its_channel_and_is_archived_and_opened(
    discord: FakeDiscordProcess, page: Page
) -> None:
    thread = discord.add_thread(NEWS, "7주차 이야기")
    names = page.locator("[data-channel-id] .channel-name")
    expect(names.nth(1)).to_have_text("7주차 이야기")
    page.locator(f'[data-channel-id="{thread["id"]}"]').click()
    page.get_by_role("button", name="보관하기").click()
    expect(page.get_by_text("보관된 스레드예요.")).to_be_visible()
    page.get_by_role("button", name="열기", exact=True).click()
    expect(page.get_by_role("button", name="보관하기")).to_be_visible()


def test_a_deletion_can_be_cancelled(bot: Bot, page: Page) -> None:
    message = shown(page, bot.send(content="남아요"))
    message.hover()
    message.get_by_role("button", name="메시지 삭제").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(message).to_be_visible()


def test_a_message_elsewhere_is_told_of_until_it_is_read(
    bot: Bot, discord: FakeDiscordProcess, page: Page
) -> None:
    bot.send(HOMEWORK, content="과제예요")
    bot.send(OTHER_NEWS, content="Elsewhere")
    toast = page.locator("#toast").get_by_role("link")
    expect(toast).to_contain_text("#news · Reading")
    expect(page).to_have_title(re.compile(r"^\(2\) #공지 · 알고리즘"))
    homework = page.locator(f"[data-channel-id='{HOMEWORK}']")
    expect(homework.get_by_label("새 메시지 1개")).to_be_visible()
    toast.click()
    expect(page).to_have_url(f"{discord.url}/#/{OTHER_GUILD}/{OTHER_NEWS}")
    expect(page).to_have_title(re.compile(r"^\(1\) #news · Reading"))


def test_reading_back_is_not_disturbed_by_new_messages(bot: Bot, page: Page) -> None:
    for number in range(40):
        newest = bot.send(content=f"{number}번째 글")
    expect(shown(page, newest)).to_be_in_viewport()
    oldest = page.locator("#messages .message").first
    oldest.scroll_into_view_if_needed()
    place = oldest.bounding_box()
    newest = bot.send(content="방금 온 글")
    pill = page.get_by_role("button", name="새 메시지 1개 보기")
    expect(pill).to_be_visible()
    assert oldest.bounding_box() == place
    pill.click()
    expect(shown(page, newest)).to_be_in_viewport()
    expect(page).to_have_title(re.compile("^#공지"))


def test_a_new_message_stays_in_view_at_the_bottom(bot: Bot, page: Page) -> None:
    for number in range(40):
        newest = bot.send(content=f"{number}번째 글")
    expect(shown(page, newest)).to_be_in_viewport()


@pytest.mark.parametrize("address", ["", "#/5/6", f"#/{GUILD}", f"#/{GUILD}/6"])
def test_an_address_without_a_channel_shows_the_first(
    discord: FakeDiscordProcess, open_page: OpenPage, address: str
) -> None:
    page = open_page(address)
    expect(page).to_have_url(f"{discord.url}/#/{GUILD}/{NEWS}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("공지")


def test_the_list_follows_new_changed_and_deleted_channels(
    discord: FakeDiscordProcess, page: Page
) -> None:
    page.locator(f"[data-channel-id='{HOMEWORK}']").click()
    discord.change_channel(HOMEWORK, name="숙제")
    expect(page.get_by_role("heading", level=1)).to_contain_text("숙제")
    discord.delete_channel(HOMEWORK)
    expect(page.get_by_role("heading", level=1)).to_contain_text("공지")
    discord.add_channel(GUILD, "새 채널")
    expect(page.get_by_role("link", name="새 채널")).to_be_visible()


def test_the_page_names_the_permissions_that_the_bot_lacks(open_page: OpenPage) -> None:
    page = open_page(f"#/{GUILD}/{FORBIDDEN}")
    expect(page.locator(".missing")).to_contain_text("봇에게 없는 권한: 메시지 보내기")


def test_it_speaks_english_to_those_who_ask_for_it(bot: Bot, open_page: OpenPage) -> None:
    page = open_page(locale="en-US")
    message = shown(page, bot.send(content="hello"))
    expect(message.locator(".app-badge")).to_have_text("APP")
    expect(page.get_by_role("navigation", name="Servers")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en-US")


def test_a_narrow_window_keeps_the_channels_in_a_drawer(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 360, "height": 640})
    homework = page.locator(f"[data-channel-id='{HOMEWORK}']")
    expect(homework).to_be_hidden()
    page.get_by_role("button", name="서버와 채널 열기").click()
    expect(page.locator(f"[data-channel-id='{NEWS}']")).to_be_focused()
    homework.click()
    expect(homework).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_contain_text("과제")


@pytest.mark.parametrize("word", ["가" * 2000, "x" * 2000, "https://a.kr/" + "y" * 1000])
def test_a_long_word_does_not_widen_a_narrow_window(
    bot: Bot, open_page: OpenPage, word: str
) -> None:
    page = open_page(viewport={"width": 360, "height": 640})
    field = {"name": word[:256], "value": word[:1024]}
    embed = {"title": word[:256], "description": word, "fields": [field]}
    message = shown(page, bot.send(content=word, embeds=[embed]))
    expect(message).to_be_visible()
    assert page.evaluate("document.querySelector('#messages').scrollWidth") == 360


def test_it_comes_back_by_itself_after_the_server(
    bot: Bot, discord: FakeDiscordProcess, page: Page, arguments: list[str]
) -> None:
    before = bot.send(content="먼저 온 글")
    expect(shown(page, before)).to_be_visible()
    discord.stop()
    expect(page.locator("#connection")).to_contain_text("다시 연결하는 중")
    expect(shown(page, before)).to_be_visible()
    port = discord.url.rpartition(":")[2]
    with FakeDiscordProcess(*arguments, "--port", port) as restarted:
        expect(page.locator("#connection")).to_be_empty()
        expect(
            shown(page, Bot(page.request, restarted.api_url).send(content="나중에 온 글"))
        ).to_be_visible()
        expect(shown(page, before)).to_be_visible()
