"""The example frontend in a browser: posted once, followed, changed and taken back by a member."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Route,
    expect,
)

from tests.browser.cast import FORBIDDEN, HOMEWORK, LAYOUT, NEWS
from tests.browser.platform import Platform, lose_the_answer, post, state, submit, write, wrong
from tests.e2e.stack import PATIENCE_SECONDS, wait_for
from tests.example_frontend import ExampleFrontend
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser

PATIENCE_MS = PATIENCE_SECONDS * 1000
POSTS = "**/api/v1/notices/"
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The tests share it, so each posts a title of its own."""
    folder = tmp_path_factory.mktemp("platform")
    layout = folder / "layout.json"
    layout.write_text(json.dumps(LAYOUT), encoding="utf-8")
    with FakeDiscordProcess("--layout", str(layout), "--no-limits") as discord:
        platform = Platform(folder, discord)
        yield platform
        platform.close()


@pytest.fixture(scope="module")
def example(platform: Platform) -> Iterator[ExampleFrontend]:
    with ExampleFrontend(platform.url, platform.key) as example:
        yield example


@pytest.fixture(autouse=True)
def no_faults(platform: Platform) -> Iterator[None]:
    yield
    platform.discord.clear_faults()


@pytest.fixture
def title(request: pytest.FixtureRequest) -> str:
    return f"8주차 모임 {request.node.name[-60:]}"


OpenExample = Callable[..., Page]


