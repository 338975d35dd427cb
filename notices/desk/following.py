"""The pages of a notice beside its form: its outcome, decisions for one channel, its history."""

from contextlib import suppress

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices import actions, moments
from notices.desk import notice_history, save_preview
from notices.desk.outcome import part_of
from notices.desk.rights import LedAdmin, deeds_of, foreign_channels
from notices.ids import read_id
from notices.models import Channel, Notice, Right
from notices.people import rights

# The tag of a message that outcome.js removes once the outcome changes.
UNDER_WAY = "under-way"
# The status by which htmx stops polling.
STOP_POLLING = 286
# The decisions of the buttons for one channel, each with its action and its message.
CHOICES = {
    "send_again": (actions.send_again_in, gettext_lazy("Tries again in %(channel)s.")),
    "look_again": (actions.look_again_in, gettext_lazy("Looks into %(channel)s again.")),
    "leave": (actions.leave_in, gettext_lazy("%(channel)s is left as it is.")),
}


class Following(LedAdmin):
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/outcome/", self.outcome_view, name="notices_notice_outcome"),
            path("<int:pk>/effects/", wrap(self.effects_view), name="notices_notice_effects"),
            path(
                "<int:pk>/channel/<int:channel_id>/<slug:choice>/",
                wrap(self.choice_view),
                name="notices_notice_choice",
            ),
        ]
        return own + super().get_urls()

    def outcome_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer the page's poll, with an empty 204 if nothing has changed.

        A logged-out user gets a message, since a login form inside the page would not work.
        """
        if "HX-Request" not in request.headers:
            view: HttpResponse = self.admin_site.admin_view(self._outcome)(request, pk)
            return view
        is_in = self.admin_site.has_permission(request)
        with suppress(Http404):
            if is_in:
                return self._outcome(request, pk)
        there = reverse("admin:notices_notice_change", args=[pk])
        lost = render(
            request,
            "admin/notices/notice/outcome_lost.html",
            {"logged_out": not is_in, "there": there},
            status=STOP_POLLING,
        )
        # The message has a place of its own, so that the last known outcome stays.
        lost["HX-Retarget"], lost["HX-Reswap"] = "#outcome-trouble", "innerHTML"
        return lost

    def _outcome(self, request: HttpRequest, pk: int) -> HttpResponse:
        notice = self._found(request, pk)
        foreign = foreign_channels(request.user, notice)[pk]
        with timezone.override(moments.zone_named(notice.study.time_zone)):
            part = part_of(notice, deeds_of(request.user, notice), foreign)
            if request.GET.get("seen") == part.seen:
                return HttpResponse(status=204)
            page = "admin/notices/notice/outcome.html"
            return render(request, page, {"part": part, "original": notice})

    def effects_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what a save would do with the channels that the form has picked now."""
        notice = self._found(request, pk)
        foreign = foreign_channels(request.user, notice)[pk]
        ids = {read_id(one) for one in request.GET.getlist("channels")} - foreign
        offered = Channel.objects.filter(studies=notice.study_id) | notice.channels.all()
        picked = [channel for channel in offered.distinct() if channel.pk in ids]
        page = "admin/notices/notice/effects.html"
        return render(request, page, {"effects": save_preview.of_saving(notice, picked, foreign)})

    def choice_view(
        self, request: HttpRequest, pk: int, channel_id: int, choice: str
    ) -> HttpResponse:
        """Carry out what she decided for one channel by a button."""
        if choice not in CHOICES:
            raise Http404
        notice = self._found(request, pk)
        if request.method != "POST":
            return redirect("admin:notices_notice_change", pk)
        sends = choice == "send_again"
        right = rights.to_send_again(notice) if sends else Right.PUBLISH
        if not rights.may(request.user, right, notice.study_id):
            raise PermissionDenied(rights.why_not(request.user, right, notice.study))
        delivery = notice.deliveries.filter(channel=channel_id).select_related("channel").first()
        if delivery is None or channel_id in foreign_channels(request.user, notice)[pk]:
            raise Http404
        do, told = CHOICES[choice]
        if do(notice, channel_id, by=request.user):
            messages.success(request, str(told) % {"channel": delivery.channel}, UNDER_WAY)
        else:
            messages.warning(
                request,
                _("In %(channel)s something has changed meanwhile; look at it again below.")
                % {"channel": delivery.channel},
            )
        return redirect("admin:notices_notice_change", pk)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show what people, frontends and the bot did to it, by time."""
        notice = self.get_object(request, object_id)
        if notice is None:
            raise Http404
        page = notice_history.page_of(notice, request.user, request.GET.get("p", ""))
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(title)s") % {"title": notice},
            "original": notice,
            "opts": self.opts,
            "page": page,
            **(extra_context or {}),
        }
        with timezone.override(moments.zone_named(notice.study.time_zone)):
            return TemplateResponse(request, "admin/notices/notice/history.html", context).render()

    def _found(self, request: HttpRequest, pk: int) -> Notice:
        hers = self.get_queryset(request).select_related("study")
        notice: Notice | None = hers.filter(pk=pk).first()
        if notice is None:
            raise Http404
        return notice
