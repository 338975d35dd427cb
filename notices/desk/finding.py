"""How a notice is found in the list: by status, study, author, days, and words."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices.desk.long_list import most_known
from notices.desk.rights import leads_many, led_studies
from notices.ids import read_id
from notices.models import Delivery, Notice, Study
from notices.newest import Parts, stored_as

# Whoever wrote none of these is found by the search.
AUTHORS_OF_THE_NEWEST = 100
# Beyond these some time zone's midnight is in no year that there is.
FIRST_DAY, LAST_DAY = date.min + timedelta(days=2), date.max - timedelta(days=2)


class StatusFilter(admin.SimpleListFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Notice.Status.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        return queryset.in_status(value, timezone.now()) if value else queryset


class StudyFilter(admin.SimpleListFilter):
    """Offers, and knows, only the studies she leads; with one there is nothing to choose.

    Where they are many it offers the one alone whose notices are shown: its own page leads to them.
    """

    title = gettext_lazy("study")
    parameter_name = "study"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        if leads_many(request.user):
            shown = studies_asked_for(request) or []
            offered = list(Study.objects.led_by(request.user).filter(pk__in=shown))
        else:
            offered = led_studies(request.user)
            if len(offered) < 2:
                return []
        return [(str(study.pk), study.name) for study in offered]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        known = {value for value, _name in self.lookup_choices}
        if not (value := self.value()):
            return queryset
        return queryset.filter(study=value) if value in known else queryset.none()


class AuthorFilter(admin.SimpleListFilter):
    """The author as the message names her, whether she wrote here or through a frontend."""

    title = gettext_lazy("author")
    parameter_name = "author"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        parts = Parts(studies_asked_for(request))
        newest = Notice.objects.order_by("-pk")[:AUTHORS_OF_THE_NEWEST]
        if not parts.is_everything:
            ids = parts.newest(Notice.objects.all(), AUTHORS_OF_THE_NEWEST)
            newest = Notice.objects.filter(pk__in=ids)
        authors = {*newest.values_list("author", flat=True), self.value() or ""} - {""}
        return [(author, author) for author in sorted(authors)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(author=self.value()) if self.value() else queryset


class DayFilter(admin.SimpleListFilter):
    """A day on the calendar of the study: there is nothing to choose among, but a day to write."""

    input_type = "date"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return []

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        try:
            day = forms.DateField(input_formats=["%Y-%m-%d"]).clean(self.value())
        except ValidationError:
            text = _("%(filter)s: “%(value)s” is no day; write one such as 2026-03-09.")
            messages.error(request, text % {"filter": self.title, "value": self.value()})
            return queryset.none()
        return self.limit(queryset, min(max(day, FIRST_DAY), LAST_DAY), _zone(request))

    def limit(self, queryset: Any, day: date, zone: ZoneInfo | None) -> Any:
        raise NotImplementedError


class FromFilter(DayFilter):
    title = gettext_lazy("published from")
    parameter_name = "from"

    def limit(self, queryset: Any, day: date, zone: ZoneInfo | None) -> Any:
        return queryset.filter(publish_at__gte=_midnight(day, zone))


class UntilFilter(DayFilter):
    title = gettext_lazy("published until")
    parameter_name = "until"

    def limit(self, queryset: Any, day: date, zone: ZoneInfo | None) -> Any:
        return queryset.filter(publish_at__lt=_midnight(day + timedelta(days=1), zone))


def studies_asked_for(request: HttpRequest) -> list[int] | None:
    """The ids of the studies that the list is about; null where it is about all there are."""
    asked = read_id(request.GET.get("study", ""))
    if request.user.is_superuser:
        return None if asked is None else [asked]
    led = [study.pk for study in led_studies(request.user)]
    return [asked] if asked in led else led


def _zone(request: HttpRequest) -> ZoneInfo | None:
    """That of the studies in the list, where they have one in common."""
    asked = studies_asked_for(request)
    # A leader's studies are read for the page anyway; a site admin's may be too many to read.
    if request.user.is_superuser:
        listed = Study.objects.all() if asked is None else Study.objects.filter(pk__in=asked)
        zones = set(listed.order_by().values_list("time_zone", flat=True).distinct()[:2])
    else:
        zones = {
            study.time_zone for study in led_studies(request.user) if study.pk in (asked or ())
        }
    return ZoneInfo(zones.pop()) if len(zones) == 1 else None


def _midnight(day: date, zone: ZoneInfo | None) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), zone)


def _count(queryset: QuerySet[Any]) -> Coalesce:
    """How many rows of `queryset` belong to the notice of the outer row."""
    counted = queryset.filter(notice=OuterRef("pk")).order_by().values("notice")
    return Coalesce(
        Subquery(counted.annotate(n=Count("*")).values("n")), 0, output_field=IntegerField()
    )


class NoticeList(ChangeList):
    def get_filters(self, request: HttpRequest) -> Any:
        """Unfold's sheet of filters stays away: the list has a form of its own for them."""
        specs, _has_filters, *others = super().get_filters(request)
        return specs, False, *others

    def get_results(self, request: HttpRequest) -> None:
        """The newest first, which is how she sees it unless she sorts it anew."""
        if self.queryset.query.order_by == ("-id",):
            status = request.GET.get("status")
            parts = Parts(studies_asked_for(request), stored_as(status) if status else None)
            if not parts.is_everything:
                most = most_known(request, self.list_per_page)
                ids = parts.newest(self.queryset, most + 1)
                rows = with_counts(Notice.objects.filter(pk__in=ids))
                self.queryset = rows.select_related("study").order_by("-id")
        super().get_results(request)


def with_counts(notices: QuerySet[Any]) -> QuerySet[Any]:
    counted: QuerySet[Any] = notices.annotate(
        shown_count=_count(Delivery.objects.filter(shown__isnull=False)),
        channel_count=_count(Notice.channels.through.objects.all()),
    )
    return counted
