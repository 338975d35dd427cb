"""What a list shows: asked for as strictly as a body, so that no slip widens it."""

from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from notices.api.authentication import Caller
from notices.api.fields import IdField, OneOfField, QueryMomentField, TextField, WholeField
from notices.api.forms import StrictForm, find_study
from notices.api.refusals import MOST_NAMED, quoted
from notices.api.representations import readable_notices
from notices.models import Notice, NoticeQuerySet
from notices.newest import Parts, stored_as

PAGE_SIZE = 50
LARGEST_PAGE = 100
# By their ids, which is by the moment they were made: the order that the indexes have.
NEWEST_FIRST, OLDEST_FIRST = "-id", "id"
ORDERINGS = ((NEWEST_FIRST, "newest first"), (OLDEST_FIRST, "oldest first"))
SEARCH_LIMIT = 100

_MOMENTS = {
    "created_after": "created_at__gt",
    "created_before": "created_at__lt",
    "publish_after": "publish_at__gt",
    "publish_before": "publish_at__lt",
}


def each_once(parameters: QueryDict) -> dict[str, Any]:
    """Of two of a name only one would count, and nobody could tell which was meant."""
    twice = [name for name in parameters if len(parameters.getlist(name)) > 1]
    if twice:
        del twice[MOST_NAMED:]
        told = _("%(name)s is there twice; send it once.")
        raise serializers.ValidationError({name: told % {"name": quoted(name)} for name in twice})
    return parameters.dict()


class PageForm(StrictForm):
    page_size = WholeField(least=1, most=LARGEST_PAGE, default=PAGE_SIZE)
    # Read by the pagination, which made it.
    cursor = serializers.CharField(
        required=False, allow_blank=True, help_text="From a page's `next` or `previous`."
    )


class NoticeFilter(PageForm):
    """All that are given must hold."""

    study_id = IdField(required=False)
    status = OneOfField(Notice.Status.choices, required=False)
    channel_id = IdField(required=False, help_text="Those that were written for this channel.")
    created_after = QueryMomentField(required=False)
    created_before = QueryMomentField(required=False)
    publish_after = QueryMomentField(required=False)
    publish_before = QueryMomentField(required=False)
    search = TextField(
        limit=SEARCH_LIMIT, optional=True, help_text="Part of the title or of the content."
    )
    ordering = OneOfField(ORDERINGS, default=NEWEST_FIRST)

    def notices(self, caller: Caller) -> tuple[NoticeQuerySet, Parts]:
        """The notices, and the parts among which the newest are looked for."""
        asked = self.validated_data
        notices, studies, statuses = readable_notices(caller), None, None
        if "study_id" in asked:
            studies = [find_study(caller, asked["study_id"]).pk]
        elif not caller.has_every_study:
            studies = list(caller.studies.values_list("pk", flat=True))
        if "status" in asked:
            notices = notices.in_status(asked["status"], timezone.now())
            statuses = stored_as(asked["status"])
        return notices.filter(*self._conditions()), Parts(studies, statuses)

    def _conditions(self) -> list[Any]:
        asked = self.validated_data
        found: list[Any] = [
            Q(**{lookup: asked[name]}) for name, lookup in _MOMENTS.items() if name in asked
        ]
        if "channel_id" in asked:
            # Row by row, so that the newest are found by the order they are shown in.
            chosen = Notice.channels.through.objects.filter(notice=OuterRef("pk"))
            found.append(Exists(chosen.filter(channel=asked["channel_id"])))
        if text := asked.get("search"):
            found.append(Q(title__icontains=text) | Q(content__icontains=text))
        return found
