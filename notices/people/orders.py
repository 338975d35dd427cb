"""Carries out what people order in Discord by a command or a button, and says what was done.

Everybody may join a study that has the channel, leave it, and see and delete what is kept of her.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notices.models import Membership, Person, Right, Study
from notices.people import rights, roster
from notices.people.own_data import erase, kept_of, privacy_line

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
    picked: Mapping[int, str] = field(default_factory=dict)
    """The names, as far as they are told, of those whom she has picked in a list, by their ids."""


@dataclass(frozen=True, slots=True)
class Button:
    """`grave` ones cannot be taken back."""

    verb: str
    label: str
    study_id: int | None = None
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Picker:
    """A list of the server's people, of whom she may pick some."""

    verb: str
    study_id: int
    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """What she is told, alone unless it `is_public`, with what may be pressed. `file` is JSON."""

    text: str
    buttons: Sequence[Button] = ()
    picker: Picker | None = None
    is_public: bool = False
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
    is_first = not Person.objects.filter(discord_id=order.discord_id).exists()
    added = roster.add(study, [order.discord_id], Membership.Way.JOINED, now)
    Person.objects.filter(discord_id=order.discord_id).update(language=order.language)
    roster.name_as_seen({order.discord_id: order.name})
    if added.known:
        leave = Button("leave", _("Leave"), study.pk)
        return Told(_("You are taking part in %(study)s.") % {"study": study}, [leave])
    text = _("You take part in %(study)s now.") % {"study": study}
    return Told(f"{text}\n{privacy_line()}" if is_first else text)


def _leave(order: Order, now: datetime) -> Told:
    hers = Membership.objects.filter(study=order.study_id, person__discord_id=order.discord_id)
    member = hers.select_related("study", "person").first()
    if member is None or not roster.leave(member.study, member.person, now):
        return Told(_("You take part in it no more."))
    return Told(_("You have left %(study)s.") % {"study": member.study})


# --- by a leader ----------------------------------------------------------------------------


def _roster(order: Order, _now: datetime) -> Told:
    """Offer a leader to pick people, or to have a join button posted where she gave the command."""
    studies = [study for study in _studies_of(order) if _may_lead(order, study)]
    if not studies:
        return Told(_no_leader())
    if len(studies) > 1:
        buttons = [Button("roster", one.name, one.pk) for one in studies[:MOST_STUDIES]]
        return Told(_("Which study is it?"), buttons)
    study = studies[0]
    count = study.memberships.filter(until=None).count()
    text = ngettext(
        "%(n)d person is on the roster of %(study)s.",
        "%(n)d people are on the roster of %(study)s.",
        count,
    )
    return Told(
        text % {"n": count, "study": study},
        [Button("post", _("Post a join button here"), study.pk)],
        Picker("pick", study.pk, _("Pick people for the roster")),
    )


def _pick(order: Order, now: datetime) -> Told:
    study = _led(order)
    if study is None:
        return Told(_no_leader())
    added = roster.add(study, order.picked, Membership.Way.PICKED, now)
    roster.name_as_seen(order.picked)
    n = len(added.new) + len(added.back)
    text = ngettext(
        "%(n)d person is new on the roster of %(study)s.",
        "%(n)d people are new on the roster of %(study)s.",
        n,
    )
    return Told(text % {"n": n, "study": study})


def _post(order: Order, _now: datetime) -> Told:
    """Post a join button for all of the channel, in the study's language."""
    study = _led(order)
    if study is None:
        return Told(_no_leader())
    with translation.override(study.language):
        text = _("Do you take part in %(study)s? Press once, and again to leave.")
        join = Button("join", _("Take part"), study.pk)
        return Told(text % {"study": study}, [join], is_public=True)


def _led(order: Order) -> Study | None:
    study = Study.objects.filter(pk=order.study_id or 0).first()
    return study if study is not None and _may_lead(order, study) else None


def _may_lead(order: Order, study: Study) -> bool:
    """By the account of the desk to which her Discord account is linked."""
    user = User.objects.filter(person__discord_id=order.discord_id, is_active=True).first()
    return user is not None and rights.may(user, Right.LEAD, study.pk)


def _no_leader() -> str:
    return _(
        "Only a leader of this channel's study may do that, whose Discord account is linked to "
        "her account at the desk: log in there, and link it."
    )


# --- her own data ---------------------------------------------------------------------------


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


_DEEDS: dict[str, Callable[[Order, datetime], Told]] = {
    "join": _join,
    "leave": _leave,
    "roster": _roster,
    "pick": _pick,
    "post": _post,
    "mydata": _my_data,
    "file": _as_file,
    "erase": _ask_to_erase,
    "erase-now": _erase,
}
