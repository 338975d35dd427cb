"""The question that is asked if somebody changed the notice while she was writing."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from notices.desk.notice_history import FIELDS, differences_in_words, who
from notices.desk.questions import Doubt
from notices.desk.rights import foreign_channels
from notices.models import Channel, Notice
from notices.tables.change import AnyUser


def conflict(saved: Notice, mine: Notice, written: Mapping[str, Any], user: AnyUser) -> Doubt:
    """Ask whether to overwrite `saved`, the notice as it is stored now.

    `mine` is the form's instance, which has her files, and `written` the form's cleaned data.
    """
    before = _before(saved, user)
    return Doubt(
        head=_who_changed(saved, written["seen_revision"], user),
        words=_("Below is what your text would change in the notice as it stands now."),
        yes=_("Save my text"),
        answer=f"over:{saved.revision}",
        changes=differences_in_words(before, _after(before, mine, written)),
        reopens=True,
    )


def _who_changed(saved: Notice, seen: int, user: AnyUser) -> str:
    changes = saved.changes.filter(revision__gt=seen).select_related("user", "key")
    if not (made := list(changes.order_by("-id")[:10])):
        return _("This notice was changed while you were writing.")
    if all(change.user_id == user.pk for change in made):
        return _("You changed this notice in another window.")
    names = dict.fromkeys(who(one.user, one.key) for one in made if one.user_id != user.pk)
    return _("%(who)s changed this notice while you were writing.") % {"who": ", ".join(names)}


def _before(saved: Notice, user: AnyUser) -> dict[str, object]:
    texts = {name: getattr(saved, name) for name in FIELDS if name != "channels"}
    foreign = foreign_channels(user, saved)[saved.pk]
    return texts | {"channels": _ids(saved.channels.exclude(pk__in=foreign))}


def _after(
    before: dict[str, object], mine: Notice, written: Mapping[str, Any]
) -> dict[str, object]:
    """Return what her save would make of `before`; what the form lacks stays as it is."""
    texts = {name: written[name] for name in FIELDS if name in written}
    study = written.get("study")
    return (
        before
        | texts
        | {
            "study_id": study.pk if study else before["study_id"],
            "channels": _ids(written.get("channels", ())),
            "attachments": mine.attachments,
        }
    )


def _ids(channels: Iterable[Channel]) -> list[int]:
    return sorted(channel.pk for channel in channels)
