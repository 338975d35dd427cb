"""Reads orders from Discord's interactions, answers them, and keeps the list of commands there."""

import asyncio
import logging
from typing import Any

import aiohttp
import discord
import orjson
from django.utils import translation
from django.utils.translation import gettext as _

from notices.bot.orders import Interaction
from notices.outside import clock
from notices.people.orders import LANGUAGES, Button, Order, Picker, Told

log = logging.getLogger(__name__)

Json = dict[str, Any]

# Discord's numbers (its documentation, "Interactions", "Message Components").
_COMMAND, _COMPONENT = 2, 3
_NEW_MESSAGE, _UPDATED_MESSAGE = 4, 7
_EPHEMERAL = 1 << 6
_ROW, _BUTTON, _GREY, _RED = 1, 2, 2, 4
_USER_SELECT, _MOST_PICKED = 5, 25
_LONGEST_LABEL = 80
# "p1" is this form of it; the buttons of notices begin otherwise (`delivery/identity.py`).
_PREFIX = "p1"
_AGAIN_SECONDS = 0.2
# It is gone, or it is answered: neither gets better by a second try.
_NEVER_AGAIN = (400, 401, 403, 404)

# Discord shows the name in the reader's language, and gives it back as it stands first.
_VERBS = {"참여": "join", "내정보": "mydata", "명단": "roster"}
COMMANDS: list[Json] = [
    {
        "name": "참여",
        "name_localizations": {"en-US": "join", "en-GB": "join"},
        "description": "이 채널의 스터디에 참여하거나 그만둡니다.",
        "description_localizations": {
            "en-US": "Take part in this channel's study, or leave it.",
            "en-GB": "Take part in this channel's study, or leave it.",
        },
        "type": 1,
        "contexts": [0],
        "integration_types": [0],
    },
    {
        "name": "내정보",
        "name_localizations": {"en-US": "mydata", "en-GB": "mydata"},
        "description": "저장된 내 정보를 보고, 파일로 받거나 지웁니다.",
        "description_localizations": {
            "en-US": "See what is kept about you, take it along or delete it.",
            "en-GB": "See what is kept about you, take it along or delete it.",
        },
        "type": 1,
        "contexts": [0],
        "integration_types": [0],
    },
    {
        "name": "명단",
        "name_localizations": {"en-US": "roster", "en-GB": "roster"},
        "description": "스터디장: 명단에 사람을 넣거나 참여 버튼을 올립니다.",
        "description_localizations": {
            "en-US": "Leaders: put people on the roster, or post a join button.",
            "en-GB": "Leaders: put people on the roster, or post a join button.",
        },
        "type": 1,
        "contexts": [0],
        "integration_types": [0],
    },
]


def read_interaction(told: Json) -> Interaction | None:
    """Return the order that an INTERACTION_CREATE brings; None if it is none of ours."""
    data = told.get("data") or {}
    member = told.get("member")
    if not member:
        return None  # not on a server
    study_id = None
    if told.get("type") == _COMMAND:
        verb = _VERBS.get(data.get("name") or "")
    elif told.get("type") == _COMPONENT:
        verb, study_id = _read_custom_id(data.get("custom_id") or "")
    else:
        return None
    if verb is None:
        return None
    user = member["user"]
    order = Order(
        verb=verb,
        discord_id=int(user["id"]),
        name=member.get("nick") or user.get("global_name") or user["username"],
        language=_language(told.get("locale") or ""),
        channel_id=int(told["channel_id"]),
        study_id=study_id,
        picked=_read_picked(data),
    )
    # Nothing replaces a message that all see.
    is_update = bool((told.get("message") or {}).get("flags", 0) & _EPHEMERAL)
    return Interaction(int(told["id"]), told["token"], order, clock.monotonic(), is_update)


def _read_picked(data: Json) -> dict[int, str]:
    """Return the names of those whom she has picked, with their ids. Bots take part in nothing."""
    resolved = data.get("resolved") or {}
    users, members = resolved.get("users") or {}, resolved.get("members") or {}
    picked = {}
    for pk in data.get("values") or ():
        user, member = users.get(pk) or {}, members.get(pk) or {}
        if not user.get("bot"):
            name = member.get("nick") or user.get("global_name") or user.get("username")
            picked[int(pk)] = name or ""
    return picked


