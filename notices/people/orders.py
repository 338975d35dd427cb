"""Carries out what people order in Discord by a command or a button, and says what was done.

Everybody may join a study that has the channel, leave it, and see and delete what is kept of her.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from notices.models import Membership, Person, Study
from notices.people.own_data import erase, kept_of, privacy_line
from notices.tables.person import PERSON_NAME_LIMIT

LANGUAGES = ("ko", "en")
MOST_STUDIES = 5


@dataclass(frozen=True, slots=True)
class Order:
    """`verb` is what she orders, of `study_id` where a button names one."""

    verb: str
    discord_id: int
    name: str
    language: str
    channel_id: int
    study_id: int | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """`grave` ones cannot be taken back."""

    verb: str
    label: str
    study_id: int | None = None
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What she alone is told, with what she may press next. `file` is JSON."""

    text: str
    buttons: Sequence[Button] = ()
    file: bytes | None = field(default=None, repr=False)


def carry_out(orders: Sequence[Order], now: datetime) -> list[Told]:
    """Do all of them in one transaction, in their order."""
    with transaction.atomic():
        return [_carry_out(order, now) for order in orders]


def _carry_out(order: Order, now: datetime) -> Told:
    with translation.override(order.language):
        return _DEEDS.get(order.verb, _unknown)(order, now)


def _unknown(_order: Order, _now: datetime) -> Told:
    return Told(_("This button is of an older version. Give the command again."))


def _join(order: Order, now: datetime) -> Told:
    """Join the channel's study; ask which one where it has several, or go by the button."""
    studies = list(_studies_of(order)[: MOST_STUDIES + 1])
    if not studies:
        return Told(_("No study has this channel. Give the command in a channel of your study."))
    if len(studies) > 1:
        buttons = [Button("join", one.name, one.pk) for one in studies[:MOST_STUDIES]]
        return Told(_("Which study is it?"), buttons)
    return _toggle(order, studies[0], now)


def _studies_of(order: Order) -> QuerySet[Study]:
    studies = Study.objects.filter(channels=order.channel_id).order_by("name", "pk")
    return studies if order.study_id is None else studies.filter(pk=order.study_id)


def _toggle(order: Order, study: Study, now: datetime) -> Told:
    """Join it, or say that she is in it already and offer to leave."""
    person, is_new = _person(order)
    membership, has_come = Membership.objects.get_or_create(
        study=study, person=person, defaults={"way": Membership.Way.JOINED, "since": now}
    )
    if not has_come and membership.until is None:
        leave = Button("leave", _("Leave"), study.pk)
        return Told(_("You are taking part in %(study)s.") % {"study": study}, [leave])
    if not has_come:
        membership.since, membership.until = now, None
        membership.way = Membership.Way.JOINED
        membership.save(update_fields=["since", "until", "way"])
    text = _("You take part in %(study)s now.") % {"study": study}
    return Told(f"{text}\n{privacy_line()}" if is_new else text)


def _leave(order: Order, now: datetime) -> Told:
    hers = Membership.objects.filter(person__discord_id=order.discord_id, until=None)
    left = hers.filter(study=order.study_id).select_related("study").first()
    if left is None:
        return Told(_("You take part in it no more."))
    left.until = max(now, left.since)
    left.save(update_fields=["until"])
    return Told(_("You have left %(study)s.") % {"study": left.study})


def _my_data(order: Order, _now: datetime) -> Told:
    kept = kept_of(order.discord_id)
    if kept is None:
        return Told(_("Nothing is kept about you."))
    lines = [_("This is kept about you: your Discord id, and the name %(name)s.") % kept]
    lines += [
        _("• %(study)s, since %(since)s") % one if one["until"] is None
        else _("• %(study)s, from %(since)s to %(until)s") % one
        for one in kept["memberships"]
    ]  # fmt: skip
    lines.append(privacy_line())
    buttons = [Button("file", _("As a file")), Button("erase", _("Delete it"), grave=True)]
    return Told("\n".join(lines), buttons)


def _as_file(order: Order, _now: datetime) -> Told:
    kept = kept_of(order.discord_id)
    if kept is None:
        return Told(_("Nothing is kept about you."))
    return Told(
        _("All that is kept about you:"), file=orjson.dumps(kept, option=orjson.OPT_INDENT_2)
    )


def _ask_to_erase(_order: Order, _now: datetime) -> Told:
    text = _(
        "Delete all that is kept about you? You are then on no list of a study any more, and a "
        "login at the desk by Discord ends."
    )
    return Told(text, [Button("erase-now", _("Yes, delete it"), grave=True)])


def _erase(order: Order, _now: datetime) -> Told:
    if not erase(order.discord_id):
        return Told(_("Nothing is kept about you."))
    return Told(_("It is deleted."))


def _person(order: Order) -> tuple[Person, bool]:
    """Keep the name and the language as they are seen now."""
    seen = {"name": order.name[:PERSON_NAME_LIMIT], "language": order.language}
    person, is_new = Person.objects.get_or_create(discord_id=order.discord_id, defaults=seen)
    if not is_new and (person.name, person.language) != (seen["name"], seen["language"]):
        person.name, person.language = seen["name"], seen["language"]
        person.save(update_fields=["name", "language"])
    return person, is_new


_DEEDS: dict[str, Callable[[Order, datetime], Told]] = {
    "join": _join,
    "leave": _leave,
    "mydata": _my_data,
    "file": _as_file,
    "erase": _ask_to_erase,
    "erase-now": _erase,
}
