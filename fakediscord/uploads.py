"""Files that came with a message: told of as attachments, their content not kept."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fakediscord.snowflake import Snowflakes
from fakediscord.wire import Json

# `files[0]`: the number is what the payload's `attachments` call it.
FIELD = re.compile(r"files\[(\d+)\]")
HOST = "https://cdn.discordapp.com"


@dataclass(slots=True, frozen=True)
class Upload:
    field_name: str
    filename: str
    content_type: str
    size: int

    @property
    def number(self) -> str:
        found = FIELD.fullmatch(self.field_name)
        return found.group(1) if found else ""


def attached(
    uploads: Iterable[Upload], payload: Json, snowflakes: Snowflakes, channel_id: str
) -> list[Json]:
    described = {str(one.get("id")): one for one in payload.get("attachments") or ()}
    return [
        _attachment(one, described.get(one.number, {}), snowflakes.make(), channel_id)
        for one in uploads
    ]


def _attachment(upload: Upload, described: Json, new_id: str, channel_id: str) -> Json:
    filename = described.get("filename") or upload.filename
    url = f"{HOST}/attachments/{channel_id}/{new_id}/{filename}"
    attachment: Json = {
        "id": new_id,
        "filename": filename,
        "content_type": upload.content_type,
        "size": upload.size,
        "url": url,
        "proxy_url": url,
    }
    if description := described.get("description"):
        attachment["description"] = description
    return attachment
