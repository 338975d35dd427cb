"""Checks embeds as Discord does, and gives them the form in which they come back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from fakediscord.forms import FormErrors, Path
from fakediscord.wire import Json

MOST_EMBEDS = 10
MOST_FIELDS = 25
LONGEST = {"title": 256, "description": 4096}
LONGEST_URL = 2048
LONGEST_FIELD_NAME, LONGEST_FIELD_VALUE = 256, 1024
LONGEST_FOOTER, LONGEST_AUTHOR = 2048, 256
LONGEST_IN_ALL = 6000
LARGEST_COLOUR = 0xFFFFFF
WEB = ("http", "https")
WEB_OR_ATTACHMENT = (*WEB, "attachment")
PICTURES = ("image", "thumbnail")
NOTHING: tuple[Any, ...] = (None, "", [], {})
VISIBLE = ("title", "description", "fields", "image", "thumbnail", "author", "footer")
PARTS = (*VISIBLE, "url", "color", "timestamp")


def check_embeds(errors: FormErrors, value: object) -> None:
    embeds = errors.items(("embeds",), value, MOST_EMBEDS)
    length = sum(_check_embed(errors, ("embeds", n), one) for n, one in enumerate(embeds))
    if length > LONGEST_IN_ALL:
        message = f"Embed size exceeds maximum size of {LONGEST_IN_ALL}"
        errors.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", message)


def _check_embed(errors: FormErrors, path: Path, value: object) -> int:
    """Return how many characters of the 6000 the embed takes."""
    embed = errors.mapping(path, value)
    if not any(embed.get(part) for part in VISIBLE):
        errors.required((*path, "description"))
        return 0
    texts = [errors.text((*path, name), embed.get(name), most) for name, most in LONGEST.items()]
    texts += _check_fields(errors, (*path, "fields"), embed.get("fields"))
    texts.append(_check_named(errors, (*path, "footer"), embed.get("footer"), "text"))
    texts.append(_check_named(errors, (*path, "author"), embed.get("author"), "name"))
    _check_url(errors, (*path, "url"), embed.get("url"), WEB)
    for part in PICTURES:
        picture = errors.mapping((*path, part), embed.get(part))
        _check_url(errors, (*path, part, "url"), picture.get("url"), WEB_OR_ATTACHMENT)
    errors.number((*path, "color"), embed.get("color"), LARGEST_COLOUR)
    _check_timestamp(errors, (*path, "timestamp"), embed.get("timestamp"))
    return sum(map(len, texts))


def _check_fields(errors: FormErrors, path: Path, value: object) -> list[str]:
    texts = []
    for position, one in enumerate(errors.items(path, value, MOST_FIELDS)):
        field = errors.mapping((*path, position), one)
        for name, most in (("name", LONGEST_FIELD_NAME), ("value", LONGEST_FIELD_VALUE)):
            text = errors.text((*path, position, name), field.get(name), most)
            if not text.strip():
                errors.required((*path, position, name))
            texts.append(text)
    return texts


def _check_named(errors: FormErrors, path: Path, value: object, name: str) -> str:
    """Check a footer or an author: a text with an icon and, for an author, a link."""
    part = errors.mapping(path, value)
    if not part:
        return ""
    longest = LONGEST_FOOTER if name == "text" else LONGEST_AUTHOR
    text = errors.text((*path, name), part.get(name), longest)
    if not text:
        errors.required((*path, name))
    _check_url(errors, (*path, "icon_url"), part.get("icon_url"), WEB_OR_ATTACHMENT)
    _check_url(errors, (*path, "url"), part.get("url"), WEB)
    return text


def _check_url(errors: FormErrors, path: Path, value: object, schemes: tuple[str, ...]) -> None:
    url = errors.text(path, value, LONGEST_URL)
    if not url:
        return
    scheme, is_well_formed = _taken_apart(url)
    if scheme not in schemes:
        message = f'Scheme "{scheme}" must be one of {schemes}.'
        errors.add(path, "URL_TYPE_INVALID_SCHEME", message)
    elif not is_well_formed:
        errors.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")


def _taken_apart(url: str) -> tuple[str, bool]:
    """Return the scheme, and whether a possible host comes after it."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return url.partition(":")[0], False
    has_blank = any(character.isspace() for character in url)
    is_web_host = "." in host or ":" in host or host == "localhost"
    return parts.scheme, not has_blank and (is_web_host or parts.scheme == "attachment")


def check_link(errors: FormErrors, path: Path, value: object) -> None:
    """Check a button's link, which may be other than an embed's."""
    _check_url(errors, path, value, (*WEB, "discord"))


def _check_timestamp(errors: FormErrors, path: Path, value: object) -> None:
    text = errors.text(path, value, LONGEST_URL)
    if not text:
        return
    try:
        datetime.fromisoformat(text)
    except ValueError:
        message = f"Could not parse {text}. Should be ISO8601."
        errors.add(path, "DATE_TIME_TYPE_PARSE", message)


def as_shown(embeds: Iterable[Json], attachments: Iterable[Json] = ()) -> list[Json]:
    """Return embeds as they come back: typed, trimmed, without empty parts, pictures proxied.

    `attachment://name` is the message's own; if it has none of that name, nothing is shown.
    """
    known = {f"attachment://{one['filename']}": one for one in attachments}
    return [_shown(embed, known) for embed in embeds]


def uses(embeds: Iterable[Json], attachment: Json) -> bool:
    """Return whether one of the shown embeds has the attachment for its picture."""
    pictures = (embed.get(part) or {} for embed in embeds for part in PICTURES)
    return any(picture.get("url") == attachment["url"] for picture in pictures)


def _shown(embed: Json, attachments: dict[str, Json]) -> Json:
    shown: Json = {"type": "rich"}
    shown |= {part: embed[part] for part in PARTS if embed.get(part) not in NOTHING}
    for name in LONGEST:
        if name in shown:
            shown[name] = shown[name].strip()
    if "fields" in shown:
        shown["fields"] = [{"inline": False, **field} for field in shown["fields"]]
    for part in PICTURES:
        if part in shown:
            picture = _picture(str(shown.pop(part).get("url")), attachments)
            shown |= {part: picture} if picture else {}
    return shown


def _picture(url: str, attachments: dict[str, Json]) -> Json | None:
    found: Json = {}
    if url.startswith("attachment://"):
        if url not in attachments:
            return None
        found = attachments[url]
        url = found["url"]
    size = {name: found.get(name, 0) for name in ("width", "height")}
    return {"url": url, "proxy_url": url, **size, "flags": 0}