def _read_custom_id(custom_id: str) -> tuple[str | None, int | None]:
    prefix, _colon, rest = custom_id.partition(":")
    verb, _colon, study = rest.partition(":")
    if prefix != _PREFIX:
        return None, None
    return verb, int(study) if study.isascii() and study.isdigit() else None


def _language(locale: str) -> str:
    """Whoever reads neither Korean nor English gets English."""
    return LANGUAGES[0] if locale == LANGUAGES[0] else LANGUAGES[1]


class Answers:
    """Answers by HTTP, past the pacer: such answers have a limit of their own."""

    def __init__(self, api: str) -> None:
        self._api = api
        self._session: aiohttp.ClientSession | None = None

    async def answer(self, interaction: Interaction, told: Told | None) -> None:
        """Answer for as long as Discord waits. Raises nothing: what was ordered is done."""
        body = _body(interaction, told or _refusal(interaction))
        file = told.file if told else None
        while (seconds := interaction.seconds_left) > 0:
            try:
                async with asyncio.timeout(seconds):
                    if await self._post(interaction, body, file):
                        return
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                log.info("an order's answer does not get through: %r", error)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _post(self, interaction: Interaction, body: Json, file: bytes | None) -> bool:
        """Return whether nothing is left to try."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        url = f"{self._api}/interactions/{interaction.id}/{interaction.token}/callback"
        async with self._session.post(url, data=_form(body, file)) as reply:
            if reply.ok or reply.status in _NEVER_AGAIN:
                if not reply.ok:
                    log.info("Discord takes an order's answer no more: %s", reply.status)
                return True
        return False

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _refusal(interaction: Interaction) -> Told:
    with translation.override(interaction.order.language):
        return Told(_("That could not be saved just now. Please try again in a minute."))


def _body(interaction: Interaction, told: Told) -> Json:
    data: Json = {
        "content": told.text,
        "flags": 0 if told.is_public else _EPHEMERAL,
        "components": _rows(told),
        "allowed_mentions": {"parse": []},
    }
    if told.file is not None:
        data["attachments"] = [{"id": 0, "filename": "studybot.json"}]
    is_update = interaction.is_update and told.file is None and not told.is_public
    return {"type": _UPDATED_MESSAGE if is_update else _NEW_MESSAGE, "data": data}


def _rows(told: Told) -> list[Json]:
    rows = []
    if told.picker:
        rows.append({"type": _ROW, "components": [_picker(told.picker)]})
    if told.buttons:
        rows.append({"type": _ROW, "components": [_button(one) for one in told.buttons]})
    return rows


def _picker(picker: Picker) -> Json:
    return {
        "type": _USER_SELECT,
        "custom_id": f"{_PREFIX}:{picker.verb}:{picker.study_id}",
        "placeholder": picker.words,
        "min_values": 1,
        "max_values": _MOST_PICKED,
    }


def _button(button: Button) -> Json:
    parts = [_PREFIX, button.verb, *([str(button.study_id)] if button.study_id else [])]
    return {
        "type": _BUTTON,
        "style": _RED if button.grave else _GREY,
        "label": button.label[:_LONGEST_LABEL],
        "custom_id": ":".join(parts),
    }


def _form(body: Json, file: bytes | None) -> Any:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", orjson.dumps(body).decode(), content_type="application/json")
    if file is not None:
        form.add_field("files[0]", file, filename="studybot.json", content_type="application/json")
    return form


async def sync_commands(http: discord.http.HTTPClient, application_id: int) -> bool:
    """Write the list of commands to Discord if it has another. Return whether it had.

    Discord limits how many commands may be made in a day.
    """
    known: Any = await http.get_global_commands(application_id)
    if sorted(map(_told_of, known), key=str) == sorted(map(_told_of, COMMANDS), key=str):
        return False
    await http.bulk_upsert_global_commands(application_id, COMMANDS)
    return True


def _told_of(command: Any) -> Json:
    """Return the parts that are ours to say, as far as Discord tells them."""
    return {name: command.get(name) for name in ("type", "name", "description")}
