"""From her phone a leader attaches a picture and files: sent at once, shown at once, never lost."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests.browser.cast import Bot, OpenPage, shown
from tests.browser.desk import ADD, CONTENT, TITLE, Desk, OpenDesk, end_session, log_in, open_all
from tests.browser.test_preview import STRUCTURE, preview
from tests.pictures import picture

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "has_touch": True,
    "is_mobile": True,
}
PICTURE, FILES = "[data-uploads=picture]", "[data-uploads=attached]"
SAID = ".uploads-said"


@pytest.fixture
def map_(tmp_path: Path) -> Path:
    path = tmp_path / "지도 1.png"
    path.write_bytes(picture("PNG", (300, 200)))
    return path


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "8주차 계획.pdf"
    path.write_bytes(b"%PDF-1.4 " + b"plan" * 500)
    return path


@pytest.fixture
def phone(open_desk: OpenDesk) -> Page:
    return open_desk(**PHONE)


def pick(form: Page, box: str, *paths: Path) -> None:
    form.set_input_files(f"{box} input[type=file]", [str(path) for path in paths])


def rows(form: Page, box: str) -> Any:
    return form.locator(f"{box} [data-upload]")


def save_draft(form: Page) -> None:
    form.click("[name=_draft]")
    form.wait_for_url("**/change/")


def test_a_picture_and_files_are_uploaded_previewed_saved_and_removed_on_a_phone(
    phone: Page, map_: Path, plan: Path
) -> None:
    phone.fill(TITLE, "8주차")
    phone.fill(CONTENT, "지도와 계획")
    pick(phone, PICTURE, map_)
    pick(phone, FILES, plan, map_)
    expect(rows(phone, PICTURE)).to_contain_text("지도_1.png")
    expect(rows(phone, FILES)).to_have_count(2)
    expect(phone.locator(f"{FILES} {SAID}")).to_contain_text("8주차_계획.pdf")

    phone.locator("#preview").scroll_into_view_if_needed()
    message = preview(phone)
    expect(message.locator(".embed-image img")).to_have_js_property("naturalWidth", 300)
    expect(message.locator(".attachment img")).to_have_js_property("naturalWidth", 300)
    expect(message.locator(".attachment-file")).to_contain_text("8주차_계획.pdf")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360

    save_draft(phone)
    expect(rows(phone, PICTURE)).to_contain_text("지도_1.png")
    expect(rows(phone, FILES)).to_have_count(2)

    rows(phone, FILES).first.get_by_role("button").click()
    expect(rows(phone, FILES)).to_have_count(1)
    phone.locator("#preview").scroll_into_view_if_needed()
    expect(preview(phone)).to_be_visible()
    expect(preview(phone).locator(".attachment-file")).to_have_count(0)
    save_draft(phone)
    expect(rows(phone, FILES)).to_have_count(1)


def test_the_preview_shows_files_as_the_channel_does(
    form: Page, open_page: OpenPage, bot: Bot, map_: Path, plan: Path
) -> None:
    channel = open_page(timezone_id="Asia/Seoul")
    open_all(form)
    form.fill(TITLE, "제목")
    form.fill(CONTENT, "본문")
    form.fill("#id_author", "")
    form.fill("#id_publish_at", "2030-01-02T09:00")
    pick(form, PICTURE, map_)
    pick(form, FILES, plan)
    expect(rows(form, FILES)).to_have_count(1)
    expect(rows(form, PICTURE)).to_have_count(1)
    drawn = preview(form)
    expect(drawn.locator(".attachment-file")).to_be_visible()
    footer = drawn.locator(".embed-footer").inner_text()
    embed = {
        "title": "제목", "description": "본문", "image": {"url": "attachment://picture-1.png"},
        "footer": {"text": footer},
    }  # fmt: skip
    sent = bot.send_files(
        {"embeds": [embed]}, ("picture-1.png", map_.read_bytes()),
        ("8주차_계획.pdf", plan.read_bytes()),
    )  # fmt: skip

    def look(message: Any) -> str:
        found = json.dumps(message.locator(".message-body").evaluate(STRUCTURE))
        # Each has its own addresses.
        for link in message.locator("a, img").all():
            for name in ("href", "src"):
                found = found.replace(str(link.get_attribute(name)), "…")
        return found

    there = shown(channel, sent)
    expect(there.locator(".attachment-file")).to_be_visible()
    assert look(drawn) == look(there)


def test_a_refused_save_and_a_lost_session_lose_no_file(
    form: Page, desk: Desk, map_: Path, plan: Path
) -> None:
    pick(form, PICTURE, map_)
    pick(form, FILES, plan)
    expect(rows(form, FILES)).to_have_count(1)
    expect(rows(form, PICTURE)).to_have_count(1)
    form.fill(CONTENT, "제목 없는 내용")
    form.click("[name=_draft]")
    expect(form.locator(".errors").first).to_be_visible()
    expect(rows(form, PICTURE)).to_contain_text("지도_1.png")

    form.fill(TITLE, "제목")
    form.on("dialog", lambda dialog: accept(dialog))
    end_session(form)
    form.click("[name=_draft]")
    log_in(form, "minji")
    form.goto(f"{desk.url}{ADD}")
    expect(rows(form, FILES)).to_have_count(0)
    form.click("[data-do=restore]")
    expect(rows(form, FILES)).to_contain_text("8주차_계획.pdf")
    expect(preview(form).locator(".embed-image img")).to_have_js_property("naturalWidth", 300)
    save_draft(form)
    expect(rows(form, FILES)).to_contain_text("8주차_계획.pdf")


def accept(dialog: Dialog) -> None:
    dialog.accept()


def test_an_upload_that_fails_is_explained_at_the_file(
    form: Page, desk: Desk, tmp_path: Path, plan: Path
) -> None:
    said = form.locator(f"{FILES} {SAID}")
    large = tmp_path / "큰 파일.zip"
    large.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    pick(form, FILES, large)
    expect(said).to_contain_text("큰 파일.zip")
    expect(said).to_contain_text("10.1")
    empty = tmp_path / "빈 파일.txt"
    empty.write_bytes(b"")
    pick(form, FILES, empty)
    expect(said).to_contain_text("빈_파일.txt")

    form.route("**/admin/uploads/", lambda route: route.abort())
    pick(form, FILES, plan)
    expect(said).to_contain_text("연결이 끊겨")
    form.unroute("**/admin/uploads/")
    end_session(form)
    pick(form, FILES, plan)
    expect(said).to_contain_text("로그인")
    # She logs in in another tab, and goes on where she was.
    other = form.context.new_page()
    other.goto(f"{desk.url}{ADD}")
    log_in(other, "minji")
    expect(other.locator(TITLE)).to_be_visible()
    pick(form, FILES, plan)
    expect(rows(form, FILES)).to_have_count(1)


def test_the_form_is_not_saved_while_a_file_is_uploaded(form: Page, plan: Path) -> None:
    held: list[Route] = []
    form.route("**/admin/uploads/", lambda route: held.append(route))
    form.fill(TITLE, "제목")
    form.fill(CONTENT, "내용")
    pick(form, FILES, plan)
    expect(form.locator(f"{FILES} progress")).to_be_visible()
    form.click("[name=_draft]")
    expect(form.locator(f"{FILES} {SAID}")).to_contain_text("올리는 중")
    assert form.url.endswith(ADD)
    form.click("[name=_draft]")
    held[0].continue_()
    expect(rows(form, FILES)).to_have_count(1)
    # The words about the wait are gone.
    expect(form.locator(f"{FILES} {SAID} p")).to_have_count(1)
    expect(form.locator(f"{FILES} {SAID}")).to_contain_text("올렸어요")
    save_draft(form)
    expect(rows(form, FILES)).to_have_count(1)


# As every picture in HEIC begins.
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"


@pytest.mark.parametrize(
    ("name", "kind", "content", "told"),
    [
        ("IMG_1.HEIC", "image/heic", HEIC, "JPEG"),
        ("IMG_2.heif", "", HEIC, "JPEG"),
        ("plan.pdf", "application/pdf", b"%PDF-1.4", "PNG"),
        ("drawing.svg", "image/svg+xml", b"<svg/>", "PNG"),
        # Called what it is not: the server looks into it.
        ("IMG_3.jpg", "image/jpeg", HEIC, "JPEG"),
        ("IMG_4.png", "image/png", b"no picture at all", "PNG"),
    ],
)
def test_a_file_that_discord_does_not_show_as_a_picture_is_refused_at_once(
    form: Page, map_: Path, name: str, kind: str, content: bytes, told: str
) -> None:
    pick(form, PICTURE, map_)
    expect(rows(form, PICTURE)).to_have_count(1)
    chosen: Any = {"name": name, "mimeType": kind, "buffer": content}
    form.set_input_files(f"{PICTURE} input[type=file]", chosen)
    said = form.locator(f"{PICTURE} {SAID}")
    expect(said).to_contain_text(name)
    expect(said).to_contain_text(told)
    expect(said).not_to_contain_text("올렸어요")


def test_a_refused_file_removes_no_other(form: Page, map_: Path) -> None:
    pick(form, PICTURE, map_)
    expect(rows(form, PICTURE)).to_have_count(1)
    heic: Any = {"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": HEIC}
    form.set_input_files(f"{PICTURE} input[type=file]", heic)
    expect(form.locator(f"{PICTURE} {SAID}")).to_contain_text("HEIC")
    expect(rows(form, PICTURE)).to_contain_text("지도_1.png")
    # As a file it can go along.
    form.set_input_files(f"{FILES} input[type=file]", heic)
    expect(rows(form, FILES)).to_contain_text("IMG_1.HEIC")


_HAND_OVER = """(target, [event, files, text]) => {
  const data = new DataTransfer();
  for (const [name, type, encoded] of files) {
    const bytes = Uint8Array.from(atob(encoded), (one) => one.charCodeAt());
    data.items.add(new File([bytes], name, { type }));
  }
  if (text) data.setData("text/plain", text);
  const options = { bubbles: true, cancelable: true };
  const made = event === "paste"
    ? new ClipboardEvent(event, { ...options, clipboardData: data })
    : new DragEvent(event, { ...options, dataTransfer: data });
  return target.dispatchEvent(made);
}"""


def hand_over(form: Page, target: str, event: str, *files: Path, text: str = "") -> bool:
    """As a browser does it; whether the form leaves it to the browser."""
    kinds = {".png": "image/png", ".pdf": "application/pdf"}
    sent = [
        (path.name, kinds[path.suffix], base64.b64encode(path.read_bytes()).decode())
        for path in files
    ]
    return bool(form.locator(target).evaluate(_HAND_OVER, [event, sent, text]))


def test_a_picture_is_pasted_into_the_text(form: Page, map_: Path) -> None:
    assert not hand_over(form, CONTENT, "paste", map_)
    expect(rows(form, PICTURE)).to_contain_text("지도_1.png")
    expect(preview(form).locator(".embed-image img")).to_have_js_property("naturalWidth", 300)
    # The place is taken: the next one goes along as a file.
    hand_over(form, CONTENT, "paste", map_)
    expect(rows(form, FILES)).to_contain_text("지도_1.png")
    expect(rows(form, PICTURE)).to_have_count(1)


def test_text_that_is_copied_with_a_picture_is_pasted_as_text(form: Page, map_: Path) -> None:
    assert hand_over(form, CONTENT, "paste", map_, text="표의 글")
    assert hand_over(form, CONTENT, "paste", text="글")
    expect(form.locator("[data-upload], [data-under-way]")).to_have_count(0)


def test_files_are_dropped_anywhere_into_the_form(form: Page, map_: Path, plan: Path) -> None:
    assert not hand_over(form, TITLE, "dragover", map_, plan)
    expect(form.locator("form.dropping")).to_have_count(1)
    assert not hand_over(form, TITLE, "drop", map_, plan)
    expect(form.locator("form.dropping")).to_have_count(0)
    expect(rows(form, PICTURE)).to_contain_text("지도_1.png")
    expect(rows(form, FILES)).to_contain_text("8주차_계획.pdf")
    # A file that is dropped on a box goes into that one.
    hand_over(form, FILES, "drop", map_)
    expect(rows(form, FILES)).to_have_count(2)


def test_dragged_text_is_left_to_the_browser(form: Page) -> None:
    assert hand_over(form, CONTENT, "dragover", text="글")
    assert hand_over(form, CONTENT, "drop", text="글")


def test_the_file_picker_looks_like_a_button(phone: Page) -> None:
    look = "(input) => getComputedStyle(input, '::file-selector-button')"
    for picker in phone.locator("input[type=file]").all():
        assert picker.evaluate(f"(input) => parseFloat(({look})(input).minHeight)") >= 44
        assert picker.evaluate(f"(input) => ({look})(input).borderTopWidth") == "1px"


def test_an_upload_can_be_cancelled(form: Page, plan: Path) -> None:
    form.route("**/admin/uploads/", lambda route: None)
    pick(form, FILES, plan)
    form.locator(f"{FILES} li button").click()
    expect(form.locator(f"{FILES} li")).to_have_count(0)


def test_the_attachments_stay_when_the_script_does_not_run(form: Page, plan: Path) -> None:
    form.fill(TITLE, "제목")
    form.fill(CONTENT, "내용")
    pick(form, FILES, plan)
    expect(rows(form, FILES)).to_have_count(1)
    save_draft(form)
    form.route("**/notices/uploads.js", lambda route: route.abort())
    form.reload()
    expect(form.locator(f"{FILES} input[type=file]")).to_be_hidden()
    assert "JavaScript" in str(form.locator(f"{FILES} noscript").evaluate("(it) => it.innerHTML"))
    form.fill(TITLE, "다른 제목")
    save_draft(form)
    form.unroute("**/notices/uploads.js")
    form.reload()
    expect(form.locator(TITLE)).to_have_value("다른 제목")
    expect(rows(form, FILES)).to_contain_text("8주차_계획.pdf")


def test_the_permission_for_files_is_mentioned_only_with_files(
    form: Page, desk: Desk, plan: Path
) -> None:
    lacking = "Channel.objects.filter(name='과제').update(permissions=(1<<53)-1-(1<<15))"
    desk.manage("shell", "-c", f"from notices.models import Channel; {lacking}")
    form.reload()
    told = form.locator(".for-files")
    expect(told).to_be_hidden()
    pick(form, FILES, plan)
    expect(told).to_be_visible()
    expect(told).to_contain_text("파일 첨부하기")
