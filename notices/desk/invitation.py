"""Invitations on the desk: a leader makes links to her studies, and revokes them."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import ForeignKey, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from notices.desk import shown_once
from notices.desk.display_name import display_name
from notices.desk.list_filters import StudyFilter
from notices.desk.rights import LedAdmin, leads_many, user_of
from notices.models import Invitation, Right, Study
from notices.outside import clock
from notices.people import invitations, public_address, rights

State = Invitation.State


class DayInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    input_type = "date"


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]
    until = forms.DateField(
        required=False,
        label=_("until"),
        input_formats=["%Y-%m-%d"],
        widget=DayInput,
        help_text=_("With it, to the end of that day; at most 30 days from now."),
    )

    class Meta:
        model = Invitation
        fields = ("study", "role", "is_single_use")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        study, day = cleaned.get("study"), cleaned.get("until")
        if not cleaned.get("is_single_use") and day is None and "until" not in self.errors:
            self.add_error("until", gettext("Tick “for one person”, or pick a day: or both."))
        if study is not None and day is not None:
            self._take_day(study, day)
        return cleaned

    def _take_day(self, study: Study, day: date) -> None:
        if why := invitations.why_not_until(day, study):
            self.add_error("until", why)
        else:
            self.instance.expires_at = invitations.last_moment(day, study)


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(state.value, str(state.label)) for state in State]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        asked = self.value()
        return queryset.filter(state=asked) if asked in State else queryset


@admin.register(Invitation)
class InvitationAdmin(LedAdmin):
    form = InvitationForm
    right = Right.LEAD
    list_display = (
        "study", "role", "maker", "created_at", "last_day", "is_single_use", "uses", "state",
        "revoking",
    )  # fmt: skip
    list_filter = (StateFilter, StudyFilter)
    list_select_related = ("study", "created_by")
    readonly_fields = ("maker", "created_at", "last_day", "uses", "state")
    actions = ("revoke",)

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(self.revoke_view)
        return [
            path("<int:pk>/revoke/", revoke, name="notices_invitation_revoke"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        hers: Any = super().get_queryset(request)
        found: QuerySet[Any] = hers.with_state(clock.now())
        return found

    # --- rights ---------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return rights.may_somewhere(request.user, Right.LEAD)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody change one: whoever has the link was told what it is good for."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete one: a revoked one still shows who made it."""
        return False

    # --- making one -----------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("study", "role", "is_single_use", "until")
        return ("study", "role", "is_single_use", *self.readonly_fields)

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("study",) if leads_many(user_of(request)) else ()

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "study":
            hers = Study.objects.allowing(Right.LEAD, user_of(request))
            kwargs["queryset"] = hers
            # With one study there is nothing to choose.
            kwargs.setdefault("initial", hers[0] if len(hers[:2]) == 1 else None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Invitation, form: forms.Form, change: bool
    ) -> None:
        obj.created_by = user_of(request)
        secret = invitations.issue(obj)
        link = public_address.of_path(reverse("invitation", args=[secret]), request)
        shown_once.keep(request, obj, link)

    def response_add(
        self, request: HttpRequest, obj: Invitation, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Lead to the invitation's page, which shows the link, whatever button was pressed."""
        super().response_add(request, obj, *args, **kwargs)
        return redirect("admin:notices_invitation_change", obj.pk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown: Invitation | None = kwargs.get("obj")
        if shown is not None:
            context |= {
                "link": shown_once.take(request, shown),
                "may_revoke": shown.state == State.OPEN,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    # --- revoking -------------------------------------------------------------------------

    @admin.action(description=_("Revoke: the link lets nobody in any more"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        revoked = [one for one in queryset if invitations.revoke(one)]
        for one in revoked:
            self.log_change(request, one, gettext_noop("Revoked."))
        text = ngettext("Revoked %(n)d invitation.", "Revoked %(n)d invitations.", len(revoked))
        messages.success(request, text % {"n": len(revoked)})

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = self.get_queryset(request).filter(pk=pk)
        if not found.exists():
            raise Http404
        # A login in between turns the POST into a GET; she has to press the button again.
        if request.method == "POST":
            self.revoke(request, found)
        return redirect("admin:notices_invitation_changelist")

    # --- columns --------------------------------------------------------------------------

    @admin.display(description=_("made by"))
    def maker(self, invitation: Invitation) -> str:
        by = invitation.created_by
        return display_name(by) if by else gettext("a command")

    @admin.display(description=_("until"), ordering="expires_at")
    def last_day(self, invitation: Invitation) -> str | None:
        if invitation.expires_at is None:
            return None
        last = invitation.expires_at - timedelta(microseconds=1)
        zone = invitations.zone_of(invitation.study)
        return date_format(timezone.localtime(last, zone), "DATE_FORMAT")

    @admin.display(description=_("state"))
    def state(self, invitation: Invitation) -> SafeString:
        look = "sent" if invitation.state == State.OPEN else "withdrawn"
        label = State(invitation.state).label
        return format_html('<span class="badge badge-{}">{}</span>', look, label)

    @admin.display(description=_("revoke"))
    def revoking(self, invitation: Invitation) -> str:
        """A button of the list's own form, which brings its token along."""
        if invitation.state != State.OPEN:
            return ""
        return format_html(
            '<button type="submit" class="deed grave" formaction="{}">{}</button>',
            reverse("admin:notices_invitation_revoke", args=[invitation.pk]), gettext("Revoke"),
        )  # fmt: skip
