"""Texts are drawn on the page of fakediscord as Discord draws them, and can do no harm."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cast import GUILD, HOMEWORK, MINJI, ROLE, Bot, OpenPage, shown

pytestmark = pytest.mark.browser

LONG_PROSE = " ".join(["긴 글이라도 코드는 코드로 보여야 합니다."] * 8)
LINK = '<a href="https://a.kr/" target="_blank" rel="noopener noreferrer">{}</a>'
MENTION = '<span class="mention">@{}</span>'


DRAWN = [
    ("**공지**를 읽어 주세요", "<strong>공지</strong>를 읽어 주세요"),
    ("a **b *c*** ~~d~~ __e__", "a <strong>b <em>c</em></strong> <s>d</s> <u>e</u>"),
    ("# 제목\n-# 작게\n글", '<h2>제목</h2><small class="subtext">작게</small>글'),
    ("> 인용\n글", "<blockquote>인용<br></blockquote>글"),
    ("- 가\n- 나", "<ul><li>가</li><li>나</li></ul>"),
    ("3. 가\n4. 나", '<ol start="3"><li>가</li><li>나</li></ol>'),
    ("```py\nx = 1\n```\n글", "<pre><code>x = 1</code></pre>글"),
    (f"```\n{LONG_PROSE}\n```", f"<pre><code>{LONG_PROSE}</code></pre>"),
    (
        "[여기](https://a.kr)와 <https://a.kr/>",
        LINK.format("여기") + "와 " + LINK.format("https://a.kr/"),
    ),
    ("[나쁨](javascript:alert(1))", "[나쁨](javascript:alert(1))"),
    ("<b>x</b> <img src=x>", "&lt;b&gt;x&lt;/b&gt; &lt;img src=x&gt;"),
    (f"<@{MINJI}>님", MENTION.format("민지") + "님"),
    ("<@5>", MENTION.format("알 수 없는 사용자")),
    ("@everyone", MENTION.format("everyone")),
    (f"<#{HOMEWORK}>", f'<a class="mention" href="#/{GUILD}/{HOMEWORK}">#과제</a>'),
    ("<t:99999999999999:R> <t:x>", "&lt;t:99999999999999:R&gt; &lt;t:x&gt;"),
]


def test_markdown_is_drawn_as_discord_does(bot: Bot, page: Page, subtests: pytest.Subtests) -> None:
    for source, drawn in DRAWN:
        with subtests.test(source):
            message = shown(page, bot.send(embeds=[{"description": source}]))
            assert message.locator(".embed-description").inner_html() == drawn


def test_a_role_is_mentioned_by_its_name(bot: Bot, page: Page) -> None:
    message = shown(page, bot.send(content=f"<@&{ROLE}> 모여요"))
    expect(message.locator(".mention")).to_have_text("@1기")


def test_a_timestamp_is_drawn_in_the_readers_time(bot: Bot, open_page: OpenPage) -> None:
    page = open_page(timezone_id="Asia/Seoul")
    message = shown(page, bot.send(content="<t:1764000000:F>에 만나요"))
    expect(message.locator(".timestamp")).to_have_text("2025년 11월 25일 화요일 오전 1:00")


def test_a_title_draws_neither_mentions_nor_links(bot: Bot, page: Page) -> None:
    title = f"<@{MINJI}> [x](https://a.kr) # 제목"
    message = shown(page, bot.send(embeds=[{"title": title}]))
    expect(message.locator(".embed-title")).to_have_text(title)
    expect(message.locator(".embed-title > *")).to_have_count(0)


def test_a_text_that_nests_without_end_is_shown_all_the_same(bot: Bot, page: Page) -> None:
    for source in (">>> " * 1000, "**_" * 1300, "||" * 2000, "[a](" * 1000):
        message = shown(page, bot.send(embeds=[{"description": source}]))
        expect(message.locator(".embed-description")).not_to_be_empty()


def test_a_spoiler_opens_by_keyboard(bot: Bot, page: Page) -> None:
    message = shown(page, bot.send(content="범인은 ||[집사](https://a.kr)||"))
    spoiler = message.get_by_role("button", name="스포일러")
    expect(message.get_by_role("link")).to_have_count(0)
    spoiler.press("Enter")
    expect(message.get_by_role("link", name="집사")).to_be_visible()
