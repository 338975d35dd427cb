"""Servers whose names look alike, since anybody can give a server another one's name."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from confusable_homoglyphs import confusables
from django.utils.translation import gettext as _

from notices.models import Channel

# Unicode counts these fillers of Hangul, and the blank of Braille, among the visible letters.
_BLANK = "\u115f\u1160\u3164\uffa0\u2800"
_UNSEEN_CATEGORIES = ("C", "M", "Z")
# After casefold() a capital I is an i, but it looked like an l.
_ALIKE = str.maketrans({"i": "l"})


def skeleton(name: str) -> str:
    """Return the skeleton, as UTS #39 calls it: a text that is equal for names that look alike."""
    composed = unicodedata.normalize("NFKC", name)
    seen = (letter for letter in composed if _is_seen(letter))
    return "".join(map(_plainest, seen)).casefold().translate(_ALIKE)


def _is_seen(letter: str) -> bool:
    return letter not in _BLANK and unicodedata.category(letter)[0] not in _UNSEEN_CATEGORIES


@lru_cache(maxsize=4096)
def _plainest(letter: str) -> str:
    """Return the Latin letter that it looks like, or the letter itself."""
    found = confusables.is_confusable(letter, greedy=True, preferred_aliases=["latin"]) or []
    alike = [one["c"] for match in found for one in match["homoglyphs"]]
    return next((one for one in alike if one.isascii()), letter)


def alike(servers: Iterable[tuple[int | None, str]]) -> frozenset[int]:
    """Return the ids of the servers whose names look like another's."""
    by_skeleton: dict[str, set[int]] = {}
    for server_id, name in servers:
        if server_id is not None:
            by_skeleton.setdefault(skeleton(name), set()).add(server_id)
    return frozenset().union(*(ids for ids in by_skeleton.values() if len(ids) > 1))


def alike_now() -> frozenset[int]:
    """Return the ids of servers that look alike, among all that the bot sees."""
    seen = Channel.objects.filter(guild_id__isnull=False).order_by()
    return alike(seen.values_list("guild_id", "guild_name").distinct())


def warning(server_id: int | None, doubles: frozenset[int]) -> str:
    return _("another server looks the same") if server_id in doubles else ""


def label(channel: Channel, doubles: frozenset[int]) -> str:
    """Name a channel with its server's id, and a warning if another server looks the same."""
    if channel.guild_id is None:
        return str(channel)
    told = [channel.guild_name, str(channel.guild_id)]
    if warns := warning(channel.guild_id, doubles):
        told.append(f"⚠ {warns}")
    return f"{channel.short_name} ({', '.join(filter(None, told))})"
