"""Discord's markdown by button and by shortcut, as a leader meets it in the form."""

import re
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.desk import CONTENT, OpenDesk

pytestmark = pytest.mark.browser

# The tool, the text before and after; what is selected stands in ⟦⟧, the caret as ⟦⟧ alone.
EDITS = [
    ("bold", "모임은 ⟦화요일⟧에", "모임은 **⟦화요일⟧**에"),
    ("bold", "모임은 **⟦화요일⟧**에", "모임은 ⟦화요일⟧에"),
    ("bold", "모임은 ⟦**화요일**⟧에", "모임은 ⟦화요일⟧에"),
    # A blank inside the marks would leave them plain characters.
    ("bold", "모임은⟦ 화요일 ⟧에", "모임은 **⟦화요일⟧** 에"),
    ("bold", "⟦⟧", "**⟦⟧**"),
    ("italic", "**⟦화요일⟧**", "***⟦화요일⟧***"),
    ("italic", "***⟦화요일⟧***", "**⟦화요일⟧**"),
    ("bold", "***⟦화요일⟧***", "*⟦화요일⟧*"),
    ("bold", "*⟦화요일⟧*", "***⟦화요일⟧***"),
    ("underline", "⟦😀 한글⟧", "__⟦😀 한글⟧__"),
    ("strike", "⟦수요일⟧", "~~⟦수요일⟧~~"),
    ("spoiler", "||⟦정답⟧||", "⟦정답⟧"),
    ("code", "⟦x = 1⟧", "`⟦x = 1⟧`"),
    ("codeblock", "보기: ⟦x = 1⟧", "보기: \n```\n⟦x = 1⟧\n```"),
    ("codeblock", "⟦```py\nx = 1\n```⟧", "⟦x = 1⟧"),
    ("quote", "앞\n가⟦⟧나\n뒤", "앞\n> 가⟦⟧나\n뒤"),
    ("quote", "⟦> 가\n\n> 나⟧", "⟦가\n\n나⟧"),
    ("list", "⟦가\n나⟧", "⟦- 가\n- 나⟧"),
    ("numbers", "⟦- 가\n- 나⟧", "⟦1. 가\n2. 나⟧"),
    ("numbers", "⟦1. 가\n2. 나⟧", "⟦가\n나⟧"),
    ("heading", "⟦⟧제목", "# ⟦⟧제목"),
    ("heading", "# 제목⟦⟧", "## 제목⟦⟧"),
    ("heading", "### 제목⟦⟧", "제목⟦⟧"),
    ("link", "⟦자료⟧", "[자료](⟦https://⟧)"),
    ("link", "⟦https://a.kr/7⟧", "[⟦⟧](https://a.kr/7)"),
    ("link", "⟦⟧", "[⟦⟧](https://)"),
]


def tool(form: Page, name: str) -> Locator:
    return form.locator(f"[data-tool={name}]")


def write(form: Page, marked: str) -> str:
    """Put the text in and select what is marked; the text without the marks."""
    before, chosen, _after = marked.replace("⟧", "⟦").split("⟦")
    text = marked.replace("⟦", "").replace("⟧", "")
    form.fill(CONTENT, text)
    # A browser counts in UTF-16 units.
    start = len(before.encode("utf-16-le")) // 2
    end = start + len(chosen.encode("utf-16-le")) // 2
    form.locator(CONTENT).evaluate("(area, at) => area.setSelectionRange(...at)", [start, end])
    return text


def written(form: Page) -> str:
    return str(
        form.locator(CONTENT).evaluate(
            "({ value, selectionStart: from, selectionEnd: to }) =>"
            " `${value.slice(0, from)}⟦${value.slice(from, to)}⟧${value.slice(to)}`"
        )
    )


def test_each_tool_changes_what_is_selected_and_undo_takes_it_back(
    form: Page, subtests: pytest.Subtests
) -> None:
    for name, before, after in EDITS:
        with subtests.test(f"{name}: {before}"):
            text = write(form, before)
            tool(form, name).click()
            expect(form.locator(CONTENT)).to_be_focused()
            assert written(form) == after
            form.keyboard.press("Control+z")
            expect(form.locator(CONTENT)).to_have_value(text)


@pytest.mark.parametrize("modifier", ["Control", "Meta"])
def test_the_usual_shortcuts_work(form: Page, modifier: str) -> None:
    for key, after in (("b", "**⟦가⟧**"), ("i", "*⟦가⟧*"), ("u", "__⟦가⟧__")):
        write(form, "⟦가⟧")
        form.locator(CONTENT).press(f"{modifier}+{key}")
        assert written(form) == after


