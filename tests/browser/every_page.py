"""Every page of the desk that somebody sees, each state of a notice among them, and how to it."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.desk import LONG_TEXT, LONG_TITLE

LEADER, SITE_ADMIN, NOBODY = "minji", "admin", ""
NOTICES = "/admin/notices/notice/"
MEMBERS = "/admin/notices/membership/"
API = "/api/docs/"
Steps = Callable[[Page], object]


def _log_in_in_vain(page: Page) -> None:
    page.fill("#id_username", "nobody")
    page.fill("#id_password", "wrong")
    page.click("[type=submit]")
    page.locator("#login-form, main > h1").wait_for()


def _join_in_vain(page: Page) -> None:
    page.fill("#id_username", "minji")
    page.fill("#id_first_name", "김민지")
    for field in ("#id_password1", "#id_password2"):
        page.fill(field, "12345678")
    page.click("#account-form [type=submit]")
    page.locator("#account-form .errors").first.wait_for()


def _guess_until_locked_out(page: Page) -> None:
    while page.get_by_text("너무 많이 틀렸어요").count() == 0:
        page.fill("#id_username", "guessed")
        page.fill("#id_password", "wrong")
        with page.expect_navigation():
            page.click("[type=submit]")


def _by_discord(page: Page, choice: str) -> None:
    page.locator("#discord-login-form button").click()
    page.get_by_role("button", name=choice).click()
    page.locator("main > h1").wait_for()


def _come_uninvited(page: Page) -> None:
    _by_discord(page, "haneul_")


def _decline(page: Page) -> None:
    _by_discord(page, "취소")


def _after_the_session(page: Page) -> None:
    page.context.clear_cookies(name="csrftoken")
    _log_in_in_vain(page)


def _open_the_menu(page: Page) -> None:
    page.locator("button[aria-controls=user-links]").evaluate("button => button.click()")


def _unfold(page: Page) -> None:
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


def _write_a_long_one(page: Page) -> None:
    page.select_option("#id_study", index=1)
    page.fill("#id_title", LONG_TITLE)
    page.fill("#id_content", LONG_TEXT)
    page.select_option("#id_ping", "role")
    _unfold(page)


def _leave_all_out(page: Page) -> None:
    page.locator("[name=_publish]").click()
    page.locator(".errorlist").first.wait_for()


def _ping_everyone(page: Page) -> None:
    page.select_option("#id_study", index=1)
    page.fill("#id_title", "전체 모임")
    page.fill("#id_content", "모두 모여요.")
    page.select_option("#id_ping", "everyone")
    page.locator("[name=_publish]").click()
    page.get_by_role("alertdialog").wait_for()


def _invite(page: Page) -> None:
    page.select_option("#id_study", index=1)
    page.click("#submit-row [type=submit]")
    page.locator("#invitation-link").wait_for()


def _reset(page: Page) -> None:
    page.click("form.deeds [type=submit]")
    page.locator("#password-link").wait_for()


def _withdraw(page: Page) -> None:
    page.locator("#withdraw").click()
    page.locator(".withdrawal").wait_for()


def _paste_people(page: Page) -> None:
    wrong = "1.10000E+18\n" + "가" * 80
    page.fill("#id_text", f"1100000000000000101\n1100000000000000777,김민지\n{wrong}")
    page.locator("form.withdrawal [type=submit]").click()
    page.locator("[name=previewed]").wait_for(state="attached")


def _paste_nobody(page: Page) -> None:
    page.locator("form.withdrawal [type=submit]").click()
    page.locator(".errorlist, .errors").first.wait_for()


@dataclass(frozen=True)
class Place:
    """The account that opens a page, its address, and the steps before the page is examined.

    `path` names what `rows.lay_out` has laid out: "{sent}" is the number of the notice.
    """

    who: str
    path: str
    steps: Steps | None = None

    def __str__(self) -> str:
        done = f" {self.steps.__name__}" if self.steps else ""
        return f"{self.who or 'nobody'} {self.path}{done}"


def _change(model: str, row: str) -> str:
    return f"/admin/{model}/{{{row}}}/change/"


_OF_NOBODY = (
    Place(NOBODY, "/admin/login/"),
    Place(NOBODY, "/admin/login/", _log_in_in_vain),
    Place(NOBODY, "/admin/login/", _guess_until_locked_out),
    Place(NOBODY, "/admin/login/", _after_the_session),
    Place(NOBODY, "/admin/login/", _come_uninvited),
    Place(NOBODY, "/admin/login/", _decline),
    Place(NOBODY, "/admin/discord/callback/"),
    Place(NOBODY, "/nowhere/"),
    Place(NOBODY, "/invitation/{secret}/"),
    Place(NOBODY, "/invitation/{secret}/", _join_in_vain),
    Place(NOBODY, "/invitation/{secret}/login/"),
    Place(NOBODY, "/invitation/wrong/"),
    Place(NOBODY, "/first-admin/wrong/"),
    Place(NOBODY, "/password/"),
    Place(NOBODY, "/password/asked/"),
    Place(NOBODY, "/password/{password_link}/"),
    Place(NOBODY, "/password/MQ/wrong/"),
)
_STATES = ("draft", "scheduled", "sent", "partly", "failed", "unknown", "withdrawn", "archived")
_OF_A_LEADER = (
    Place(LEADER, "/admin/"),
    Place(LEADER, "/admin/", _open_the_menu),
    Place(LEADER, NOTICES),
    Place(LEADER, f"{NOTICES}?status=failed&q=nothing"),
    Place(LEADER, f"{NOTICES}add/", _write_a_long_one),
    Place(LEADER, f"{NOTICES}add/", _leave_all_out),
    Place(LEADER, f"{NOTICES}add/", _ping_everyone),
    *(Place(LEADER, _change("notices/notice", state), _unfold) for state in _STATES),
    Place(LEADER, _change("notices/notice", "sent"), _withdraw),
    Place(LEADER, f"{NOTICES}{{sent}}/history/"),
    Place(LEADER, f"{NOTICES}{{draft}}/delete/"),
    Place(LEADER, "/admin/notices/study/"),
    Place(LEADER, _change("notices/study", "study")),
    Place(LEADER, "/admin/notices/channel/"),
    Place(LEADER, _change("notices/channel", "channel")),
    Place(LEADER, "/admin/notices/invitation/"),
    Place(LEADER, "/admin/notices/invitation/add/"),
    Place(LEADER, "/admin/notices/invitation/add/", _invite),
    Place(LEADER, _change("notices/invitation", "invitation")),
    Place(LEADER, "/invitation/{secret}/"),
    Place(LEADER, MEMBERS),
    Place(LEADER, f"{MEMBERS}?left=1&q=nothing"),
    Place(LEADER, f"{MEMBERS}of/{{study}}/add/", _paste_people),
    Place(LEADER, f"{MEMBERS}of/{{study}}/add/", _paste_nobody),
    Place(LEADER, "/admin/password_change/"),
    Place(LEADER, "/admin/password_change/done/"),
    Place(LEADER, "/admin/discord/"),
    Place(LEADER, "/admin/setup/"),  # not hers
    Place(LEADER, API, lambda page: page.locator(".opblock").first.wait_for()),
)
_ROWS = {
    "notices/study": "study", "notices/channel": "channel", "notices/apikey": "key",
    "notices/callbackendpoint": "callback", "notices/membership": "member",
    "auth/user": "leader", "notices/delivery": "delivery",
    "notices/callbackmessage": "message", "notices/botinstance": "bot", "admin/logentry": "log",
    "django_q/failure": "failure", "django_q/success": "success", "django_q/schedule": "schedule",
}  # fmt: skip
_ADDED = ("notices/study", "notices/channel", "notices/apikey", "notices/callbackendpoint")
_OF_A_SITE_ADMIN = (
    Place(SITE_ADMIN, "/admin/"),
    Place(SITE_ADMIN, "/admin/setup/"),
    *(Place(SITE_ADMIN, f"/admin/{model}/") for model in _ROWS),
    *(Place(SITE_ADMIN, _change(model, row)) for model, row in _ROWS.items()),
    *(Place(SITE_ADMIN, f"/admin/{model}/add/") for model in (*_ADDED, "auth/user")),
    Place(SITE_ADMIN, "/admin/notices/study/{study}/history/"),
    Place(SITE_ADMIN, "/admin/auth/user/{leader}/password/"),
    Place(SITE_ADMIN, _change("auth/user", "leader"), _reset),
)
PLACES = (*_OF_NOBODY, *_OF_A_LEADER, *_OF_A_SITE_ADMIN)
