"""The rosters on the desk: who takes part in a study, for whoever may see its names."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from notices import moments
from notices.desk import roster_adding
from notices.desk.list_filters import ListWithOwnForm, StudyFilter
from notices.desk.rights import MOST_OFFERED, LedAdmin, ReadOnly
from notices.ids import read_id
from notices.models import Membership, Right, Study
from notices.outside import clock
from notices.people import rights, roster


class RosterFilter(StudyFilter):
    """The list is of one study: the one that is asked for, or the first that she may see."""

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        seen = Study.objects.allowing(Right.SEE_NAMES, request.user)
        offered = list(seen.order_by("name", "pk")[:MOST_OFFERED])
        asked = read_id(request.GET.get(self.parameter_name, ""))
        if asked and asked not in {study.pk for study in offered}:
            offered += seen.filter(pk=asked)
        return [(str(study.pk), study.name) for study in offered]

    def has_output(self) -> bool:
        return True  # Django would not apply it otherwise.

    def value(self) -> str | None:
        first = self.lookup_choices[0][0] if self.lookup_choices else None
        return super().value() or first

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {value for value, _name in self.lookup_choices}
        value = self.value()
        return queryset.filter(study=int(value)) if value in known else queryset.none()


class LeftFilter(admin.SimpleListFilter):
    """Hides who has left unless she asks for them."""

    title = gettext_lazy("whom to show")
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("1", _("who has left"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(until__isnull=self.value() != "1")


@admin.register(Membership)
class MembershipAdmin(ReadOnly, LedAdmin):
    list_display = ("name", "discord_id", "way", "came", "sight")
    list_display_links = None
    list_filter = (RosterFilter, LeftFilter)
    list_per_page = 50
    list_select_related = ("person", "study")
    show_full_result_count = False
    search_fields = ("person__name", "=person__discord_id")
    sortable_by = ()
    ordering = ("id",)
    fields = ("name", "discord_id", "way", "came", "ended", "sight")
    actions = ("take_off",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            ("add", roster_adding.add_people, "notices_membership_add_people"),
            ("save", roster_adding.save_as_csv, "notices_membership_save"),
        ]
        return [
            *(path(f"of/<int:pk>/{word}/", view(page), name=name) for word, page, name in own),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Membership.objects.allowing(Right.SEE_NAMES, request.user)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        has_left = request.GET.get(LeftFilter.parameter_name) == "1"
        return (*self.list_display, "ended") if has_left else self.list_display

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ListWithOwnForm]:
        return ListWithOwnForm

    def has_module_permission(self, request: HttpRequest) -> bool:
        return rights.may_somewhere(request.user, Right.SEE_NAMES)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return rights.may_somewhere(request.user, Right.SEE_NAMES)

    def has_lead_permission(self, request: HttpRequest) -> bool:
        return rights.may_somewhere(request.user, Right.LEAD)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        answer: Any = super().changelist_view(request, extra_context)
        # A refusal, or what an action leads to, has no list.
        if shown := (getattr(answer, "context_data", None) or {}).get("cl"):
            answer.context_data |= _of_its_study(request, shown)
        page: HttpResponse = answer
        return page

    @admin.display(description=gettext_lazy("name"))
    def name(self, member: Membership) -> str:
        return member.person.name or _("no name yet")

    @admin.display(description=gettext_lazy("Discord id"))
    def discord_id(self, member: Membership) -> str:
        return str(member.person.discord_id)

    @admin.display(description=gettext_lazy("since"))
    def came(self, member: Membership) -> str:
        return _day(member, member.since)

    @admin.display(description=gettext_lazy("left on"))
    def ended(self, member: Membership) -> str:
        return _day(member, member.until) if member.until else ""

    @admin.action(description=gettext_lazy("Take off the roster"), permissions=["lead"])
    def take_off(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """End what she leads; a roster that she can only see stays as it is."""
        led = Membership.objects.allowing(Right.LEAD, request.user).filter(pk__in=queryset)
        studies = list(Study.objects.filter(memberships__in=led).distinct())
        ended = roster.end(led, clock.now())
        for study in studies:
            self.log_change(request, study, gettext_noop("Took people off the roster."))
        text = ngettext(
            "Took %(n)d person off the roster.", "Took %(n)d people off the roster.", ended
        )
        messages.success(request, text % {"n": ended})


def _of_its_study(request: HttpRequest, shown: ChangeList) -> dict[str, object]:
    chosen = next(one for one in shown.filter_specs if isinstance(one, RosterFilter))
    seen = Study.objects.allowing(Right.SEE_NAMES, request.user)
    study = seen.filter(pk=read_id(chosen.value() or "") or 0).first()
    led = Study.objects.allowing(Right.LEAD, request.user)
    return {"study": study, "may_lead": study and led.filter(pk=study.pk).exists()}


def _day(member: Membership, moment: Any) -> str:
    """The day alone: the time of day says more of a person than anybody needs."""
    there = moment.astimezone(moments.zone_named(member.study.time_zone))
    return date_format(there, "DATE_FORMAT")
