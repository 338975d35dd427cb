"""The admin of notices: their list, and the page to write, publish and follow one."""

from contextlib import AbstractContextManager, nullcontext
from datetime import tzinfo
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notices import actions, moments
from notices.advice.channel import can_send, troubles
from notices.advice.reach import reach_of
from notices.delivery.fan_out import fan_out
from notices.desk import channels_and_ping, save_preview
from notices.desk.display_name import display_name
from notices.desk.following import Following
from notices.desk.list_filters import (
    AuthorFilter,
    FromFilter,
    NoticeList,
    StatusFilter,
    StudyFilter,
    UntilFilter,
    with_counts,
)
from notices.desk.long_list import LongList
from notices.desk.notice_actions import NoticeActions
from notices.desk.notice_form import FIELDSETS, NoticeForm
from notices.desk.once import made
from notices.desk.outcome import part_of
from notices.desk.page_data import page_data, remember_saved, shown_data
from notices.desk.rights import deeds_of, foreign_channels, leads_many, led_studies
from notices.desk.upload_fields import attached_links
from notices.desk.when import zone_note
from notices.files import attached
from notices.ids import read_id
from notices.models import Change, Channel, Notice, Right, Study
from notices.people import rights

MOST_WARNINGS = 10


@admin.register(Notice)
class NoticeAdmin(LongList, NoticeActions, Following):
    form = NoticeForm
    list_display = ("title", "study", "status_badge", "shown_in", "author", "moment")
    list_filter = (StatusFilter, StudyFilter, AuthorFilter, FromFilter, UntilFilter)
    list_select_related = ("study",)
    # A row is 5 KB of HTML, which a phone takes long to lay out.
    list_per_page = 25
    search_fields = ("title", "content", "author")
    empty_value_display = ""
    # Labels stand above their fields, as the preview takes the space beside them.
    compressed_fields = False
    fieldsets = FIELDSETS

    # --- rights -----------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return rights.may_somewhere(request.user, Right.DRAFT)

    def has_change_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        """Let nobody change a withdrawn or archived notice, which can only be duplicated."""
        if obj is None:
            return rights.may_somewhere(request.user, Right.DRAFT)
        if obj.withdrawn_at is not None or obj.archived_at is not None:
            return False
        return rights.may(request.user, rights.to_save(obj.publish_at), obj.study_id)

    def has_delete_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        """Allow to delete a draft alone; a published notice is withdrawn, with its messages."""
        if obj is None:
            return rights.may_somewhere(request.user, Right.DRAFT)
        if obj.status != Notice.Status.DRAFT:
            return False
        if not rights.may(request.user, Right.DRAFT, obj.study_id):
            return False
        return not obj.deliveries.filter(attempts__isnull=False).exists()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List the drafts alone, as their related rows need no permission to be deleted."""
        found, _counts, _history, protected = super().get_deleted_objects(objs, request)
        drafts = [one for one in found if not isinstance(one, list)]
        return drafts, {self.opts.verbose_name_plural: len(drafts)}, set(), protected

    def get_readonly_fields(
        self, request: HttpRequest, obj: Notice | None = None
    ) -> tuple[str, ...]:
        if obj is not None and not self.has_change_permission(request, obj):
            return ("study", "publish_at", "written", "hers")
        if obj is None or obj.current_status in (Notice.Status.DRAFT, Notice.Status.SCHEDULED):
            return ()
        return ("study", "publish_at")

    def get_fieldsets(self, request: HttpRequest, obj: Notice | None = None) -> Any:
        """Leave out fields that have no choice left, such as the moment of a published notice."""
        readonly = self.get_readonly_fields(request, obj)
        shown: dict[Any, str | None] = {}
        if "publish_at" in readonly:
            shown["publish_at"] = None
        if "publish_at" not in readonly or "written" in readonly:
            shown["change"] = None
        if "written" in readonly:
            shown |= {"content": "written", "channels": "hers"}
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

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Add `foreign`, the ids of its channels that must not be named to her."""
        notice: Any = super().get_object(request, *args, **kwargs)
        if notice is not None:
            notice.foreign = foreign_channels(request.user, notice)[notice.pk]
        return notice

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave out the study's column for whoever leads only one."""
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
            return None  # its deliveries are deleted
        if notice.publish_at is None:
            return str(notice.channel_count)
        return f"{notice.shown_count}/{notice.channel_count}"

    @admin.display(description=gettext_lazy("publish at"), ordering=F("publish_at").desc())
    def moment(self, notice: Notice) -> str | None:
        if notice.publish_at is None:
            return None
        return moments.in_words(notice.publish_at, moments.zone_named(notice.study.time_zone))

    # --- where it can only be looked at -----------------------------------------------------

    @admin.display(description=gettext_lazy("content"))
    def written(self, notice: Notice) -> SafeString:
        """Render the text with its lines, and with the class that the phone's preview needs."""
        return format_html('<div class="field-content written">{}</div>', notice.content)

    @admin.display(description=gettext_lazy("channels"))
    def hers(self, notice: Notice) -> str:
        return ", ".join(map(str, _her_channels(notice)))

    @admin.display(description=gettext_lazy("picture"))
    def picture(self, notice: Notice) -> SafeString | None:
        picture = attached.picture_of(notice.attachments)
        return attached_links(notice, [picture] if picture else [])

    @admin.display(description=gettext_lazy("files"))
    def attached(self, notice: Notice) -> SafeString | None:
        return attached_links(notice, attached.files_of(notice.attachments))

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
        """Return the studies to pick from, or the one that the address names."""
        led = Study.objects.allowing(Right.DRAFT, request.user)
        named = request.GET.get("study")
        return led if named is None else led.filter(pk=read_id(named) or 0)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        is_named = len(self._to_write_for(request)[:2]) == 1
        if request.method == "GET" and not is_named and leads_many(request.user):
            messages.info(request, _("Find the study first: beside it you write its notice."))
            return redirect("admin:notices_study_changelist")
        return super().add_view(request, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Read and show all moments of the page in the study's time zone."""
        object_id = args[0] if args else kwargs.get("object_id")
        zone, recording = self._zone(request, object_id), self._recording(request, object_id)
        with timezone.override(zone), recording:
            response = super().changeform_view(request, *args, **kwargs)
            return response.render() if isinstance(response, TemplateResponse) else response

    def _recording(
        self, request: HttpRequest, object_id: str | None
    ) -> AbstractContextManager[None]:
        """Record in the history what a save changes, in the same transaction."""
        if request.method != "POST" or object_id is None:
            return nullcontext()
        notice = self.get_object(request, object_id)
        return Change.objects.recording([notice.pk] if notice else [], by=request.user)

    def _zone(self, request: HttpRequest, object_id: str | None) -> tzinfo | None:
        led = Study.objects.allowing(Right.SEE, request.user)
        if picked := read_id(request.POST.get("study")):
            study = led.filter(pk=picked).first()
        elif object_id:
            notice = self.get_object(request, object_id)
            study = notice.study if notice else None
        else:
            study = self._to_write_for(request).first()
        return moments.zone_named(study.time_zone) if study else None

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        if notice := kwargs.get("obj"):
            if context["adminform"].form.is_bound:
                notice.refresh_from_db()  # a refused form has changed the instance too
            foreign, hers = notice.foreign, _her_channels(notice)
            context["part"] = part_of(notice, deeds_of(request.user, notice), foreign)
            if notice.current_status not in (Notice.Status.DRAFT, Notice.Status.SCHEDULED):
                context["effects"] = save_preview.of_saving(notice, hers, foreign)
        if self.has_change_permission(request, notice):
            context["writing"] = page_data(request, context["adminform"].form)
        elif notice:
            context["shown"] = shown_data(notice, hers)
        if context["adminform"].form.question:
            context["errors"] = []  # a question is no error
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: NoticeForm, change: bool) -> None:
        if not change:
            obj.created_by = request.user
        obj.forgotten = form.forgotten_moment()
        super().save_model(request, obj, form, change)

    def save_related(
        self, request: HttpRequest, form: NoticeForm, formsets: Any, change: bool
    ) -> None:
        """Fan out before the lock is released, since the bot may claim the notice right after."""
        super().save_related(request, form, formsets, change)
        actions.hold_uploads(form.instance)
        if change:
            fan_out(form.instance.pk)

    def response_add(self, request: HttpRequest, obj: Notice, *args: Any) -> HttpResponse:
        made(request)
        return self._saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Notice) -> HttpResponse:
        return self._saved(request, obj)

    def _saved(self, request: HttpRequest, notice: Notice) -> HttpResponse:
        """Redirect to the notice's page, which shows its outcome."""
        remember_saved(request)
        if notice.publish_at is None:
            messages.success(request, _draft_in_words(notice))
        elif notice.current_status == Notice.Status.SCHEDULED:
            zone = notice.study.time_zone
            moment = moments.in_words(notice.publish_at, moments.zone_named(zone))
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

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        reach = path("reach/", wrap(self.reach_view), name="notices_notice_reach")
        return [reach, *super().get_urls()]

    def reach_view(self, request: HttpRequest) -> HttpResponse:
        """Say whom the notice would ping with what is picked on the page now."""
        asked = request.POST if request.method == "POST" else request.GET
        channels_and_ping.ask_to_count(request.user, asked.get("study"), asked.get("ping"))
        reach = channels_and_ping.reach_of_picks(
            request.user, asked.get("study"), asked.getlist("channels"), asked.get("ping")
        )
        if reach is None:
            raise Http404
        return render(request, "admin/notices/notice/reach.html", {"reach": reach})


def _her_channels(notice: Any) -> QuerySet[Channel]:
    return Channel.objects.filter(notices=notice.pk).exclude(pk__in=notice.foreign)


def _warn(request: HttpRequest, troubles: list[str]) -> None:
    """Show each warning once, and no more than MOST_WARNINGS of them."""
    once = list(dict.fromkeys(troubles))
    for trouble in once[:MOST_WARNINGS]:
        messages.warning(request, trouble)
    if (left := len(once) - MOST_WARNINGS) > 0:
        text = ngettext("There is %(n)d more such warning.", "There are %(n)d more of them.", left)
        messages.warning(request, text % {"n": left})


def _draft_in_words(notice: Any) -> str:
    """Say that it is a draft, and which moment it lost: the scheduled one, or one just picked."""
    zone = moments.zone_named(notice.study.time_zone)
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
