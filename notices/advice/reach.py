"""Whom a notice would ping, how many people these are, and where the ping would not work."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notices.advice import permissions
from notices.advice.channel import can_send
from notices.models import Channel, Notice, Role, Study

Ping = Notice.Ping


@dataclass(frozen=True)
class Reach:
    """Whom a ping reaches. `people` is None if unknown; with `is_most` it is an upper bound."""

    who: str
    people: int | None
    is_most: bool = False
    silences: tuple[str, ...] = ()

    @property
    def is_large(self) -> bool:
        """Whether the leader has to confirm the ping."""
        return self.people is None or self.people >= settings.LARGE_PING

    @property
    def words(self) -> str:
        if not self.who or self.people == 0:
            return _("Nobody is pinged.")
        return _("Pings %(who)s: %(people)s.") % {"who": self.who, "people": self._people_words()}

    def _people_words(self) -> str:
        if self.people is None:
            return _("nobody knows how many people")
        if self.is_most:
            text = ngettext("at most %(n)d person", "at most %(n)d people", self.people)
        else:
            text = ngettext("about %(n)d person", "about %(n)d people", self.people)
        return text % {"n": self.people}


def reach_of(ping: str, study: Study, channels: Collection[Channel]) -> Reach:
    """Compute whom a notice of this study would ping in these channels, by one query.

    A channel that cannot show the notice counts for nothing here; its own warning says so.
    """
    if ping == Ping.NONE:
        return Reach("", 0)
    channels = [channel for channel in channels if can_send(channel) is not False]
    guilds = {channel.guild_id for channel in channels if channel.guild_id}
    known = {role.pk: role for role in Role.objects.filter(pk__in=guilds | {study.ping_role_id})}
    role = known.get(study.ping_role_id or 0)
    if ping == Ping.ROLE and (nobody := _no_role(study, role, guilds & known.keys())):
        return Reach("", 0, silences=(nobody,))
    who = _who(ping, role)
    silences = {channel: _silence(channel, ping, role, who) for channel in channels}
    heard = {channel.guild_id for channel, silence in silences.items() if not silence}
    told = tuple(silence for silence in silences.values() if silence)
    if ping == Ping.ROLE and role and role.member_count is not None:
        return Reach(who, role.member_count if heard else 0, silences=told)
    return Reach(who, _everyone(heard, known), is_most=True, silences=told)


def _no_role(study: Study, role: Role | None, seen_guilds: Collection[int | None]) -> str:
    """Say why there is no role to ping; empty if there is one, or if the bot has seen no server."""
    if study.ping_role_id is None:
        return _("%(study)s has no role to ping: ask a site admin to pick one.") % {"study": study}
    if role is None and seen_guilds:
        return _(
            "The role of %(study)s was deleted in Discord: ask a site admin to pick another."
        ) % {"study": study}
    return ""


def _who(ping: str, role: Role | None) -> str:
    if ping == Ping.ROLE:
        return str(role or Ping.ROLE.label)
    return f"@{ping}"


def _silence(channel: Channel, ping: str, role: Role | None, who: str) -> str:
    """Say why it pings nobody in this channel; empty if it does, as far as anybody knows."""
    names = {"channel": channel.short_name, "role": who}
    if ping == Ping.ROLE:
        if role is None:
            return ""
        if channel.guild_id not in (None, role.guild_id):
            return _("%(role)s is of another server than %(channel)s: it pings nobody there.") % (
                names
            )
        if role.mentionable or permissions.may_mention_all(channel):
            return ""
        return _(
            "%(role)s does not ping in %(channel)s: Server settings → Roles → %(role)s → "
            "Allow anyone to @mention this role"
        ) % (names)
    if permissions.may_mention_all(channel):
        return ""
    return permissions.lacked(permissions.MENTION_EVERYONE, channel)


def _everyone(guilds: Iterable[int | None], known: dict[int, Role]) -> int | None:
    """Return the number of these guilds' people, or None if one guild's is unknown."""
    counts = [known[guild].member_count if guild in known else None for guild in guilds]
    return None if None in counts else sum(count for count in counts if count)
