"""The filters of the list of notices: status, study, author and days."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Count, IntegerField, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices import moments
from notices.desk.long_list import most_counted
from notices.desk.rights import leads_many, led_studies
from notices.ids import read_id
from notices.models import Delivery, Notice, Right, Study
from notices.outside import clock
from notices.paging import Parts, stored_as

# Only these authors are offered, as it would cost too much to read them all; a search finds others.
AUTHORS_OF_THE_NEWEST = 100
# Converting a midnight beyond these between time zones may leave the years that Python knows.
FIRST_DAY, LAST_DAY = date.min + timedelta(days=2), date.max - timedelta(days=2)


class StatusFilter(admin.SimpleListFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(status.value, str(status.label)) for status in Notice.Status]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        return queryset.in_status(value, clock.now()) if value else queryset


class StudyFilter(admin.SimpleListFilter):
    """Offers only the studies that she leads, and nothing if she leads one.

    If they are too many to offer, it offers the one that the address names: the list of studies
    links to it.
    """

    title = gettext_lazy("study")
    parameter_name = "study"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        if leads_many(request.user):
            shown = studies_asked_for(request) or []
            offered = list(Study.objects.allowing(Right.SEE, request.user).filter(pk__in=shown))
        else:
            offered = led_studies(request.user)
            if len(offered) < 2:
                return []
        return [(str(study.pk), study.name) for study in offered]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        known = {value for value, _name in self.lookup_choices}
        if not (value := self.value()):
            return queryset
        return queryset.filter(study=int(value)) if value in known else queryset.none()


class AuthorFilter(admin.SimpleListFilter):
    """Filters by the author's name in the message, whether the desk or a frontend sent it."""

    title = gettext_lazy("author")
    parameter_name = "author"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        parts = Parts(studies_asked_for(request))
        newest = Notice.objects.order_by("-pk")[:AUTHORS_OF_THE_NEWEST]
        if not parts.is_everything:
            ids = parts.newest(Notice.objects.all(), AUTHORS_OF_THE_NEWEST)
            newest = Notice.objects.filter(pk__in=ids)
        authors = {*newest.values_list("author", flat=True), self.value() or ""} - {""}
        return [(author, author) for author in sorted(authors)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        return queryset.filter(author=self.value()) if self.value() else queryset


class DayFilter(admin.SimpleListFilter):
    """A filter with an input for a day in the study's time zone, instead of choices."""

    input_type = "date"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        if not self.value():
            return queryset
        try:
            day = forms.DateField(input_formats=["%Y-%m-%d"]).clean(self.value())
        except ValidationError:
            text = _("%(filter)s: “%(value)s” is no day; write one such as 2026-03-09.")
            messages.error(request, text % {"filter": self.title, "value": self.value()})
            return queryset.none()
        return self.limit(queryset, min(max(day, FIRST_DAY), LAST_DAY), _zone(request))

    def limit(self, queryset: QuerySet[Notice], day: date, zone: tzinfo | None) -> QuerySet[Notice]:
        raise NotImplementedError


class FromFilter(DayFilter):
    title = gettext_lazy("published from")
    parameter_name = "from"

    def limit(self, queryset: QuerySet[Notice], day: date, zone: tzinfo | None) -> QuerySet[Notice]:
        return queryset.filter(publish_at__gte=_midnight(day, zone))


class UntilFilter(DayFilter):
    title = gettext_lazy("published until")
    parameter_name = "until"

    def limit(self, queryset: QuerySet[Notice], day: date, zone: tzinfo | None) -> QuerySet[Notice]:
        return queryset.filter(publish_at__lt=_midnight(day + timedelta(days=1), zone))


def studies_asked_for(request: HttpRequest) -> list[int] | None:
    """Return the ids of the studies that the list shows; None if it shows all."""
    asked = read_id(request.GET.get("study", ""))
    if request.user.is_superuser:
        return None if asked is None else [asked]
    led = [study.pk for study in led_studies(request.user)]
    return [asked] if asked in led else led


def _zone(request: HttpRequest) -> tzinfo | None:
    """Return the time zone of the listed studies if they share one, or else None."""
    asked = studies_asked_for(request)
    # A leader's studies are loaded already; a site admin's may be too many to load.
    if request.user.is_superuser:
        listed = Study.objects.all() if asked is None else Study.objects.filter(pk__in=asked)
        zones = set(listed.order_by().values_list("time_zone", flat=True).distinct()[:2])
    else:
        zones = {
            study.time_zone for study in led_studies(request.user) if study.pk in (asked or ())
        }
    return moments.zone_named(zones.pop()) if len(zones) == 1 else None


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), zone)


def _count(queryset: QuerySet[Model]) -> Coalesce:
    """Count the rows of `queryset` that belong to the notice of the outer row."""
    counted = queryset.filter(notice=OuterRef("pk")).order_by().values("notice")
    return Coalesce(
        Subquery(counted.annotate(n=Count("*")).values("n")), 0, output_field=IntegerField()
    )


class ListWithOwnForm(ChangeList):
    def get_filters(self, request: HttpRequest) -> Any:
        """Say that there are no filters, so that unfold's sheet does not double our own form."""
        specs, _has_filters, *others = super().get_filters(request)
        return specs, False, *others


class NoticeList(ListWithOwnForm):
    def get_results(self, request: HttpRequest) -> None:
        """Find the newest by `Parts`, which is fast, unless she has chosen another order."""
        if self.queryset.query.order_by == ("-id",):
            status = request.GET.get("status")
            parts = Parts(studies_asked_for(request), stored_as(status) if status else None)
            if not parts.is_everything:
                most = most_counted(request, self.list_per_page)
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
