"""Beside the form she sees the message as Discord will draw it; what is typed can do no harm."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from notices.delivery.message import build
from notices.models import Delivery, Notice, Study
from tests.browser.cast import HOMEWORK, MINJI, NEWS, ROLE, Bot, OpenPage, shown
from tests.browser.desk import COLOUR, CONTENT, STUDY, TITLE, Desk, OpenDesk, open_all

pytestmark = pytest.mark.browser

LONG_PROSE = "긴 글도 그대로 보여야 합니다. " * 40
HARD_TEXTS = [
    "**굵게 *기울여 __밑줄 ~~취소~~__***",
    "***둘 다*** _이렇게도_ __이렇게도__ snake_case_word 2*3*4",
    "**공지**를 읽고 *과제*를 해 주세요",
    "# 큰 제목\n## 중간\n### 작은\n#### 없음\n-# 작은 글씨\n끝",
    "> 인용\n> **굵은** 인용\n밖",
    "앞\n>>> 여기부터\n\n끝까지",
    "- 가\n- 나\n  - 다\n    - 라\n- 마\n\n끝",
    "1. 가\n2. 나\n\n7. 다",
    "* 별\n* 별 **굵게**",
    "- 가\n1. 나",
    "```py\nprint('**그대로** <b>')\n```\n글",
    f"```\n{LONG_PROSE}\n```",
    "````\n```\n````",
    "`코드 **그대로**` ``a ` b``",
    "||비밀 **굵게** `x`|| 그리고 ||또||",
    "[자료](https://example.org/a_(b)) <https://example.org/> https://example.org/x?y=1&z=2.",
    "[나쁨](javascript:alert(1)) [빈]() [](https://a.kr) [**굵은** 링크](https://a.kr/)",
    "[https://a.kr](https://b.kr)",
    f"<@{MINJI}>님, <@&{ROLE}>, <#{HOMEWORK}>, @everyone @here </공지:123>",
    f"https://discord.com/channels/1/{NEWS}",
    "<t:1764000000:F> <t:1764000000> <t:0:d> <t:99999999999999:R> <t:x>",
    "😀👨‍👩‍👧‍👦🇰🇷 ㅎㅏㄴ \u1112\u1161\u11ab ㅋㅋㅋ <:custom:123> ¯\\_(ツ)_/¯",
    "\\*별표\\* \\> 꺾쇠 \\`코드\\`",
    "<b>굵게?</b> &lt; &amp; <!-- x --> <script>alert(1)</script>",
    "한 줄\n\n\n세 줄 뒤  \n끝   ",
    LONG_PROSE,
    "끊기지않는" * 100,
    "**닫히지 않은 _표시 ~~들 `과 ||여는 것",
]

# Text and kinds of elements, the same for any page that draws a message. Whom a mention names
# the desk cannot know; that it is one, it does.
STRUCTURE = """(root) => {
    const kind = (element) => {
        if (element.classList.contains("mention")) return "mention";
        const kinds = ["spoiler", "subtext", "timestamp"];
        const marks = kinds.filter((one) => element.classList.contains(one));
        const details = ["href", "start", "src"].map((name) => element.getAttribute(name));
        return [element.localName, ...marks, ...details.filter(Boolean)].join(" ");
    };
    const look = (node) => {
        if (node.nodeType === Node.TEXT_NODE) return node.data;
        const name = kind(node);
        const isPerson = name === "mention" && /^@(?!everyone|here)/.test(node.textContent);
        return [name, ...(isPerson ? ["@…"] : merged([...node.childNodes].map(look)))];
    };
    const merged = (parts) => parts.reduce((all, part) => {
        if (part === "") return all;
        const both = typeof part === "string" && typeof all.at(-1) === "string";
        return both ? [...all.slice(0, -1), all.at(-1) + part] : [...all, part];
    }, []);
    return look(root);
}"""


def structure(message: Locator) -> Any:
    drawn = message.locator(".message-body")
    expect(drawn).to_be_visible()
    return json.loads(json.dumps(drawn.evaluate(STRUCTURE)))


def preview(form: Page) -> Locator:
    """As drawn of what is typed by now."""
    form.wait_for_selector("#preview-message:not([aria-busy])", state="attached")
    return form.locator("#preview-message .message")


def as_sent(**written: Any) -> dict[str, Any]:
    """The very message that the bot sends for what is written; none of it is in a database."""
    study = Study(name=STUDY, colour=COLOUR, ping_role_id=ROLE)
    notice = Notice(study=study, **{"title": "제목", "author": "minji", **written})
    body = build(Delivery(notice=notice, nonce="XXXXXXXXXX"))
    return {name: body[name] for name in ("content", "embeds", "allowed_mentions")}


def test_the_preview_and_the_channel_show_the_same_for_hard_texts(
    form: Page, open_page: OpenPage, bot: Bot, subtests: pytest.Subtests
) -> None:
    channel = open_page(timezone_id="Asia/Seoul")
    moment = datetime(2030, 1, 2, 0, 0, tzinfo=UTC)
    form.fill(TITLE, "제목")
    form.fill("#id_publish_at", "2030-01-02T09:00")
    for text in HARD_TEXTS:
        with subtests.test(text[:30]):
            form.fill(CONTENT, text)
            sent = as_sent(content=text.strip(), publish_at=moment)
            message = shown(channel, bot.send(**sent))
            assert structure(preview(form)) == structure(message)


def test_every_part_of_the_message_is_there_as_the_channel_shows_it(
    form: Page, open_page: OpenPage, bot: Bot, desk: Desk, subtests: pytest.Subtests
) -> None:
    channel = open_page(timezone_id="Asia/Seoul")
    picture = f"{desk.url}/static/notices/../admin/img/search.svg"
    written = {
        "title": "3주차 **모임** <@5> [x](https://a.kr)",
        "content": "본문",
        "place": "스터디룸 **3** https://a.kr/map",
        "author": "민지 **굵지 않게**",
        "url": "https://example.org/3",
        "image": picture,
    }
    open_all(form)
    for name, value in written.items():
        form.fill(f"#id_{name}", value)
    form.locator("#id_image").blur()
    form.fill("#id_publish_at", "2030-01-02T09:00")
    moment = datetime(2030, 1, 2, 0, 0, tzinfo=UTC)
    for ping in Notice.Ping.values:
        with subtests.test(ping=ping):
            pick_ping(form, ping)
            sent = bot.send(**as_sent(**written, ping=ping, publish_at=moment))
            message = shown(channel, sent)
            assert structure(preview(form)) == structure(message)
            # A mention stands before the embed, since inside it is silent.
            expect(preview(form).locator(".embed .mention")).to_have_count(0)
    expect(preview(form).locator(".embed")).to_have_css("border-left-color", "rgb(87, 242, 135)")
    expect(preview(form).locator(".content .mention")).to_have_text("@everyone")


def pick_ping(form: Page, ping: str) -> None:
    form.locator("[name=ping]").first.evaluate(
        """(control, ping) => {
            const { ping: field } = control.form.elements;
            field.value = ping;
            control.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        ping,
    )


