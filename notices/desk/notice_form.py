"""The form in which a leader writes a notice: its fields, their checks, and questions to her."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from notices import moments, quotas
from notices.delivery import message
from notices.desk import channels_and_ping
from notices.desk.channels_and_ping import ChannelBoxes, ChannelsField
from notices.desk.conflict import conflict
from notices.desk.questions import Doubt, Question
from notices.desk.rights import foreign_channels, leads_many
from notices.desk.text_fields import CHANGE_LIMIT, MarkdownTextarea, ProseField
from notices.desk.upload_fields import PictureField, UploadsField
from notices.desk.when import Moment, zones_of
from notices.files.attached import entries, files_of, picture_of
from notices.files.uploads import check_together
from notices.ids import read_id
from notices.links import bare, is_public_link, with_scheme
from notices.models import Channel, Notice, Right, Study, Upload
from notices.outside import clock
from notices.people import rights
from notices.tables.notice_fields import CONTENT_LIMIT

PUBLISH, SCHEDULE, DRAFT, SAVE = "_publish", "_schedule", "_draft", "_save"
# The page's sections, with their fields.
FIELDSETS: tuple[tuple[Any, Any], ...] = (
    (gettext_lazy("Text"), {"fields": ("seen_revision", "title", "content", "change")}),
    (gettext_lazy("Picture and files"), {"fields": ("picture", "image", "attached")}),
    (gettext_lazy("Where it goes"), {"fields": ("study", "channels", "ping")}),
    (gettext_lazy("When"), {"fields": ("publish_at", "expires_at")}),
    (gettext_lazy("Author and link"), {"classes": ("collapse",), "fields": ("author", "url")}),
)


def whole_link(text: str) -> str:
    """Complete a link as a browser does: www.example.com becomes https://www.example.com."""
    link = bare(text)
    whole = with_scheme(link) or link
    if whole and not is_public_link(whole):
        raise forms.ValidationError(
            _(
                "This is not an address on the web: write one such as https://example.com/page, "
                "without a user name."
            )
        )
    return whole


class NoticeForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of one request: the admin makes a subclass with its `user`."""

    user: Any = None
    question: Question | None = None
    """It has to be answered before this can be saved."""
    _moment: datetime | None = None
    """The moment that was filled in, even if the button ignores it."""

    study = forms.ModelChoiceField(
        Study.objects.none(), label=gettext_lazy("study"), widget=UnfoldAdminSelectWidget
    )
    channels = ChannelsField(
        Channel.objects.none(),
        widget=ChannelBoxes,
        required=False,
        label=gettext_lazy("channels"),
    )
    content = ProseField(
        max_length=CONTENT_LIMIT,
        label=gettext_lazy("content"),
        widget=MarkdownTextarea(attrs={"rows": 10}),
        help_text=gettext_lazy("Discord's Markdown works: **bold**, lists, links."),
    )
    change = ProseField(
        max_length=CHANGE_LIMIT,
        required=False,
        label=gettext_lazy("what changed"),
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": gettext_lazy("8 PM → 9 PM")}),
        help_text=gettext_lazy(
            "For readers, who are not told of a change: stands first in the text, as “Change: 8 PM "
            "→ 9 PM”. You may leave it out."
        ),
    )
    picture = PictureField(
        label=gettext_lazy("picture"),
        help_text=gettext_lazy("A PNG, JPEG, GIF or WebP, shown large below the text."),
    )
    attached = UploadsField(
        label=gettext_lazy("files"),
        help_text=gettext_lazy("Shown with the message, for everybody to open."),
    )
    publish_at = forms.DateTimeField(
        required=False, label=gettext_lazy("publish at"), widget=Moment
    )
    expires_at = forms.DateTimeField(
        required=False,
        label=gettext_lazy("not after"),
        widget=Moment,
        help_text=gettext_lazy("Where it could not be shown by then, it is no longer sent."),
    )
    seen_revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Media:
        css = {"all": ["notices/writing.css"]}
        js = [
            "notices/desk.js",
            "notices/to_whom.js",
            "notices/outcome.js",
            *(
                forms.Script(f"notices/{name}.js", type="module")
                for name in ("toolbar", "counters", "uploads", "in_sight", "unsaved")
            ),
        ]

    class Meta:
        model = Notice
        fields = flatten_fieldsets(FIELDSETS)
        # Lines of text, whose letters the page counts.
        field_classes = {"title": ProseField, "author": ProseField}
        labels = {"image": gettext_lazy("or the picture's address")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "study" in self.fields:
            del self.fields["change"]  # it is not published, so that readers know no other text
        self._offer_studies_and_channels()
        self._offer_uploads()
        self._say_time_zones()
        self._say_whom_it_pings()
        if self.instance.pk:
            self.fields["seen_revision"].initial = self.instance.revision

    def _offer_studies_and_channels(self) -> None:
        led = Study.objects.allowing(Right.DRAFT, self.user)
        if leads_many(self.user):
            led = led.filter(pk=read_id(str(self._picked_study())) or 0)
        if "study" in self.fields:
            self._choices("study").queryset = led
            offered = Q(studies__in=led)
        else:
            offered = Q(studies=self.instance.study_id)
        if self.instance.pk:
            # A channel that the study has lost stays pickable, or a save would remove its message.
            offered |= Q(notices=self.instance.pk) & ~Q(pk__in=self._foreign())
        if "channels" in self.fields:
            of_hers = Prefetch("studies", queryset=led)
            channels = Channel.objects.filter(offered).distinct().prefetch_related(of_hers)
            self._choices("channels").queryset = channels

    def _foreign(self) -> set[int]:
        return foreign_channels(self.user, self.instance)[self.instance.pk]

    def _offer_uploads(self) -> None:
        """Offer what she has uploaded, and the files of her studies' notices."""
        studies = Study.objects.allowing(Right.SEE, self.user)
        offered = Upload.objects.all().of(studies, user=self.user)
        picture = picture_of(self.instance.attachments)
        files = files_of(self.instance.attachments)
        self.initial["picture"] = [picture["id"]] if picture else []
        self.initial["attached"] = [one["id"] for one in files]
        for name in {"picture", "attached"} & self.fields.keys():
            self._choices(name).offer(offered)

    def _choices(self, name: str) -> Any:
        return self.fields[name]

    def _say_time_zones(self) -> None:
        studies = (
            self._choices("study").queryset if "study" in self.fields else [self.instance.study]
        )
        for name in ("publish_at", "expires_at"):
            if name in self.fields:
                field = self.fields[name]
                field.help_text = format_html("{} {}", field.help_text, zones_of(studies))

    def _say_whom_it_pings(self) -> None:
        if not {"channels", "ping"} <= self.fields.keys():
            return  # the notice is read-only
        study = self._picked_study()
        channels, ping = self._picked("channels") or (), self._picked("ping")
        reach = channels_and_ping.reach_of_picks(self.user, study, channels, ping)
        told = {"reach": reach, "study": study, "is_published": "study" not in self.fields}
        self.fields["ping"].help_text = render_to_string("admin/notices/notice/ping.html", told)

    @property
    def may_publish(self) -> bool:
        """Whether she may in the study that is picked, or in any while none is."""
        study_id = read_id(str(self._picked_study()))
        if study_id is None:
            return rights.may_somewhere(self.user, Right.PUBLISH)
        return rights.may(self.user, Right.PUBLISH, study_id)

    def clean_url(self) -> str:
        return whole_link(self.cleaned_data["url"])

    def clean_image(self) -> str:
        return whole_link(self.cleaned_data["image"])

    def clean(self) -> dict[str, Any]:
        super().clean()
        saved = self._hold() if self.instance.pk else None
        before = saved.publish_at if saved else None
        doubts = self._choose_moment() if "publish_at" in self.fields else []
        if self.cleaned_data.get("change") and "content" in self.cleaned_data:
            self._say_what_changed()
        if {"picture", "attached"} <= self.cleaned_data.keys():
            self._attach(self.cleaned_data["picture"], self.cleaned_data["attached"])
        self._check_quotas()
        study = self.cleaned_data.get("study") or (self.instance.pk and self.instance.study)
        if study and "channels" in self.cleaned_data:
            self._check_channels(study)
            self._check_ping(study)
            self._check_rights(study, before)
            if not self.errors and self._will_be_published():
                doubts += self._doubts_about_ping(study)
        if saved and not self.errors:
            doubts = self._doubts_about_changes(saved) + doubts
        self._ask(doubts)
        return self.cleaned_data

    def _ask(self, doubts: list[Doubt]) -> None:
        button = next((name for name in (PUBLISH, SCHEDULE, DRAFT) if name in self.data), SAVE)
        question = Question(button, doubts)
        if doubts and not self.errors and self.data.get(button) != question.answer:
            self.question = question
            raise ValidationError(_("Nothing is saved yet: please answer first."))

    def _check_quotas(self) -> None:
        study = self.cleaned_data.get("study") or (self.instance.pk and self.instance.study)
        if not study:
            return
        is_another = self.instance.pk is None or self.instance.study_id != study.pk
        waits = PUBLISH not in self.data and "publish_at" in self.fields
        more = [*self.cleaned_data.get("picture", ()), *self.cleaned_data.get("attached", ())]
        try:
            if is_another and waits:
                quotas.check_waiting(study)
            if more:
                quotas.check_attached(study, more, but=self.instance)
        except quotas.ExceededError as error:
            self.add_error(None, error)

    def _say_what_changed(self) -> None:
        line = message.line_of_change(self.instance.study, self.cleaned_data["change"])
        text = f"{line}\n\n{self.cleaned_data['content']}"
        if (length := len(text)) > CONTENT_LIMIT:
            told = _("With this line the text has %(n)d characters, of %(limit)d at most.")
            self.add_error("change", told % {"n": length, "limit": CONTENT_LIMIT})
        else:
            self.cleaned_data["content"] = text

    def _attach(self, pictures: list[Upload], files: list[Upload]) -> None:
        if pictures and self.cleaned_data.get("image"):
            self.add_error(
                "image",
                _(
                    "The notice has a picture already: remove %(name)s above, "
                    "or leave this address out."
                )
                % {"name": pictures[0].name},
            )
        try:
            check_together([*pictures, *files])
        except ValidationError as error:
            self.add_error("attached", error)
        self.instance.attachments = entries(next(iter(pictures), None), files)

    def _hold(self) -> Notice:
        """Lock the notice's row until the save, against other people and the bot's claims."""
        saved = Notice.objects.select_for_update().filter(pk=self.instance.pk).first()
        if saved is None:
            raise ValidationError(
                _("Somebody deleted this draft while you were writing. Copy your text.")
            )
        waits = saved.current_status in (Notice.Status.DRAFT, Notice.Status.SCHEDULED)
        if not waits and ("publish_at" in self.fields or {DRAFT, SCHEDULE} & self.data.keys()):
            raise ValidationError(self._too_late(saved))
        return saved

    def _doubts_about_changes(self, saved: Notice) -> list[Doubt]:
        seen = self.cleaned_data.get("seen_revision")
        if seen is None or seen == saved.revision:
            return []
        return [conflict(saved, self.instance, self.cleaned_data, self.user)]

    def _too_late(self, saved: Notice) -> str:
        moment = moments.in_words(saved.publish_at) if saved.publish_at else ""
        if saved.deliveries.filter(shown__isnull=False).exists():
            fact = _("It is too late for that: the notice was published on %(moment)s.")
        else:
            fact = _("It is too late for that: the notice is on its way since %(moment)s.")
        remedy = _("Nothing was changed. To take it back, withdraw it; to change it, save it.")
        return f"{fact % {'moment': moment}} {remedy}"

    def _choose_moment(self) -> list[Doubt]:
        """Set the moment by the button that was pressed; Enter in a field presses none."""
        moment = self._moment = self.cleaned_data.get("publish_at")
        doubts = []
        if PUBLISH in self.data:
            doubts = self._doubts_about_moment(moment)
            self.cleaned_data["publish_at"] = clock.now()
        elif DRAFT in self.data:
            self.cleaned_data["publish_at"] = None
        elif moment is None and "publish_at" not in self.errors and self._needs_moment():
            self.add_error("publish_at", _("Pick the moment to publish at."))
        elif moment is not None and moment <= clock.now():
            self.add_error(
                "publish_at", _("This moment has passed. To publish at once press “Publish now”.")
            )
        if {PUBLISH, DRAFT} & self.data.keys():
            self.errors.pop("publish_at", None)
        return doubts

    def forgotten_moment(self) -> tuple[datetime | None, datetime | None]:
        """Return the moments that a draft does not keep: the scheduled one, and a picked one."""
        picked = self._moment if DRAFT in self.data else None
        return self.initial.get("publish_at"), picked

    def _needs_moment(self) -> bool:
        """Return whether it is to be scheduled; only the draft's button ends a schedule."""
        return SCHEDULE in self.data or bool(self.instance.pk and self.instance.publish_at)

    def _doubts_about_moment(self, moment: datetime | None) -> list[Doubt]:
        """Ask if she filled in a later moment but pressed the button that ignores it."""
        if moment is None or moment <= clock.now() or "publish_at" not in self.changed_data:
            return []
        return [
            Doubt(
                head=_("Publish now, though a later time is filled in?"),
                words=_(
                    "You filled in %(moment)s. Published now, everybody sees it at once. To have "
                    "it published then, press “Schedule” below."
                )
                % {"moment": moments.in_words(moment)},
                yes=_("Yes, publish now"),
                answer="now",
            )
        ]

    def _check_channels(self, study: Study) -> None:
        picked: QuerySet[Channel] = self.cleaned_data["channels"]
        allowed = Q(studies=study)
        is_new = "publish_at" in self.fields and self._will_be_published()
        if self.instance.pk and self.instance.study_id == study.pk and not is_new:
            # A draft may keep a lost channel; a published notice fails there with a reason.
            allowed |= Q(notices=self.instance.pk)
        ids = set(Channel.objects.filter(allowed).values_list("pk", flat=True))
        if strange := [str(channel) for channel in picked if channel.pk not in ids]:
            self.add_error(
                "channels",
                _("Not a channel of %(study)s: %(channels)s. Pick among the study's own channels.")
                % {"study": study, "channels": ", ".join(strange)},
            )
        elif not picked and self._will_be_published():
            self.add_error("channels", self._no_channel(bool(ids), study))

    def _will_be_published(self) -> bool:
        if "publish_at" in self.fields:
            return bool(self.cleaned_data.get("publish_at"))
        return self.instance.publish_at is not None

    def _no_channel(self, any_to_pick: bool, study: Study) -> str:
        if not any_to_pick:
            return _("%(study)s has no channel yet: ask a site admin to add one.") % {
                "study": study
            }
        if self.instance.pk and "publish_at" not in self.fields:
            return _("Leave at least one channel. To take the notice back, withdraw it.")
        return _("Pick at least one channel to publish in.")

    def _check_ping(self, study: Study) -> None:
        if self.cleaned_data.get("ping") == Notice.Ping.ROLE and study.ping_role_id is None:
            self.add_error(
                "ping",
                _("%(study)s has no role to ping. Ask a site admin to enter one, or pick another.")
                % {"study": study},
            )

    def _check_rights(self, study: Study, before: datetime | None) -> None:
        notice, fields = self.instance, self.cleaned_data
        publish_at = fields.get("publish_at") if "publish_at" in self.fields else before
        right = rights.to_save(before, publish_at)
        if not rights.may(self.user, right, study.pk):
            self.add_error(None, rights.why_not(self.user, right, study))
            return
        ping = fields.get("ping", notice.ping)
        sends = rights.pings(notice, ping, fields.get("channels", ()), publish_at)
        if sends and not rights.may(self.user, Right.PING, study.pk):
            self.add_error("ping", rights.why_not(self.user, Right.PING, study))

    def _picked(self, name: str) -> Any:
        """Return the value that the page will show, without making the bound field.

        A bound field copies the help text, which is set later.
        """
        field = self.fields[name]
        if self.is_bound:
            return field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        return self.get_initial_for_field(field, name)

    def _picked_study(self) -> Any:
        return self._picked("study") if "study" in self.fields else self.instance.study_id

    def _doubts_about_ping(self, study: Study) -> list[Doubt]:
        ping = self.cleaned_data["ping"]
        channels = channels_and_ping.newly_pinged(
            self.instance, study, ping, self.cleaned_data["channels"]
        )
        return channels_and_ping.doubts_about_ping(ping, study, channels)
