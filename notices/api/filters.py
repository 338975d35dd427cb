"""Filters lists, and reads the filters as strictly as a body: a slip must not widen a list."""

from collections.abc import Mapping

from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework import serializers

from notices import moved
from notices.api.authentication import Caller
from notices.api.fields import IdField, OneOfField, QueryMomentField, TextField, WholeField
from notices.api.forms import StrictForm, find_study, refuse_rounded
from notices.api.refusals import MOST_NAMED, quoted
from notices.api.representations import readable_notices
from notices.models import Channel, Notice, NoticeQuerySet
from notices.outside import clock
from notices.paging import Parts, stored_as

PAGE_SIZE = 50
LARGEST_PAGE = 100
# The ids grow with the moment of creation, and the indexes are in their order.
NEWEST_FIRST, OLDEST_FIRST = "-id", "id"
ORDERINGS = ((NEWEST_FIRST, "newest first"), (OLDEST_FIRST, "oldest first"))
SEARCH_LIMIT = 100

_MOMENTS = {
    "created_after": "created_at__gt",
    "created_before": "created_at__lt",
    "publish_after": "publish_at__gt",
    "publish_before": "publish_at__lt",
}


def each_once(parameters: QueryDict) -> Mapping[str, object]:
    """Refuse a name that occurs twice, because nobody could tell which value was meant."""
    twice = [name for name in parameters if len(parameters.getlist(name)) > 1]
    if twice:
        del twice[MOST_NAMED:]
        told = _("%(name)s is there twice; send it once.")
        raise serializers.ValidationError({name: told % {"name": quoted(name)} for name in twice})
    return parameters.dict()


class PageForm(StrictForm):
    page_size = WholeField(least=1, most=LARGEST_PAGE, default=PAGE_SIZE)
    # The pagination made it, and reads it.
    cursor = serializers.CharField(
        required=False, allow_blank=True, help_text="From a page's `next` or `previous`."
    )


class NoticeFilter(PageForm):
    """Filters notices by all that is given."""

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
        """Return the notices, and the parts among which the newest are looked for."""
        asked = self.validated_data
        notices, studies, statuses = readable_notices(caller), None, None
        if "study_id" in asked:
            studies = [find_study(caller, asked["study_id"]).pk]
        elif not caller.has_every_study:
            studies = list(caller.studies.values_list("pk", flat=True))
        if "channel_id" in asked:
            self._refuse_rounded(caller, asked["channel_id"])
            notices = self._without_foreign(caller, notices, asked["channel_id"])
        if "status" in asked:
            notices = notices.in_status(asked["status"], clock.now())
            statuses = stored_as(asked["status"])
        return notices.filter(*self._conditions()), Parts(studies, statuses)

    def _without_foreign(
        self, caller: Caller, notices: NoticeQuerySet, channel_id: int
    ) -> NoticeQuerySet:
        """Leave out notices moved from another study that brought along this channel."""
        studies = caller.studies
        hers = Channel.objects.filter(pk=channel_id, studies__in=studies)
        if caller.has_every_study or hers.exists():
            return notices
        entries = moved.entries(studies).filter(notice=OuterRef("pk"))
        return notices.exclude(Exists(entries))

    def _refuse_rounded(self, caller: Caller, channel_id: int) -> None:
        """Refuse a rounded id: an empty list would look as if its channel had no notices."""
        channels = Channel.objects.all()
        if channels.filter(pk=channel_id).exists():
            return
        if not caller.has_every_study:
            channels = channels.filter(studies__in=caller.studies)
        refuse_rounded(channels, [channel_id], "channel_id")

    def _conditions(self) -> list[Q | Exists]:
        asked = self.validated_data
        found: list[Q | Exists] = [
            Q(**{lookup: asked[name]}) for name, lookup in _MOMENTS.items() if name in asked
        ]
        if "channel_id" in asked:
            # A subquery keeps the order in which the list is shown.
            chosen = Notice.channels.through.objects.filter(notice=OuterRef("pk"))
            found.append(Exists(chosen.filter(channel=asked["channel_id"])))
        if text := asked.get("search"):
            found.append(Q(title__icontains=text) | Q(content__icontains=text))
        return found