@pytest.fixture
def open_example(browser: Browser, example: ExampleFrontend) -> Iterator[OpenExample]:
    """Open the page; an error of a script or a violation of its policy fails the test."""
    errors: list[str] = []
    contexts: list[BrowserContext] = []

    def refuse_violations(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            errors.append(said.text)

    def open_at(address: str = "", **options: Any) -> Page:
        context = browser.new_context(**{"locale": "en-US", "timezone_id": "Asia/Seoul", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", refuse_violations)
        page.goto(f"{example.url}/{address}")
        expect(page.locator("h2").first).to_be_visible()
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(open_example: OpenExample) -> Page:
    return open_example()


def test_a_notice_is_previewed_posted_and_followed_until_it_is_shown(
    page: Page, platform: Platform, title: str
) -> None:
    # A channel in which the bot may not write is not chosen at first, and says why.
    expect(page.locator(f"[value='{FORBIDDEN}']")).not_to_be_checked()
    expect(page.locator(".choice .problem")).to_contain_text("Send Messages")
    write(page, title)
    preview = page.locator(".preview")
    expect(preview.locator(".embed-title")).to_have_text(title)
    expect(preview.locator(".foreseen .good")).to_have_count(2)
    expect(preview).to_contain_text("It pings nobody")

    platform.discord.fault(kind="hang", method="POST", path="/messages$", times=None)
    submit(page)
    expect(state(page, NEWS)).to_have_attribute("data-state", "sending")
    expect(page.locator(".how")).to_have_attribute("data-how", "live")
    platform.discord.clear_faults()
    expect(state(page, NEWS)).to_have_attribute("data-state", "sent")
    expect(state(page, HOMEWORK)).to_have_attribute("data-state", "sent")
    expect(page.locator(".summary")).to_have_text("2 of 2 channels show it")
    expect(page.locator(".how")).to_have_attribute("data-how", "over")
    assert platform.shows(NEWS, title) == 1
    with page.context.expect_page() as opened:
        page.locator(f"[data-channel='{NEWS}'] a").click()
    expect(opened.value.locator(".embed-title")).to_have_text(title)


def test_a_refusal_is_shown_at_its_field_and_the_typed_text_stays(
    page: Page, platform: Platform, title: str
) -> None:
    write(page, "", channels=())
    page.fill("#url", "localhost")
    page.locator("#url").blur()
    # Nothing is wrong yet with what she has not come to.
    expect(wrong(page, "url")).to_contain_text("not an address on the web")
    page.fill("#author", "민지")
    submit(page)
    expect(wrong(page, "title")).to_contain_text("blank")
    expect(wrong(page, "channel_ids")).to_contain_text("at least one")
    expect(page.locator("#title")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#content")).to_have_value("화요일 20시")
    expect(page.locator("#content")).not_to_have_attribute("aria-invalid", "true")

    write(page, title)
    page.fill("#url", "https://example.org/8")
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    submit(page)
    page.wait_for_url("**/#/notices/*")
    assert len(platform.posted(title)) == 1


def test_an_incomplete_moment_is_not_taken_for_none(
    page: Page, platform: Platform, title: str
) -> None:
    write(page, title)
    page.locator("#publish_at").press_sequentially("03")
    submit(page)
    expect(wrong(page, "publish_at")).to_contain_text("both the date and the time")
    # A preview that comes later finds nothing wrong, and does not take it away.
    page.fill("#author", "민지")
    expect(page.locator(".preview")).to_contain_text("민지")
    expect(wrong(page, "publish_at")).to_contain_text("both the date and the time")
    assert platform.posted(title) == []
    page.fill("#publish_at", "2031-03-02T20:00")
    submit(page)
    expect(page.locator(".status .chip")).to_have_attribute("data-state", "scheduled")
    (notice,) = platform.posted(title)
    assert notice["publish_at"] == "2031-03-02T11:00:00Z"


def test_a_failed_channel_says_why_and_is_sent_again(
    page: Page, platform: Platform, title: str
) -> None:
    platform.discord.fault(
        kind="status", status=403, code=50013, method="POST", path=f"{HOMEWORK}/messages$", times=1
    )
    post(page, title)
    failed = page.locator(f"[data-channel='{HOMEWORK}']")
    expect(failed.locator(".why")).to_contain_text("Send Messages")
    expect(failed.locator(".why")).to_contain_text("then send the notice again")
    expect(page.locator(".status .chip")).to_have_attribute("data-state", "partly_sent")
    page.click(".send-again")
    expect(state(page, HOMEWORK)).to_have_attribute("data-state", "sent")
    expect(page.locator(".send-again")).to_be_hidden()
    assert platform.shows(NEWS, title) == 1


def test_a_reload_goes_on_following(page: Page, platform: Platform, title: str) -> None:
    platform.discord.fault(kind="hang", method="POST", path="/messages$", times=None)
    post(page, title)
    page.reload()
    expect(state(page, NEWS)).to_have_attribute("data-state", "sending")
    platform.discord.clear_faults()
    expect(state(page, NEWS)).to_have_attribute("data-state", "sent")


def test_an_answer_that_is_lost_is_asked_for_again_and_posts_once(
    page: Page, platform: Platform, title: str
) -> None:
    page.route(POSTS, lose_the_answer)
    write(page, title)
    submit(page)
    expect(page.locator(".notes")).to_contain_text("trying again posts it once")
    # Another text under the same key would be refused, and under another key a second notice.
    expect(page.locator("#title")).to_be_disabled()
    page.reload()
    expect(page.locator("#title")).to_have_value(title)
    expect(page.locator(".notes")).to_contain_text("trying again posts it once")
    page.unroute(POSTS)
    page.get_by_role("button", name="Try again now").click()
    expect(state(page, NEWS)).to_have_attribute("data-state", "sent")
    assert len(platform.posted(title)) == 1
    assert platform.shows(NEWS, title) == 1
    page.get_by_role("link", name="New notice").click()
    expect(page.locator("#title")).to_have_value("")


def test_a_notice_written_while_studybot_is_away_is_posted_later(
    page: Page, platform: Platform, title: str
) -> None:
    write(page, title)
    platform.kill("web")
    submit(page)
    expect(page.locator(".note.waiting")).to_be_in_viewport()
    platform.start("web")
    expect(state(page, NEWS)).to_have_attribute("data-state", "sent")
    assert len(platform.posted(title)) == 1


def test_a_network_that_is_away_is_told_while_it_follows(
    page: Page, platform: Platform, title: str
) -> None:
    platform.discord.fault(kind="hang", method="POST", path="/messages$", times=None)
    post(page, title)
    expect(page.locator(".how")).to_have_attribute("data-how", "live")
    platform.stop("web")
    expect(page.locator(".how")).to_have_attribute("data-how", "lost")
    platform.start("web")
    platform.discord.clear_faults()
    expect(state(page, NEWS)).to_have_attribute("data-state", "sent")


@pytest.fixture
def no_streams(platform: Platform) -> Iterator[None]:
    for value in ("0", "4"):
        platform.stop("web")
        platform.environment["EVENT_STREAMS"] = value
        platform.start("web")
        if value == "0":
            yield


@pytest.mark.usefixtures("no_streams")
def test_it_polls_when_all_streams_are_taken(page: Page, platform: Platform, title: str) -> None:
    platform.discord.fault(kind="hang", method="POST", path="/messages$", times=None)
    post(page, title)
    expect(page.locator(".how")).to_have_attribute("data-how", "asking")
    platform.discord.clear_faults()
    with page.expect_response(lambda answer: answer.status == 304):
        expect(state(page, NEWS)).to_have_attribute("data-state", "sent")


def test_a_change_reaches_discord(page: Page, platform: Platform, title: str) -> None:
    post(page, title)
    expect(state(page, HOMEWORK)).to_have_attribute("data-state", "sent")
    page.click(".edit")
    expect(page.locator("#publish_at")).not_to_be_editable()
    page.fill("#title", f"{title} (장소 변경)")
    page.locator(f"[value='{HOMEWORK}']").uncheck()
    page.reload()  # What was typed is still there.
    expect(page.locator("#title")).to_have_value(f"{title} (장소 변경)")
    submit(page)
    expect(state(page, HOMEWORK)).to_have_attribute("data-state", "withdrawn")
    expect(state(page, NEWS)).to_have_attribute("data-state", "sent")
    wait_for(lambda: platform.shows(NEWS, f"{title} (장소 변경)"), "the change is shown")
    assert not [one for one in platform.shown(HOMEWORK) if one.startswith(title)]


@pytest.fixture
def conflicted(page: Page, platform: Platform, title: str) -> Page:
    """She has changed the title while somebody else changed title and text."""
    notice = post(page, title)
    expect(page.locator(".how")).to_have_attribute("data-how", "over")
    page.click(".edit")
    page.fill("#title", f"{title} (그녀)")
    platform.change(notice, title=f"{title} (남)", content="남의 내용")
    submit(page)
    said = page.locator(".notes")
    expect(said).to_contain_text("Somebody changed this notice")
    expect(said.locator(".theirs p")).to_have_text([f"{title} (남)", "남의 내용"])
    expect(said.locator(".yours p")).to_have_text([f"{title} (그녀)", "화요일 20시"])
    assert platform.posted(title) == []
    return page


def test_anothers_change_is_not_overwritten_unseen(
    conflicted: Page, platform: Platform, title: str
) -> None:
    conflicted.get_by_role("button", name="Save mine over it").click()
    conflicted.wait_for_url(re.compile(r"/notices/\d+$"))
    wait_for(lambda: platform.shows(NEWS, f"{title} (그녀)"), "hers is shown")


def test_she_may_go_on_from_anothers_change(
    conflicted: Page, platform: Platform, title: str
) -> None:
    conflicted.get_by_role("button", name="Load what is there").click()
    expect(conflicted.locator("#title")).to_have_value(f"{title} (남)")
    conflicted.fill("#author", "민지")
    submit(conflicted)
    conflicted.wait_for_url(re.compile(r"/notices/\d+$"))
    assert [notice["author"] for notice in platform.posted(f"{title} (남)")] == ["민지"]


def test_she_keeps_her_text_while_the_others_change_cannot_be_read(
    page: Page, platform: Platform, title: str
) -> None:
    notice = post(page, title)
    expect(page.locator(".how")).to_have_attribute("data-how", "over")
    page.click(".edit")
    page.fill("#title", f"{title} (그녀)")
    platform.change(notice, content="남의 내용")
    lost: list[Route] = []

    def lose_the_first_look(route: Route) -> None:
        if route.request.method == "GET" and not lost:
            lost.append(route)
            route.abort()
        else:
            route.continue_()

    page.route(f"**/api/v1/notices/{notice}/", lose_the_first_look)
    submit(page)
    expect(page.locator(".notes")).to_contain_text("could not be read")
    expect(page.locator("#title")).to_have_value(f"{title} (그녀)")
    page.get_by_role("button", name="Try again now").click()
    expect(page.locator(".notes .theirs p")).to_have_text([title, "남의 내용"])


def test_a_fault_of_the_server_leaves_the_text_to_be_posted_again(
    page: Page, platform: Platform, title: str
) -> None:
    fault = {"type": "urn:studybot:broken", "status": 500, "detail": "a fault of the server"}
    page.route(POSTS, lambda route: route.fulfill(status=500, json=fault))
    write(page, title)
    submit(page)
    expect(page.locator(".notes")).to_contain_text("a fault of the server")
    expect(page.locator("#title")).to_be_editable()
    page.unroute(POSTS)
    submit(page)
    expect(state(page, NEWS)).to_have_attribute("data-state", "sent")
    assert len(platform.posted(title)) == 1


def test_a_change_whose_answer_was_lost_is_no_conflict_with_itself(
    page: Page, platform: Platform, title: str
) -> None:
    notice = post(page, title)
    page.click(".edit")
    page.fill("#title", "9주차 모임")
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        if route.request.method != "PATCH" or lost:
            route.continue_()
        else:
            lost.append("once")
            lose_the_answer(route)

    page.route(f"**/api/v1/notices/{notice}/", lose_once)
    submit(page)
    page.get_by_role("button", name="Try again now").click()
    page.wait_for_url(f"**/#/notices/{notice}")
    assert [notice["revision"] for notice in platform.posted("9주차 모임")] == [2]


def test_a_notice_is_withdrawn_after_a_question(page: Page, platform: Platform, title: str) -> None:
    post(page, title)
    expect(state(page, NEWS)).to_have_attribute("data-state", "sent")
    page.click(".withdraw")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("dialog")).to_be_hidden()
    page.click(".withdraw")
    page.locator("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.locator(".status .chip")).to_have_attribute("data-state", "withdrawn")
    expect(page.locator(".withdraw")).to_be_hidden()
    assert platform.shows(NEWS, title) == 0


def test_on_a_phone_in_korean_nothing_is_cut_off(
    open_example: OpenExample, platform: Platform
) -> None:
    phone = open_example(locale="ko-KR", viewport={"width": 360, "height": 740})
    assert phone.locator("html").get_attribute("lang") == "ko"
    expect(phone.get_by_role("heading", name="공지 쓰기")).to_be_visible()
    phone.fill("#title", "가" * 300)
    phone.locator("#title").blur()
    expect(wrong(phone, "title")).to_contain_text("줄여")
    assert phone.evaluate(FITS)
    platform.discord.fault(
        kind="status", status=403, code=50013, method="POST", path=f"{HOMEWORK}/messages$", times=1
    )
    post(phone, "https://example.org/" + "a" * 200)
    expect(phone.locator(".why")).to_contain_text("메시지 보내기")
    assert phone.evaluate(FITS)
    phone.click(".edit")
    expect(phone.locator(".preview .embed-title")).to_be_visible()
    assert phone.evaluate(FITS)


def test_typed_text_never_becomes_html_or_a_script(page: Page) -> None:
    post(page, "<img src=x onerror=document.title='x'>")
    expect(page.locator("h2").first).to_have_text("<img src=x onerror=document.title='x'>")
    expect(page.locator("main img")).to_have_count(0)
    expect(page).to_have_title("Study notices")
