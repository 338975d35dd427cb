"""Nothing typed is lost: to a session that ended, a refusal, a closed page or another's change."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.browser.desk import (
    ADD,
    CONTENT,
    TITLE,
    Desk,
    end_session,
    log_in,
)

pytestmark = pytest.mark.browser

RESTORE, DISCARD = "[data-do=restore]", "[data-do=discard]"


def offered(form: Page) -> Locator:
    return form.locator("#unsaved")


def write(form: Page, title: str, content: str = "내용") -> None:
    # By keys: a browser asks before it leaves only where somebody has really typed.
    form.locator(TITLE).press_sequentially(title)
    form.fill(CONTENT, content)


def save_draft(form: Page) -> str:
    """Returns the address of the notice."""
    form.click("[name=_draft]")
    form.wait_for_url("**/change/")
    return form.url


def answer_with(answers: list[str], *, accept: bool) -> Callable[[Dialog], None]:
    def answer(dialog: Dialog) -> None:
        answers.append(dialog.type)
        if accept:
            dialog.accept()
        else:
            dialog.dismiss()

    return answer


@pytest.fixture
def add(desk: Desk) -> str:
    return f"{desk.url}{ADD}"


def test_after_a_lost_session_she_logs_in_again_and_finds_her_text(form: Page, add: str) -> None:
    write(form, "잃어버릴 뻔한 공지", "**첫째** 줄\n둘째 줄")
    form.locator("input[name=channels]").nth(1).uncheck()
    end_session(form)
    form.click("[name=_draft]")
    log_in(form, "minji")
    expect(offered(form)).to_contain_text("잃어버릴 뻔한 공지")
    expect(form.locator(TITLE)).to_have_value("")
    form.click(RESTORE)
    expect(form.locator(TITLE)).to_have_value("잃어버릴 뻔한 공지")
    expect(form.locator(CONTENT)).to_have_value("**첫째** 줄\n둘째 줄")
    expect(form.locator("input[name=channels]").nth(0)).to_be_checked()
    expect(form.locator("input[name=channels]").nth(1)).not_to_be_checked()
    expect(form.locator("#preview-message .embed-title")).to_have_text("잃어버릴 뻔한 공지")
    expect(offered(form)).to_be_hidden()
    save_draft(form)
    form.goto(add)
    expect(form.locator(TITLE)).to_be_visible()
    expect(offered(form)).to_be_hidden()


def test_after_a_login_in_another_tab_she_is_told_what_to_do_and_finds_her_text(
    form: Page, add: str
) -> None:
    write(form, "다른 창에서 로그인")
    end_session(form)
    other = form.context.new_page()
    other.goto(add)
    log_in(other, "minji")
    expect(other.locator(TITLE)).to_be_visible()
    form.click("[name=_draft]")
    form.locator("a[href='/admin/notices/notice/']").click()
    form.goto(add)
    expect(offered(form)).to_contain_text("다른 창에서 로그인")


def test_a_saved_text_is_kept_no_longer(form: Page) -> None:
    write(form, "저장한 공지")
    kept = "Object.keys(localStorage).filter((key) => key.startsWith('notices.unsaved.')).length"
    assert form.evaluate(kept) == 1
    save_draft(form)
    form.wait_for_function(f"{kept} === 0")


def test_a_refused_text_is_still_there_and_leaving_asks(form: Page, add: str) -> None:
    form.fill(CONTENT, "제목 없는 내용")
    form.click("[name=_draft]")
    expect(form.locator(".errors").first).to_be_visible()
    expect(form.locator(CONTENT)).to_have_value("제목 없는 내용")
    expect(offered(form)).to_be_hidden()
    form.locator(CONTENT).press("End")
    asked: list[str] = []
    form.on("dialog", answer_with(asked, accept=True))
    form.goto(add)
    assert asked == ["beforeunload"]
    expect(offered(form)).to_contain_text("제목 없는 내용")


def test_leaving_asks_while_there_is_something_to_lose_and_only_then(
    form: Page, desk: Desk, add: str
) -> None:
    asked: list[str] = []
    form.on("dialog", answer_with(asked, accept=True))
    form.locator(TITLE).press_sequentially("가")
    form.locator(TITLE).press("Backspace")
    form.goto(f"{desk.url}/admin/")
    assert asked == []
    form.goto(add)
    write(form, "쓰다 만 공지")
    form.goto(f"{desk.url}/admin/")
    assert asked == ["beforeunload"]
    form.goto(add)
    expect(offered(form)).to_contain_text("쓰다 만 공지")


def test_a_discarded_text_is_gone(form: Page, add: str) -> None:
    write(form, "버릴 공지")
    form.on("dialog", answer_with([], accept=True))
    form.goto(add)
    form.click(DISCARD)
    expect(offered(form)).to_be_hidden()
    form.goto(add)
    expect(form.locator(TITLE)).to_be_visible()
    expect(offered(form)).to_be_hidden()


def test_a_text_is_offered_only_to_whoever_wrote_it(form: Page, add: str) -> None:
    write(form, "민지의 공지")
    form.on("dialog", answer_with([], accept=True))
    end_session(form)
    form.goto(add)
    log_in(form, "junho")
    expect(form.locator(TITLE)).to_be_visible()
    expect(offered(form)).to_be_hidden()


def test_two_forms_keep_a_text_each(form: Page, add: str) -> None:
    write(form, "첫째 창")
    other = form.context.new_page()
    other.goto(add)
    write(other, "둘째 창")
    end_session(form)
    form.click("[name=_draft]")
    log_in(form, "minji")
    for title in ("첫째 창", "둘째 창"):
        expect(offered(form)).to_contain_text(title)
        form.click(DISCARD)
        form.goto(add)


def test_text_for_a_notice_is_offered_on_its_own_page_and_says_if_it_was_changed_since(
    form: Page, desk: Desk, add: str
) -> None:
    write(form, "함께 고치는 공지")
    address = save_draft(form)
    form.on("dialog", answer_with([], accept=True))
    form.locator(CONTENT).press("Control+End")
    form.locator(CONTENT).press_sequentially(" 민지가 고침")
    form.goto(add)
    expect(form.locator(TITLE)).to_be_visible()
    expect(offered(form)).to_be_hidden()
    form.goto(address)
    expect(offered(form)).to_be_visible()
    expect(form.locator("[data-changed-since]")).to_be_hidden()
    number = address.rstrip("/").split("/")[-2]
    change = f"Notice.objects.filter(pk={number}).update(content='준호가 고침')"
    desk.manage("shell", "-c", f"from notices.models import Notice; {change}")
    form.goto(address)
    expect(form.locator("[data-changed-since]")).to_be_visible()
    expect(form.locator(CONTENT)).to_have_value("준호가 고침")
    form.click(RESTORE)
    expect(form.locator(CONTENT)).to_have_value("내용 민지가 고침")


def test_a_hostile_text_is_offered_as_text(form: Page, add: str) -> None:
    write(form, "<img src=x onerror=window.hacked=1>")
    form.on("dialog", answer_with([], accept=True))
    form.goto(add)
    expect(offered(form)).to_contain_text("<img src=x onerror=window.hacked=1>")
    assert form.evaluate("window.hacked") is None


def test_the_form_works_without_room_in_the_browser(form: Page) -> None:
    form.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full') } }")
    write(form, "저장소 없이")
    save_draft(form)
    expect(form.locator(TITLE)).to_have_value("저장소 없이")
