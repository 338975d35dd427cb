"""Somebody changed the notice while she wrote: who, and what her text would change back."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from notices.desk.questions import Doubt
from notices.desk.timeline import FIELDS, differences_in_words, who
from notices.models import Notice


def conflict(saved: Notice, mine: Notice, written: Mapping[str, Any], user: Any) -> Doubt:
    """`saved` as it stands by now, `mine` with its files, `written` as the form was cleaned."""
    return Doubt(
        head=_who_changed(saved, written["seen_revision"], user),
        words=_("Below is what your text would change in the notice as it stands now."),
        yes=_("Save my text"),
        answer=f"over:{saved.revision}",
        changes=differences_in_words(_before(saved), _after(saved, mine, written)),
        reopens=True,
    )


def _who_changed(saved: Notice, seen: int, user: Any) -> str:
    changes = saved.changes.filter(revision__gt=seen).select_related("user", "key")
    if not (made := list(changes.order_by("-id")[:10])):
        return _("This notice was changed while you were writing.")
    if all(change.user_id == user.pk for change in made):
        return _("You changed this notice in another window.")
    names = dict.fromkeys(who(one.user, one.key) for one in made if one.user_id != user.pk)
    return _("%(who)s changed this notice while you were writing.") % {"who": ", ".join(names)}


def _before(saved: Notice) -> dict[str, Any]:
    texts = {name: getattr(saved, name) for name in FIELDS if name != "channels"}
    return texts | {"channels": _ids(saved.channels.all())}


def _after(saved: Notice, mine: Notice, written: Mapping[str, Any]) -> dict[str, Any]:
    """What she cannot change stays as it is."""
    texts = {name: written[name] for name in FIELDS if name in written}
    study = written.get("study")
    return (
        _before(saved)
        | texts
        | {
            "study_id": study.pk if study else saved.study_id,
            "channels": _ids(written.get("channels", ())),
            "attachments": mine.attachments,
        }
    )


def _ids(channels: Any) -> list[int]:
    return sorted(channel.pk for channel in channels)