def test_without_a_moment_it_shows_todays_time(form: Page) -> None:
    form.fill(CONTENT, "글")
    expect(preview(form).locator(".message-header time")).to_contain_text(":")
    expect(preview(form).locator(".message-header time")).not_to_contain_text(".")


def test_the_moment_is_the_one_on_the_studys_clock(open_desk: OpenDesk) -> None:
    form = open_desk(timezone_id="America/New_York")
    form.fill("#id_publish_at", "2030-01-02T09:00")
    form.fill(CONTENT, "<t:1764000000:t>")
    expect(preview(form).locator(".message-header time")).to_have_text("2030. 01. 02. 오전 9:00")
    expect(preview(form).locator(".timestamp")).to_have_text("오전 1:00")


def test_a_text_that_nests_without_end_is_shown_as_it_is(
    form: Page, subtests: pytest.Subtests
) -> None:
    for text in (">>> " * 1000, "**_" * 1300, "||" * 2000, "[a](" * 1000, "*" * 4096):
        with subtests.test(text[:5]):
            form.fill(CONTENT, text)
            form.fill(TITLE, f"그리는 동안 {text[:1]}")
            expect(preview(form).locator(".embed-title")).to_have_text(f"그리는 동안 {text[:1]}")
            expect(preview(form).locator(".embed-description")).not_to_be_empty()


HOSTILE = [
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=1</script>",
    "[x](javascript:window.hacked=1) <javascript:window.hacked=1>",
    "[x](data:text/html,<script>1</script>) [x]( javascript:1) [x](JaVaScRiPt:1)",
    '[x](https://a.kr/"onmouseover="window.hacked=1)',
    "`<svg onload=window.hacked=1>` ||<svg onload=window.hacked=1>||",
    "```<iframe srcdoc=x>```",
    "{{constructor.constructor('window.hacked=1')()}} ${window.hacked=1}",
    "__proto__ constructor <t:1:R> <@&__proto__> <#constructor>",
]