def test_a_shortcut_works_while_hangul_is_switched_on(form: Page) -> None:
    write(form, "⟦가⟧")
    form.locator(CONTENT).dispatch_event(
        "keydown", {"key": "ㅠ", "code": "KeyB", "ctrlKey": True, "bubbles": True}
    )
    assert written(form) == "**⟦가⟧**"


def test_the_toolbar_is_one_stop_for_tab_and_the_arrows_move_in_it(form: Page) -> None:
    form.locator("#id_title").focus()
    form.keyboard.press("Tab")
    expect(tool(form, "bold")).to_be_focused()
    form.keyboard.press("ArrowLeft")
    expect(tool(form, "timestamp")).to_be_focused()
    form.keyboard.press("Home")
    form.keyboard.press("ArrowRight")
    expect(tool(form, "italic")).to_be_focused()
    form.keyboard.press("Tab")
    expect(form.locator(CONTENT)).to_be_focused()


def test_every_tool_has_a_name_and_room_for_a_thumb(open_desk: OpenDesk) -> None:
    form = open_desk(viewport={"width": 360, "height": 740}, has_touch=True)
    tools = form.get_by_role("toolbar").get_by_role("button")
    expect(tools).to_have_count(14)
    names = {button.get_attribute("aria-label") for button in tools.all()}
    assert len(names) == 14
    for button in tools.all():
        box = button.bounding_box()
        assert box is not None
        assert box["width"] >= 44
        assert box["height"] >= 44
        assert box["x"] + box["width"] <= 360


# --- what is typed and pasted ------------------------------------------------------------------

ENTERS = [
    ("- 가⟦⟧", "- 가\n- ⟦⟧"),
    ("* 가⟦⟧", "* 가\n* ⟦⟧"),
    ("앞\n9. 가⟦⟧", "앞\n9. 가\n10. ⟦⟧"),
    ("- 가\n  - 나⟦⟧", "- 가\n  - 나\n  - ⟦⟧"),
    ("- 가⟦⟧나", "- 가\n- ⟦⟧나"),
    ("- 가⟦나⟧", "- 가\n- ⟦⟧"),
    # An empty one ends the list.
    ("- 가\n- ⟦⟧", "- 가\n⟦⟧"),
    ("1. 가\n2. ⟦⟧\n뒤", "1. 가\n⟦⟧\n뒤"),
    # No list, or no longer one.
    ("가 - 나⟦⟧", "가 - 나\n⟦⟧"),
    ("⟦⟧- 가", "\n⟦⟧- 가"),
    ("-가⟦⟧", "-가\n⟦⟧"),
    ("```\n- x⟦⟧\n```", "```\n- x\n⟦⟧\n```"),
    ("```\nx\n```\n- 가⟦⟧", "```\nx\n```\n- 가\n- ⟦⟧"),
]


def test_a_list_goes_on_with_enter_and_ends_with_an_empty_line(
    form: Page, subtests: pytest.Subtests
) -> None:
    for before, after in ENTERS:
        with subtests.test(before):
            text = write(form, before)
            form.keyboard.press("Enter")
            assert written(form) == after
            form.keyboard.press("Control+z")
            expect(form.locator(CONTENT)).to_have_value(text)


PASTE = """(area, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const options = { clipboardData, bubbles: true, cancelable: true };
  if (area.dispatchEvent(new ClipboardEvent("paste", options)))
    document.execCommand("insertText", false, text);
}"""
ADDRESS = "https://a.kr/7"
PASTES = [
    (ADDRESS, "⟦자료⟧", f"[자료]({ADDRESS})⟦⟧"),
    (f" {ADDRESS}\n", "⟦자료⟧", f"[자료]({ADDRESS})⟦⟧"),
    # After the tool for a link: in its words, in its address, with that selected or not.
    (ADDRESS, "[⟦⟧](https://)", f"[⟦⟧]({ADDRESS})"),
    (ADDRESS, "앞 [자⟦⟧료](https://) 뒤", f"앞 [자⟦⟧료]({ADDRESS}) 뒤"),
    (ADDRESS, "[자료](⟦https://⟧)", f"[자료]({ADDRESS}⟦⟧)"),
    (ADDRESS, "[자료](https://⟦⟧)", f"[자료]({ADDRESS}⟦⟧)"),
    (ADDRESS, "[자료](⟦⟧)", f"[자료]({ADDRESS}⟦⟧)"),
    # A bracket in it would end the link.
    ("https://a.kr/(7)", "⟦자료⟧", "[자료](https://a.kr/%287%29)⟦⟧"),
    # As it is anywhere else.
    (ADDRESS, "앞 ⟦⟧", f"앞 {ADDRESS}⟦⟧"),
    (ADDRESS, "⟦https://old.kr⟧", f"{ADDRESS}⟦⟧"),
    (ADDRESS, "⟦가\n나⟧", f"{ADDRESS}⟦⟧"),
    ("자료실", "[⟦⟧](https://)", "[자료실⟦⟧](https://)"),
]


