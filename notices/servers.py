"""Servers whose names look alike: anybody may give hers the name of another."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from confusable_homoglyphs import confusables
from django.utils.translation import gettext as _

from notices.models import Channel

# Letters by their category, which show nothing: the fillers of Hangul, and a blank of Braille.
_BLANK = "\u115f\u1160\u3164\uffa0\u2800"
_UNSEEN_CATEGORIES = ("C", "M", "Z")
# What is left once the case is gone.
_ALIKE = str.maketrans({"i": "l"})


def looks_like(name: str) -> str:
    """The same for names that an eye takes for the same."""
    composed = unicodedata.normalize("NFKC", name)
    seen = (letter for letter in composed if _is_seen(letter))
    return "".join(map(_plainest, seen)).casefold().translate(_ALIKE)


def _is_seen(letter: str) -> bool:
    return letter not in _BLANK and unicodedata.category(letter)[0] not in _UNSEEN_CATEGORIES


@lru_cache(maxsize=4096)
def _plainest(letter: str) -> str:
    """The Latin letter that it is taken for, or itself."""
    found = confusables.is_confusable(letter, greedy=True, preferred_aliases=["latin"]) or []
    alike = [one["c"] for match in found for one in match["homoglyphs"]]
    return next((one for one in alike if one.isascii()), letter)


def alike(servers: Iterable[tuple[int | None, str]]) -> frozenset[int]:
    """The ids of those that are named, to the eye, as another is."""
    by_look: dict[str, set[int]] = {}
    for server_id, name in servers:
        if server_id is not None:
            by_look.setdefault(looks_like(name), set()).add(server_id)
    return frozenset().union(*(ids for ids in by_look.values() if len(ids) > 1))


def alike_now() -> frozenset[int]:
    """Among all servers that the bot sees."""
    seen = Channel.objects.filter(guild_id__isnull=False).order_by()
    return alike(seen.values_list("guild_id", "guild_name").distinct())


def warning(server_id: int | None, doubles: frozenset[int]) -> str:
    return _("another server looks the same") if server_id in doubles else ""


def label(channel: Channel, doubles: frozenset[int]) -> str:
    """A channel with what tells its server from any other."""
    if channel.guild_id is None:
        return str(channel)
    told = [channel.guild_name, str(channel.guild_id)]
    if warns := warning(channel.guild_id, doubles):
        told.append(f"⚠ {warns}")
    return f"{channel.short_name} ({', '.join(filter(None, told))})"
