"""Counts up the revisions of a changed notice, by which its deliveries are seen to be behind.

The notice's model is passed in, since its module imports this one.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Case, F, Q, Value, When

from notices.outside import clock
from notices.tables import notice_fields


def _under_way(notice: Any) -> Case:
    """A notice that was settled is on its way again, from the moment that the wish has changed."""
    sending = Value(notice.Status.SENDING)
    again = When(status__in=notice.SETTLED, archived_at=None, then=sending)
    return Case(again, default=F("status"))


def count_in_bulk(notices: Any, changes: dict[str, Any]) -> None:
    """Add the counts to a bulk change of notices, except for fields that it sets itself."""
    if notice_fields.columns(changes).intersection(notice_fields.SHOWN):
        changes.setdefault("revision", F("revision") + 1)
        changes.setdefault("status", _under_way(notices))
    if "attachments" in changes:
        changes.setdefault("attached_revision", F("revision") + 1)
    if changes.keys() & notice_fields.FANNED_OUT:
        changes.setdefault("fanned_out_revision", 0)
    if {"revision", "fanned_out_revision"} & changes.keys():
        changes.setdefault("changed_at", clock.now())


def counted(notice: Any, fields: Collection[str]) -> dict[str, Any]:
    """Return what else changes when these fields of a notice are saved, by name.

    The database itself compares, since what this process once loaded may be old.
    """
    shown = notice_fields.columns(fields).intersection(notice_fields.SHOWN)
    begins_anew = When(
        status__in=notice.NOT_BEGUN, withdrawn_at=None, then=Value(notice.first_status())
    )
    counts = {"fanned_out_revision": 0, "changed_at": clock.now()}
    if not shown:
        kept = {name: F(name) for name in ("revision", "attached_revision")}
        return {**counts, **kept, "status": Case(begins_anew, default=_under_way(notice))}
    next_one = F("revision") + 1
    same = Q(**{name: getattr(notice, name) for name in shown})
    same_files = When(attachments=notice.attachments, then=F("attached_revision"))
    files = Case(same_files, default=next_one) if "attachments" in shown else F("attached_revision")
    return {
        **counts,
        "revision": Case(When(same, then=F("revision")), default=next_one),
        "attached_revision": files,
        "status": Case(begins_anew, When(same, then=F("status")), default=_under_way(notice)),
    }
