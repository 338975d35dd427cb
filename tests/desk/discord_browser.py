"""A browser that goes to a Discord of its own and comes back, as somebody who logs in does."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client

from notices.desk.discord_login import INVITATION
from tests.fakediscord_driver import FakeDiscordProcess

BEGIN, BACK = "/admin/discord/login/", "/admin/discord/callback/"
# Of fakediscord's own layout.
JIWOO, HANEUL, SEOJUN = "265751101440004096", "409997578424295425", "553156891811786754"
# By this name of the machine fakediscord leads people back.
HOST = "localhost:8000"


def start_discord() -> FakeDiscordProcess:
    client = f"{settings.DISCORD_CLIENT_ID}:{settings.DISCORD_CLIENT_SECRET}"
    return FakeDiscordProcess("--client", client, "--no-limits")


class Browser:
    def __init__(self, language: str = "en", **options: Any) -> None:
        headers = {"Accept-Language": language, "Host": HOST}
        self.client = Client(headers=headers, **options)

    def begin(self, **form: str) -> str:
        """The address at Discord to which the button leads."""
        answer = self.client.post(BEGIN, form)
        assert answer.status_code == 302, answer.content.decode()
        return str(answer["Location"])

    def choose(self, asked: str, user_id: str) -> str:
        """The address to which Discord leads back; no id is to decline."""
        form = dict(parse_qsl(urlsplit(asked).query)) | {"user_id": user_id}
        page = asked.partition("?")[0]
        answer = requests.post(page, data=form, allow_redirects=False, timeout=30)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def come_back(self, address: str) -> Any:
        """Open it; the test client raises what a view does not catch."""
        parts = urlsplit(address)
        assert parts.netloc == HOST
        return self.client.get(f"{parts.path}?{parts.query}")

    def log_in(self, user_id: str, **form: str) -> Any:
        return self.come_back(self.choose(self.begin(**form), user_id))

    def bring_invitation(self, secret: str) -> None:
        session = self.client.session
        session[INVITATION] = secret
        session.save()

    @property
    def user_id(self) -> int | None:
        """Who is logged in."""
        found = self.client.session.get(SESSION_KEY)
        return None if found is None else int(found)
