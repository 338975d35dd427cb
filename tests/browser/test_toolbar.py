"""Discord's markdown by button and by shortcut, as a leader meets it in the form."""

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
    expect(tool(form, "codeblock")).to_be_focused()
    form.keyboard.press("Home")
    form.keyboard.press("ArrowRight")
    expect(tool(form, "italic")).to_be_focused()
    form.keyboard.press("Tab")
    expect(form.locator(CONTENT)).to_be_focused()


def test_every_tool_has_a_name_and_room_for_a_thumb(open_desk: OpenDesk) -> None:
    form = open_desk(viewport={"width": 360, "height": 740}, has_touch=True)
    tools = form.get_by_role("toolbar").get_by_role("button")
    expect(tools).to_have_count(12)
    names = {button.get_attribute("aria-label") for button in tools.all()}
    assert len(names) == 12
    for button in tools.all():
        box = button.bounding_box()
        assert box is not None
        assert box["width"] >= 44
        assert box["height"] >= 44
        assert box["x"] + box["width"] <= 360
