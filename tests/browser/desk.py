"""The leaders' desk in a browser: the real processes, with a study of minji's."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.cast import HOMEWORK, NEWS, ROLE
from tests.e2e.stack import Stack
from tests.fakediscord_driver import FakeDiscordProcess

# With the name of who is logged in, and what the browser's context is to be like.
OpenDesk = Callable[..., Page]

PASSWORD = "a-leaders-password"
# The application by which people log in, in the web's environment and as fakediscord is told.
CLIENT = {"DISCORD_CLIENT_ID": "1129780411883352070", "DISCORD_CLIENT_SECRET": "a-secret"}
CLIENT_ARGUMENTS = ("--client", ":".join(CLIENT.values()))
STUDY = "알고리즘 스터디"
COLOUR = 0x57F287
ADD = "/admin/notices/notice/add/"
TITLE, CONTENT = "#id_title", "#id_content"
# With no place to break them.
LONG_TITLE = "이번주모임장소가갑자기바뀌어서급하게다시알려드리는공지" * 8
LONG_TEXT = f"**{LONG_TITLE}**\n- https://example.org/{'a' * 200}\n```\n{'x' * 200}\n```"
_LAY_OUT = f"""
from django.contrib.auth.models import User
from notices.models import Channel, Study
study = Study.objects.create(name={STUDY!r}, colour={COLOUR}, ping_role_id={ROLE})
for name in ("minji", "junho"):
    study.accounts.add(User.objects.create_user(name, password={PASSWORD!r}))
for id, name in (({NEWS}, "공지"), ({HOMEWORK}, "과제")):
    study.channels.add(Channel.objects.create(id=id, name=name))
"""

_MAKE_MINJI = f"""
from django.contrib.auth.models import User
User.objects.create_user("minji", password={PASSWORD!r}, first_name="민지")
"""


class Desk(Stack):
    """The web alone."""

    def __init__(self, folder: Path, discord: FakeDiscordProcess, **environment: str) -> None:
        super().__init__(folder, discord, **environment)
        self.prepare("shell", "-c", _LAY_OUT)
        self.start("web")


class DeskWithBot(Stack):
    """The queue and the bot too; the study has these channels."""

    def __init__(
        self, folder: Path, discord: FakeDiscordProcess, *channels: str, **environment: str
    ) -> None:
        super().__init__(folder, discord, **environment)
        self.prepare("shell", "-c", _MAKE_MINJI)
        connected = [f"--channel={channel}" for channel in channels]
        self.prepare("addstudy", STUDY, *connected, "--leader", "minji")
        self.start("web", "qcluster", "runbot")


def log_in(page: Page, name: str) -> None:
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.locator("#login-form").get_by_role("button").click()


def end_session(page: Page) -> None:
    """As when it ran out, or she logged out in another tab."""
    page.context.clear_cookies(name="sessionid")


def open_all(form: Page) -> None:
    """The parts of the form that are folded away."""
    for part in form.locator("#notice_form details:not([open]) > summary").all():
        part.click()
