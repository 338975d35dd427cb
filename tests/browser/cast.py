"""A small Discord with its bot, and what of it can be seen on the page."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import APIRequestContext, Locator, Page

Message = dict[str, Any]
# With a hash, and with what the browser's context is to be like.
OpenPage = Callable[..., Page]

GUILD, OTHER_GUILD = "1000000000000000001", "1000000000000000002"
NEWS, HOMEWORK, FORBIDDEN = "1000000000000000011", "1000000000000000012", "1000000000000000013"
OTHER_NEWS = "1000000000000000021"
BOT, MINJI, JUNHO = "1000000000000000090", "1000000000000000091", "1000000000000000092"
ROLE = "1000000000000000050"
LAYOUT = {
    "application": {"id": BOT, "name": "스터디봇"},
    "bot": {"id": BOT, "username": "스터디봇"},
    "people": [{"id": MINJI, "username": "민지"}, {"id": JUNHO, "username": "준호"}],
    "guilds": [
        {
            "id": GUILD,
            "name": "알고리즘",
            "icon_text": "알고",
            "roles": [{"id": ROLE, "name": "1기", "color": 0xF1C40F}],
            "channels": [
                {"id": NEWS, "name": "공지", "type": "announcement", "topic": "꼭 읽어 주세요"},
                {"id": HOMEWORK, "name": "과제"},
                {"id": FORBIDDEN, "name": "운영", "bot_denied": ["SEND_MESSAGES"]},
            ],
        },
        {
            "id": OTHER_GUILD,
            "name": "Reading",
            "channels": [{"id": OTHER_NEWS, "name": "news"}],
        },
    ],
}
YES = {"type": 2, "style": 3, "label": "확인했어요", "custom_id": "yes"}


class Bot:
    """Speaks to the API as a bot does."""

    def __init__(self, request: APIRequestContext, api_url: str) -> None:
        self._request = request
        self._channels = f"{api_url}/channels"

    def send(self, channel_id: str = NEWS, **message: Any) -> Message:
        sent: Message = self._ask("POST", f"{channel_id}/messages", message)
        return sent

    def send_files(self, payload: Message, *files: tuple[str, bytes]) -> Message:
        """To the same channel, each under its name."""
        parts: dict[str, Any] = {"payload_json": json.dumps(payload)}
        for n, (name, content) in enumerate(files):
            kind = "application/octet-stream"
            parts[f"files[{n}]"] = {"name": name, "mimeType": kind, "buffer": content}
        url, headers = f"{self._channels}/{NEWS}/messages", {"Authorization": "Bot any"}
        answer = self._request.post(url, multipart=parts, headers=headers)
        assert answer.ok, answer.text()
        sent: Message = answer.json()
        return sent

    def edit(self, message: Message, **changes: Any) -> None:
        self._ask("PATCH", f"{message['channel_id']}/messages/{message['id']}", changes)

    def delete(self, message: Message) -> None:
        self._ask("DELETE", f"{message['channel_id']}/messages/{message['id']}")

    def _ask(self, method: str, path: str, data: Any = None) -> Any:
        headers = {"Authorization": "Bot any"}
        url = f"{self._channels}/{path}"
        answer = self._request.fetch(url, method=method, headers=headers, data=data)
        assert answer.ok, answer.text()
        return answer.json() if answer.body() else None


def shown(page: Page, message: Message) -> Locator:
    return page.locator(f"#messages [data-message-id='{message['id']}']")


def buttons(*parts: Message) -> list[Message]:
    return [{"type": 1, "components": list(parts)}]
