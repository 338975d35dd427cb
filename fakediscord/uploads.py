"""Takes the files of a message, and describes them as attachments."""

import io
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from fakediscord.errors import TOO_LARGE, ApiError
from fakediscord.files import Files
from fakediscord.forms import invalid
from fakediscord.payload import MOST_ATTACHMENTS
from fakediscord.settings import Settings
from fakediscord.snowflake import Snowflakes
from fakediscord.wire import Json

# `files[0]`: the payload's `attachments` refer to this number.
FIELD = re.compile(r"files\[(\d+)\]")
# Clients show no other format as a picture, and each reader that is off is less to attack.
PICTURE_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
NOT_KEPT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(slots=True, frozen=True)
class Upload:
    field_name: str
    filename: str
    content_type: str
    content: bytes

    @property
    def number(self) -> str:
        found = FIELD.fullmatch(self.field_name)
        return found.group(1) if found else ""


class Uploads:
    """Takes the files of requests in."""

    def __init__(self, files: Files, snowflakes: Snowflakes, settings: Settings) -> None:
        self._files = files
        self._snowflakes = snowflakes
        self._settings = settings

    def attached(self, uploads: Sequence[Upload], payload: Json, channel_id: str) -> list[Json]:
        """Keep the files and return their attachments; refuse all if one is refused."""
        if len(uploads) > MOST_ATTACHMENTS:
            words = f"Must be {MOST_ATTACHMENTS} or fewer in length."
            raise invalid(("files",), "BASE_TYPE_MAX_LENGTH", words)
        largest = self._settings.largest_file
        if largest is not None and any(len(one.content) > largest for one in uploads):
            raise ApiError(TOO_LARGE)
        listed = payload.get("attachments")
        described = {str(one.get("id")): one for one in listed or ()}
        # If the list is there, a file that it does not name is not attached.
        taken = [one for one in uploads if listed is None or one.number in described]
        return [self._attached(one, described.get(one.number, {}), channel_id) for one in taken]

    def _attached(self, upload: Upload, described: Json, channel_id: str) -> Json:
        new_id = self._snowflakes.make()
        sent_name = described.get("filename") or upload.filename
        filename = safe_name(sent_name)
        url = self._files.put(channel_id, new_id, filename, upload.content)
        attachment: Json = {
            "id": new_id,
            "filename": filename,
            "content_type": upload.content_type,
            "size": len(upload.content),
            "url": url,
            "proxy_url": url,
            **_dimensions(upload.content),
        }
        if filename != sent_name:
            attachment["title"] = sent_name.rpartition(".")[0] or sent_name
        if description := described.get("description"):
            attachment["description"] = description
        return attachment


def safe_name(name: str) -> str:
    """Return the name in ASCII; if little of it is left, a new one."""
    stem, _dot, extension = name.rpartition(".")
    if not stem:
        stem, extension = extension, ""
    kept = NOT_KEPT_IN_NAMES.sub("_", stem).strip("._")
    suffix = NOT_KEPT_IN_NAMES.sub("", extension)
    return f"{kept or secrets.token_hex(8)}{'.' if suffix else ''}{suffix}"


def _dimensions(content: bytes) -> Json:
    """Return a picture's width and height, if it is one."""
    try:
        with Image.open(io.BytesIO(content), formats=PICTURE_FORMATS) as picture:
            return {"width": picture.width, "height": picture.height}
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        return {}
