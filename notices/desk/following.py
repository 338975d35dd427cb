"""Following a notice on the desk: how it goes now, what a person has to decide, its history."""

from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices.desk import effects, timeline
from notices.desk.outcome import part_of
from notices.desk.rights import LedAdmin
from notices.ids import read_id
from notices.models import Channel, Notice

# A message that is true until the outcome on the page changes: outcome.js takes it away.
UNDER_WAY = "under-way"
# htmx's own, for the answer to a poll.
STOP_POLLING = 286
# What a button says of one channel: how the notice does it, and what she is told.
CHOICES = {
    "send_again": (Notice.send_again_in, gettext_lazy("Tries again in %(channel)s.")),
    "look_again": (Notice.look_again_in, gettext_lazy("Looks into %(channel)s again.")),
    "leave": (Notice.leave_in, gettext_lazy("%(channel)s is left as it is.")),
}


class Following(LedAdmin):
    """The pages of a notice beside its form."""

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
        """What the page asks for again and again; where nothing is new, nothing is sent.

        Who has been logged out meanwhile is told so: a login form in the middle of the page would
        be of no use to her.
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
        # What was last known stays in its place.
        lost["HX-Retarget"], lost["HX-Reswap"] = "#outcome-trouble", "innerHTML"
        return lost

    def _outcome(self, request: HttpRequest, pk: int) -> HttpResponse:
        notice = self._found(request, pk)
        with timezone.override(ZoneInfo(notice.study.time_zone)):
            part = part_of(notice)
            if request.GET.get("seen") == part.seen:
                return HttpResponse(status=204)
            page = "admin/notices/notice/outcome.html"
            return render(request, page, {"part": part, "original": notice})

    def effects_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a save would do, with the channels that are picked on the form just now."""
        notice = self._found(request, pk)
        ids = {read_id(one) for one in request.GET.getlist("channels")}
        offered = Channel.objects.filter(studies=notice.study_id) | notice.channels.all()
        picked = [channel for channel in offered.distinct() if channel.pk in ids]
        page = "admin/notices/notice/effects.html"
        return render(request, page, {"effects": effects.of_saving(notice, picked)})

    def choice_view(
        self, request: HttpRequest, pk: int, channel_id: int, choice: str
    ) -> HttpResponse:
        """What she decided for one channel, by its button."""
        if choice not in CHOICES:
            raise Http404
        notice = self._found(request, pk)
        if request.method != "POST":
            return redirect("admin:notices_notice_change", pk)
        delivery = notice.deliveries.filter(channel=channel_id).select_related("channel").first()
        if delivery is None:
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
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who did what to it, and what the bot did, in one line of time."""
        notice = self.get_object(request, object_id)
        if notice is None:
            raise Http404
        page = timeline.page_of(notice, request.user, request.GET.get("p", ""))
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(title)s") % {"title": notice},
            "original": notice,
            "opts": self.opts,
            "page": page,
            **(extra_context or {}),
        }
        with timezone.override(ZoneInfo(notice.study.time_zone)):
            return TemplateResponse(request, "admin/notices/notice/history.html", context).render()

    def _found(self, request: HttpRequest, pk: int) -> Notice:
        hers = self.get_queryset(request).select_related("study")
        notice: Notice | None = hers.filter(pk=pk).first()
        if notice is None:
            raise Http404
        return notice