def test_hostile_texts_stay_text(form: Page, subtests: pytest.Subtests) -> None:
    open_all(form)
    for text in HOSTILE:
        with subtests.test(text[:30]):
            for name in ("title", "content", "place", "author", "url", "image"):
                form.fill(f"#id_{name}", text)
            form.locator("#id_image").blur()
            expect(preview(form).locator(".embed-footer")).to_contain_text(text.strip())
            bad = preview(form).locator(
                "script, iframe, svg, img, object, style, a:not([href^='http']),"
                " [onerror], [onload], [onmouseover], [srcdoc]"
            )
            expect(bad).to_have_count(0)
    assert form.evaluate("window.hacked") is None


def test_a_study_whose_name_is_hostile_stays_a_name(desk: Desk, open_desk: OpenDesk) -> None:
    name = "</script><script>window.hacked=1</script>"
    rename = "from notices.models import Study; Study.objects.update(name={!r})"
    desk.manage("shell", "-c", rename.format(name))
    try:
        form = open_desk()
        expect(preview(form).locator(".embed-footer")).to_contain_text(name)
        assert form.evaluate("window.hacked") is None
    finally:
        desk.manage("shell", "-c", rename.format(STUDY))


def test_an_address_that_is_still_being_typed_is_not_asked_for(form: Page) -> None:
    open_all(form)
    asked: list[str] = []
    form.on("request", lambda request: asked.append(request.url))
    with form.expect_request("https://pictures.test/cat.png"):
        form.locator("#id_image").press_sequentially("https://pictures.test/cat.png")
        form.locator("#id_image").blur()
    expect(preview(form).locator(".embed-image.broken")).to_be_visible()
    assert [url for url in asked if "pictures.test" in url] == ["https://pictures.test/cat.png"]


def test_a_spoiler_opens_by_keyboard(form: Page) -> None:
    form.fill(CONTENT, "범인은 ||[집사](https://a.kr)||")
    spoiler = preview(form).get_by_role("button")
    expect(spoiler).to_be_visible()
    expect(preview(form).get_by_role("link")).to_have_count(0)
    spoiler.press("Enter")
    expect(preview(form).get_by_role("link", name="집사")).to_be_visible()


def test_on_a_phone_it_stands_below_fits_and_folds(open_desk: OpenDesk) -> None:
    form = open_desk(viewport={"width": 360, "height": 740}, color_scheme="dark")
    form.fill(CONTENT, "끊기지않는" * 100)
    assert preview(form).count() == 0, "nothing waits for what is out of sight"
    form.locator("#preview").scroll_into_view_if_needed()
    expect(preview(form)).to_be_visible()
    assert form.evaluate("document.documentElement.scrollWidth") <= 360
    area, message = form.locator(CONTENT).bounding_box(), preview(form).bounding_box()
    assert area is not None
    assert message is not None
    assert message["y"] > area["y"] + area["height"]
    expect(form.locator("#preview-message .canvas")).to_have_css(
        "background-color", "rgb(26, 26, 30)"
    )
    form.locator("#preview summary").click()
    expect(preview(form)).to_be_hidden()


def test_the_preview_comes_later_if_its_script_failed_to_load(open_desk: OpenDesk) -> None:
    form = open_desk(viewport={"width": 360, "height": 740})
    form.fill(TITLE, "8주차 모임")
    form.context.set_offline(True)
    with form.expect_event("requestfailed"):
        form.locator("#preview").scroll_into_view_if_needed()
    form.context.set_offline(False)
    form.locator(TITLE).scroll_into_view_if_needed()
    form.locator("#preview").scroll_into_view_if_needed()
    expect(preview(form)).to_contain_text("8주차 모임")


def test_on_a_wide_screen_it_stands_beside_the_text(open_desk: OpenDesk) -> None:
    form = open_desk(viewport={"width": 1200, "height": 800}, color_scheme="light")
    area, message = form.locator(CONTENT).bounding_box(), preview(form).bounding_box()
    assert area is not None
    assert message is not None
    assert message["x"] > area["x"] + area["width"]
    expect(form.locator("#preview-message .canvas")).to_have_css(
        "background-color", "rgb(251, 251, 251)"
    )
