"""Notices on the desk: written, published, followed, sent again, withdrawn."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from notices import attachments, ledger, moments, quotas
from notices.desk import effects, to_whom
from notices.desk.display_name import display_name
from notices.desk.finding import (
    AuthorFilter,
    FromFilter,
    NoticeList,
    StatusFilter,
    StudyFilter,
    UntilFilter,
    with_counts,
)
from notices.desk.following import UNDER_WAY, Following
from notices.desk.long_list import LongList
from notices.desk.notice_form import NoticeForm
from notices.desk.once import made, once
from notices.desk.outcome import part_of
from notices.desk.rights import leads_many, led_studies
from notices.desk.upload_fields import attached_links
from notices.desk.when import zone_note
from notices.desk.withdrawal import CONFIRMED, confirmation, confirmation_of_deletion
from notices.desk.writing import page_data, remember_saved, shown_data
from notices.ids import read_id
from notices.models import Change, Notice, Study
from notices.pings import reach_of
from notices.sendable import can_send, troubles

MOST_WARNINGS = 10


@admin.register(Notice)
class NoticeAdmin(LongList, Following):
    form = NoticeForm
    list_display = ("title", "study", "status_badge", "shown_in", "author", "moment")
    list_filter = (StatusFilter, StudyFilter, AuthorFilter, FromFilter, UntilFilter)
    list_select_related = ("study",)
    list_per_page = 50
    search_fields = ("title", "content", "author")
    empty_value_display = ""
    actions = ("send_again", "withdraw", "duplicate", "delete_drafts")
    making_actions = ("duplicate",)
    # Labels stand above their fields: beside them stands the preview.
    compressed_fields = False
    fieldsets = (
        (gettext_lazy("Text"), {"fields": ("seen_revision", "title", "content")}),
        (gettext_lazy("Picture and files"), {"fields": ("picture", "image", "attached")}),
        (gettext_lazy("Where it goes"), {"fields": ("study", "channels", "ping")}),
        (gettext_lazy("When"), {"fields": ("publish_at", "expires_at")}),
        (gettext_lazy("Author and link"), {"classes": ("collapse",), "fields": ("author", "url")}),
    )

    # --- rights -----------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is withdrawn or archived is done with: it can only be looked at, or duplicated."""
        done = obj is not None and (obj.withdrawn_at is not None or obj.archived_at is not None)
        return request.user.is_authenticated and not done

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft: what was published is withdrawn, so that its messages go too."""
        if obj is None:
            return request.user.is_authenticated
        if not request.user.is_authenticated or obj.status != Notice.Status.DRAFT:
            return False
        return not obj.deliveries.filter(attempts__isnull=False).exists()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What hangs on a draft, such as its channels, goes with it: nothing was ever sent."""
        found, _counts, _history, protected = super().get_deleted_objects(objs, request)
        drafts = [one for one in found if not isinstance(one, list)]
        return drafts, {self.opts.verbose_name_plural: len(drafts)}, set(), protected

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None or obj.current_status in (Notice.Status.DRAFT, Notice.Status.SCHEDULED):
            return ()
        if self.has_change_permission(request, obj):
            return ("study", "publish_at")
        return ("study", "publish_at", "written")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """When it was published is said above the form: no choice is left to make."""
        readonly = self.get_readonly_fields(request, obj)
        if "publish_at" not in readonly:
            return self.fieldsets
        shown: dict[Any, str | None] = {
            "publish_at": None,
            **({"content": "written"} if "written" in readonly else {}),
        }
        return [
            (
                name,
                {**part, "fields": [to for one in part["fields"] if (to := shown.get(one, one))]},
            )
            for name, part in self.fieldsets
        ]

    # --- the list ---------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **_kwargs: Any) -> type[NoticeList]:
        return NoticeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_counts(super().get_queryset(request))

    def get_list_display(self, request: HttpRequest) -> Any:
        """Whoever leads one study knows which it is."""
        if request.user.is_superuser or len(led_studies(request.user)) > 1:
            return self.list_display
        return tuple(name for name in self.list_display if name != "study")

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_badge(self, notice: Notice) -> SafeString:
        status = Notice.Status(notice.current_status)
        return format_html('<span class="badge badge-{}">{}</span>', status.value, status.label)

    @admin.display(description=gettext_lazy("channels"))
    def shown_in(self, notice: Any) -> str | None:
        if notice.archived_at is not None:
            return None  # nobody knows any more
        if notice.publish_at is None:
            return str(notice.channel_count)
        return f"{notice.shown_count}/{notice.channel_count}"

    @admin.display(description=gettext_lazy("publish at"), ordering=F("publish_at").desc())
    def moment(self, notice: Notice) -> str | None:
        if notice.publish_at is None:
            return None
        return moments.in_words(notice.publish_at, ZoneInfo(notice.study.time_zone))

    # --- where it can only be looked at -----------------------------------------------------

    @admin.display(description=gettext_lazy("content"))
    def written(self, notice: Notice) -> SafeString:
        """With its lines, and the class by which the preview follows it on a phone."""
        return format_html('<div class="field-content written">{}</div>', notice.content)

    @admin.display(description=gettext_lazy("picture"))
    def picture(self, notice: Notice) -> SafeString | None:
        picture = attachments.picture_of(notice.attachments)
        return attached_links(notice, [picture] if picture else [])

    @admin.display(description=gettext_lazy("files"))
    def attached(self, notice: Notice) -> SafeString | None:
        return attached_links(notice, attachments.files_of(notice.attachments))

    # --- the form ---------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        return type(form.__name__, (form,), {"user": request.user})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        user: Any = request.user
        initial.setdefault("author", display_name(user))
        studies = self._to_write_for(request)[:2]
        if len(studies) == 1:
            initial["study"] = studies[0].pk
            channels = studies[0].channels.all()
            initial["channels"] = [
                channel.pk for channel in channels if can_send(channel) is not False
            ]
        return initial

    def _to_write_for(self, request: HttpRequest) -> QuerySet[Study]:
        """The studies among which she picks, or the one that the address names."""
        led = Study.objects.led_by(request.user)
        named = request.GET.get("study")
        return led if named is None else led.filter(pk=read_id(named) or 0)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        is_named = len(self._to_write_for(request)[:2]) == 1
        if request.method == "GET" and not is_named and leads_many(request.user):
            messages.info(request, _("Find the study first: beside it you write its notice."))
            return redirect("admin:notices_study_changelist")
        return super().add_view(request, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The whole page reads and shows moments as the clock on the study's wall does."""
        object_id = args[0] if args else kwargs.get("object_id")
        zone, recording = self._zone(request, object_id), self._recording(request, object_id)
        with timezone.override(zone), recording:
            response = super().changeform_view(request, *args, **kwargs)
            return response.render() if isinstance(response, TemplateResponse) else response

    def _recording(
        self, request: HttpRequest, object_id: str | None
    ) -> AbstractContextManager[None]:
        """What a save changes is written down in its own transaction."""
        if request.method != "POST" or object_id is None:
            return nullcontext()
        notice = self.get_object(request, object_id)
        return Change.objects.recording([notice.pk] if notice else [], by=request.user)

    def _zone(self, request: HttpRequest, object_id: str | None) -> ZoneInfo | None:
        led = Study.objects.led_by(request.user)
        if picked := read_id(request.POST.get("study")):
            study = led.filter(pk=picked).first()
        elif object_id:
            notice = self.get_object(request, object_id)
            study = notice.study if notice else None
        else:
            study = self._to_write_for(request).first()
        return ZoneInfo(study.time_zone) if study else None

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        if notice := kwargs.get("obj"):
            context["part"] = part_of(notice)
            if notice.current_status not in (Notice.Status.DRAFT, Notice.Status.SCHEDULED):
                context["effects"] = effects.of_saving(notice, notice.channels.all())
        if self.has_change_permission(request, notice):
            context["writing"] = page_data(request, context["adminform"].form)
        elif notice:
            context["shown"] = shown_data(notice)
        if context["adminform"].form.question:
            context["errors"] = []  # nothing is wrong: she is asked
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if not change:
            obj.created_by = request.user
        obj.forgotten = form.forgotten_moment()
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """The bot, which may be about to claim it, knows of the change before the lock is freed."""
        super().save_related(request, form, formsets, change)
        form.instance.hold_uploads()
        if change:
            ledger.fan_out(form.instance.pk)

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        made(request)
        return self._saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._saved(request, obj)

    def _saved(self, request: HttpRequest, notice: Notice) -> HttpResponse:
        """Back to the notice itself: she wants to see what becomes of it."""
        remember_saved(request)
        if notice.publish_at is None:
            messages.success(request, _draft_in_words(notice))
        elif notice.current_status == Notice.Status.SCHEDULED:
            zone = notice.study.time_zone
            moment = moments.in_words(notice.publish_at, ZoneInfo(zone))
            moment = format_html("{}{}", moment, zone_note(zone))
            told = conditional_escape(_("Will be published on %(moment)s."))
            messages.success(request, mark_safe(told % {"moment": moment}))  # noqa: S308
        elif notice.revision > 1:
            messages.success(request, _("Saved. The messages already shown are changed too."))
        else:
            messages.success(request, _("Published. What becomes of it is shown below."))
        channels = notice.channels.all()
        files = bool(notice.attachments)
        found = [trouble for channel in channels for trouble in troubles(channel, files=files)]
        silences = reach_of(notice.ping, notice.study, channels).silences
        _warn(request, [*found, *silences])
        return redirect("admin:notices_notice_change", notice.pk)

    # --- what is done with a notice ---------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("reach/", wrap(self.reach_view), name="notices_notice_reach"),
            path("<int:pk>/do/<slug:action>/", wrap(self.do_view), name="notices_notice_do"),
        ]
        return own + super().get_urls()

    def reach_view(self, request: HttpRequest) -> HttpResponse:
        """Whom the notice would ping, as it is picked on the page at this moment."""
        asked = request.POST if request.method == "POST" else request.GET
        to_whom.ask_to_count(request.user, asked.get("study"), asked.get("ping"))
        reach = to_whom.reach_of_picks(
            request.user, asked.get("study"), asked.getlist("channels"), asked.get("ping")
        )
        if reach is None:
            raise Http404
        return render(request, "admin/notices/notice/reach.html", {"reach": reach})

    def do_view(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """An action for one notice, by its button."""
        if action not in self.actions:
            raise Http404
        found = self.get_queryset(request).filter(pk=pk)
        if not found.exists():
            raise Http404
        if request.method != "POST":
            # As after a login that came in between: she presses once more.
            return redirect("admin:notices_notice_change", pk)

        def do() -> HttpResponse:
            answer: HttpResponse | None = getattr(self, action)(request, found)
            return answer or redirect("admin:notices_notice_change", pk)

        return once(request, do) if action in self.making_actions else do()

    def _log(self, request: HttpRequest, notice: Notice, message: str) -> None:
        self.log_change(request, notice, message)

    def _not_archived(self, request: HttpRequest, queryset: QuerySet[Notice]) -> list[Notice]:
        """Those whose messages are still known; of the others she is told."""
        notices = list(queryset)
        known = [notice for notice in notices if notice.archived_at is None]
        if left := len(notices) - len(known):
            text = ngettext(
                "%(n)d notice is archived and stays as it is: its messages are no longer known.",
                "%(n)d notices are archived and stay as they are: "
                "their messages are no longer known.",
                left,
            )
            messages.warning(request, text % {"n": left})
        return known

    @admin.action(description=gettext_lazy("Send again what failed"))
    def send_again(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        notices = self._not_archived(request, queryset)
        if not notices:
            return
        channels = 0
        for notice in notices:
            if again := notice.send_again(by=request.user, undecided=False):
                self._log(request, notice, gettext_noop("Sent again."))
            channels += again
        if not channels:
            messages.warning(request, _("Nothing had failed: nothing is sent again."))
            return
        text = ngettext("Sent again to %(n)d channel.", "Sent again to %(n)d channels.", channels)
        messages.success(request, text % {"n": channels}, UNDER_WAY)

    @admin.action(description=gettext_lazy("Withdraw: remove the messages"))
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Notice]) -> HttpResponse | None:
        """Says first what it will do where, and does it once that is confirmed."""
        if CONFIRMED not in request.POST:
            page = confirmation(self, request, queryset)
            if page is not None:
                return page
        notices = self._not_archived(request, queryset)
        withdrawn = 0
        for notice in notices:
            if notice.withdraw(by=request.user):
                self._log(request, notice, gettext_noop("Withdrawn."))
                withdrawn += 1
        if left := len(notices) - withdrawn:
            text = ngettext(
                "%(n)d notice was a draft or withdrawn already: nothing to take back.",
                "%(n)d notices were drafts or withdrawn already: nothing to take back.",
                left,
            )
            messages.warning(request, text % {"n": left})
        if withdrawn:
            text = ngettext("Withdrew %(n)d notice.", "Withdrew %(n)d notices.", withdrawn)
            messages.success(request, text % {"n": withdrawn})
        return None

    @admin.action(description=gettext_lazy("Delete drafts"))
    def delete_drafts(self, request: HttpRequest, queryset: QuerySet[Notice]) -> Any:
        """Names them first, and what is no draft stays."""
        drafts = [one for one in queryset if self.has_delete_permission(request, one)]
        if drafts and CONFIRMED not in request.POST:
            return confirmation_of_deletion(self, request, drafts)
        if left := queryset.count() - len(drafts):
            text = ngettext(
                "%(n)d notice is no draft and stays: withdraw it instead.",
                "%(n)d notices are no drafts and stay: withdraw them instead.",
                left,
            )
            messages.warning(request, text % {"n": left})
        if drafts:
            self.log_deletions(request, Notice.objects.filter(pk__in=[one.pk for one in drafts]))
            for draft in drafts:
                draft.delete()
            text = ngettext("Deleted %(n)d draft.", "Deleted %(n)d drafts.", len(drafts))
            messages.success(request, text % {"n": len(drafts)})
        return None

    @admin.action(description=gettext_lazy("Duplicate as a draft"))
    def duplicate(self, request: HttpRequest, queryset: QuerySet[Notice]) -> HttpResponse | None:
        """To the copy where one was made."""
        copies: list[Notice] = []
        for notice in queryset.select_related("study"):
            try:
                with transaction.atomic():
                    quotas.check_waiting(notice.study)
                    copies.append(copy := notice.duplicate(by=request.user))
            except quotas.ExceededError as error:
                messages.error(request, error.messages[0])
                continue
            if left := notice.channels.exclude(pk__in=copy.channels.all()):
                told = _("The copy does without %(channels)s, which %(study)s no longer has.")
                names = ", ".join(map(str, left))
                messages.warning(request, told % {"channels": names, "study": copy.study})
        made(request)
        for copy in copies:
            self.log_addition(request, copy, gettext_noop("Duplicated."))
        text = ngettext("Made %(n)d draft.", "Made %(n)d drafts.", len(copies))
        messages.success(request, text % {"n": len(copies)})
        if len(copies) != 1:
            return None
        return redirect("admin:notices_notice_change", copies[0].pk)


def _warn(request: HttpRequest, troubles: list[str]) -> None:
    """Each once, and of many channels' no more than a person reads."""
    once = list(dict.fromkeys(troubles))
    for trouble in once[:MOST_WARNINGS]:
        messages.warning(request, trouble)
    if (left := len(once) - MOST_WARNINGS) > 0:
        text = ngettext("There is %(n)d more such warning.", "There are %(n)d more of them.", left)
        messages.warning(request, text % {"n": left})


def _draft_in_words(notice: Any) -> str:
    """With the moment that a draft does not keep: when it was scheduled for, or was to be."""
    zone = ZoneInfo(notice.study.time_zone)
    scheduled, picked = notice.forgotten
    if scheduled:
        text = _("The schedule for %(moment)s is cancelled. It is a draft now: nobody sees it.")
        return text % {"moment": moments.in_words(scheduled, zone)}
    if picked:
        text = _(
            "Saved as a draft. Nobody sees it yet. A draft keeps no moment: %(moment)s is not kept."
        )
        return text % {"moment": moments.in_words(picked, zone)}
    return _("Saved as a draft. Nobody sees it yet.")
