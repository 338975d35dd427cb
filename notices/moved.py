"""Finds what a moved notice brought from a study that its readers may not read, to hide it."""

from collections import defaultdict
from collections.abc import Collection

from django.db.models import QuerySet, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from notices.models import Change, Channel, Delivery, Notice, Study


def entries(studies: QuerySet[Study]) -> QuerySet[Change]:
    """Return the changes that moved a notice from a study that is not among `studies`.

    Whoever may read only `studies` must not see the notice's history before such a change.
    """
    # The ids are compared as text, since the stored JSON may hold something else than a number.
    came_from = Cast(KT("differences__study_id__0"), TextField())
    moves = Change.objects.filter(differences__has_key="study_id").annotate(came_from=came_from)
    known = studies.order_by().values(known=Cast("pk", TextField()))
    return moves.exclude(came_from__in=known)


def entry(notice: Notice, studies: QuerySet[Study]) -> Change | None:
    """Return the last of these changes."""
    return entries(studies).filter(notice=notice).order_by("-id").first()


def foreign_channels(notices: Collection[Notice], studies: QuerySet[Study]) -> dict[int, set[int]]:
    """Return, by notice, its channels that are not of `studies`, if it was moved from another.

    Whoever may read only `studies` must not see their names. It takes one query if no notice was
    moved.
    """
    moved = entries(studies).filter(notice__in=notices)
    ids = set(moved.values_list("notice_id", flat=True))
    found: dict[int, set[int]] = defaultdict(set)
    if not ids:
        return found
    hers = Channel.objects.filter(studies__in=studies).order_by().values("pk")
    for rows in (Notice.channels.through.objects.all(), Delivery.objects.all()):
        foreign = rows.filter(notice__in=ids).exclude(channel__in=hers)
        for notice_id, channel_id in foreign.values_list("notice_id", "channel_id"):
            found[notice_id].add(channel_id)
    return found