def test_a_pasted_address_becomes_the_links_address(form: Page, subtests: pytest.Subtests) -> None:
    for pasted, before, after in PASTES:
        with subtests.test(f"{pasted} into {before}"):
            write(form, before)
            form.locator(CONTENT).evaluate(PASTE, pasted)
            assert written(form) == after


def test_pasted_bullets_are_offered_as_a_list(form: Page) -> None:
    offer = form.locator(".bullets")
    write(form, "⟦⟧")
    form.locator(CONTENT).evaluate(PASTE, "준비물\n• 노트북\n\t· 충전기\n3·1절 ● 아님")
    expect(offer).to_be_visible()
    offer.get_by_role("button").click()
    expect(form.locator(CONTENT)).to_have_value("준비물\n- 노트북\n  - 충전기\n3·1절 ● 아님")
    expect(offer).to_be_hidden()
    form.keyboard.press("Control+z")
    expect(form.locator(CONTENT)).to_have_value("준비물\n• 노트북\n\t· 충전기\n3·1절 ● 아님")
    # Signs that she types herself are left as they are.
    write(form, "⟦⟧")
    form.locator(CONTENT).press_sequentially("• 가")
    expect(offer).to_be_hidden()


# --- what a tool opens -------------------------------------------------------------------------


def test_an_emoji_is_found_by_its_name_and_put_in(form: Page) -> None:
    asked: list[str] = []
    form.on("request", lambda request: asked.append(request.url))
    write(form, "모임⟦⟧!")
    assert not [url for url in asked if "emoji" in url]
    tool(form, "emoji").click()
    expect(tool(form, "emoji")).to_have_attribute("aria-expanded", "true")
    picker = form.locator("emoji-picker")
    picker.locator("input[type=search]").fill("하트")
    picker.locator(".emoji-menu [role=option]").first.click()
    expect(form.locator(CONTENT)).to_have_value(re.compile("^모임[^!]+!$"))
    # Nothing is asked for elsewhere.
    assert [url for url in asked if "emoji" in url]
    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
    form.locator(CONTENT).press("Control+z")
    expect(form.locator(CONTENT)).to_have_value("모임!")
    tool(form, "emoji").click()
    expect(picker).to_have_count(0)
    expect(tool(form, "emoji")).to_have_attribute("aria-expanded", "false")


def test_a_moment_is_put_in_as_discord_writes_it(open_desk: OpenDesk) -> None:
    """On the study's clock, wherever she is."""
    form = open_desk(timezone_id="America/New_York")
    write(form, "모임: ⟦⟧")
    tool(form, "timestamp").click()
    popup = form.locator(".toolbar-popup .timestamp")
    expect(popup.locator("input")).to_be_focused()
    popup.locator("input").fill("2030-01-02T20:00")
    expect(popup.locator("option").first).to_contain_text("8:00")
    popup.locator("select").select_option("R")
    popup.get_by_role("button").click()
    moment = int(datetime(2030, 1, 2, 20, tzinfo=ZoneInfo("Asia/Seoul")).timestamp())
    assert written(form) == f"모임: <t:{moment}:R>⟦⟧"
    # Enter puts it in too, and sends no form off.
    popup.locator("input").press("Enter")
    assert written(form).count("<t:") == 2
    popup.locator("input").press("Escape")
    expect(popup).to_have_count(0)
    expect(form.locator(CONTENT)).to_be_focused()


def test_a_tool_that_does_not_come_says_so(form: Page) -> None:
    form.route("**/notices/emoji.js", lambda route: route.abort())
    tool(form, "emoji").click()
    expect(form.locator(".toolbar-popup")).to_contain_text("다시 눌러 주세요")


def test_a_tools_popup_fits_a_phone(open_desk: OpenDesk) -> None:
    form = open_desk(viewport={"width": 360, "height": 740}, has_touch=True)
    for name in ("emoji", "timestamp"):
        tool(form, name).click()
        expect(form.locator(".toolbar-popup > *")).to_be_visible()
        assert form.evaluate("document.documentElement.scrollWidth") <= 360
