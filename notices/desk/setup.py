"""The page on which a site admin sets up the site, from the bot's token to a test message."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_GET, require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from notices.advice import permissions, servers
from notices.advice.channel import troubles
from notices.desk.display_name import display_name
from notices.desk.front_page import Bot, BotState, bot_now
from notices.desk.once import made, once_a_page
from notices.desk.outcome import NoticeOutcome, outcome_of
from notices.desk.rights import user_of
from notices.desk.rows_field import RowsField
from notices.ids import read_id
from notices.models import Channel, Notice, Study
from notices.monitoring import health
from notices.outside import clock
from notices.tables.limits import validate_not_blank

# Only what the bot's features need, and never Administrator.
PERMISSIONS = (
    permissions.VIEW_CHANNEL,
    permissions.SEND_MESSAGES,
    permissions.EMBED_LINKS,
    permissions.ATTACH_FILES,
    permissions.READ_MESSAGE_HISTORY,
    permissions.SEND_MESSAGES_IN_THREADS,
)
# A bot that comes back later sends no forgotten test.
TEST_IS_GOOD_FOR = timedelta(minutes=15)
# The page is for the first studies and channels; later ones are edited on the study's page.
MOST_CHANNELS = 500
MOST_STUDIES = 100

View = Callable[..., HttpResponse]
Row = TypeVar("Row", bound=Model)
Connection = Study.channels.through


def _for_site_admins(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, **places: object) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        return view(request, **places)

    return guarded


def invite_link(application_id: int, *bits: int) -> str:
    """Return the address at which a server's admin invites the bot with these permissions."""
    asked = {"client_id": application_id, "scope": "bot", "permissions": sum(bits)}
    return f"{settings.DISCORD_APP_URL}/oauth2/authorize?{urlencode(asked)}"


def _newest(rows: QuerySet[Row]) -> QuerySet[Row]:
    return rows.filter(pk__in=rows.order_by("-pk").values("pk")[:MOST_STUDIES])


class ConnectForm(forms.Form):
    """Connects channels to a study, which may be a new one."""

    study = forms.ModelChoiceField(
        _newest(Study.objects.all()),
        required=False,
        label=gettext_lazy("study"),
        empty_label=gettext_lazy("a new study"),
        widget=UnfoldAdminSelectWidget,
    )
    new_study = forms.CharField(
        required=False,
        max_length=100,
        label=gettext_lazy("name of the new study"),
        widget=UnfoldAdminTextInputWidget,
        validators=[validate_not_blank],
    )
    channels = RowsField(
        Channel.objects.filter(gone_at=None),
        label=gettext_lazy("channels"),
        error_messages={"required": gettext_lazy("Tick at least one channel.")},
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        picked, named = cleaned.get("study"), cleaned.get("new_study")
        if picked and named:
            self.add_error("new_study", _("Pick a study, or name a new one: not both."))
        if not picked and not named and not self.errors:
            self.add_error("study", _("Pick a study, or name a new one."))
        return cleaned

    def save(self) -> Study:
        study: Study | None = self.cleaned_data["study"]
        if study is None:
            study = Study.objects.create(name=self.cleaned_data["new_study"])
        study.channels.add(*self.cleaned_data["channels"])
        return study


class ConnectionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    doubles: frozenset[int] = frozenset()

    def label_from_instance(self, connection: Any) -> str:
        label = servers.label(connection.channel, self.doubles)
        return f"{connection.study}: {label}"


class SendTestForm(forms.Form):
    """Sends a test message to one channel of one study."""

    where = ConnectionField(
        _newest(Connection.objects.select_related("study", "channel")).order_by(
            "study__name", "pk"
        ),
        label=gettext_lazy("where to"),
        empty_label=None,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        where: Any = self.fields["where"]
        where.doubles = servers.alike_now()

    def save(self, user: User) -> Notice:
        """Create the test as a usual notice, so that it takes the usual path."""
        where, now = self.cleaned_data["where"], clock.now()
        with translation.override(where.study.language):
            title = _("Test message")
            content = _("If you can read this, notices of %(study)s are shown here.")
        notice = Notice.objects.create(
            study=where.study,
            title=title,
            content=content % {"study": where.study},
            author=display_name(user),
            publish_at=now,
            expires_at=now + TEST_IS_GOOD_FOR,
            created_by=user,
        )
        notice.channels.add(where.channel)
        return notice


@dataclass(frozen=True)
class Seen:
    """A channel that the bot sees, with what the page says about it."""

    channel: Channel
    warning: str
    problem: str
    studies: list[str]
    is_ticked: bool


@dataclass(frozen=True)
class Test:
    """A test message with its outcome."""

    bot: Bot
    outcome: NoticeOutcome

    @property
    def is_under_way(self) -> bool:
        return self.outcome.poll_seconds is not None

    @property
    def waits_for_the_bot(self) -> bool:
        return self.is_under_way and self.bot.state in (BotState.ABSENT, BotState.OFFLINE)


def is_begun() -> bool:
    return Connection.objects.exists()


@require_GET
@_for_site_admins
def page(request: HttpRequest) -> HttpResponse:
    return _show(request, ConnectForm())


@require_POST
@_for_site_admins
@once_a_page
def connect(request: HttpRequest) -> HttpResponse:
    form = ConnectForm(request.POST)
    if not form.is_valid():
        return _show(request, form)
    with transaction.atomic():
        study = form.save()
        made(request)
        _log(user_of(request), study, CHANGE, gettext_noop("Connected channels."))
    messages.success(request, _("%(study)s writes in these channels now.") % {"study": study})
    return redirect(f"{reverse('admin:setup')}#test-step")


@require_POST
@_for_site_admins
@once_a_page
def send_test(request: HttpRequest) -> HttpResponse:
    form = SendTestForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error[0]) for error in form.errors.values()))
        return redirect("admin:setup")
    with transaction.atomic():
        notice = form.save(user_of(request))
        made(request)
        _log(user_of(request), notice, ADDITION, gettext_noop("Sent a test message."))
    return redirect(f"{reverse('admin:setup')}?test={notice.pk}#test-step")


@require_GET
@_for_site_admins
def outcome(request: HttpRequest, pk: int) -> HttpResponse:
    """Render the part of the page that polls while the test is under way."""
    notice = get_object_or_404(Notice, pk=pk)
    return TemplateResponse(request, "admin/setup_outcome.html", {"test": _test(notice)})


def _show(request: HttpRequest, form: ConnectForm) -> HttpResponse:
    bots = health.bots_heard_of(clock.now())
    application = next((bot.application_id for bot in bots if bot.application_id), None)
    tested = request.GET.get("test", "")
    notice = Notice.objects.filter(pk=read_id(tested) or 0).first()
    seen = _seen(request.POST.getlist("channels"))
    context = {
        **admin.site.each_context(request),
        "title": _("Setting up"),
        "bot": bot_now(clock.now()),
        "has_token": bool(settings.BOT_TOKEN),
        "permissions": [permissions.NAMES[bit] for bit in PERMISSIONS],
        "invite": application and invite_link(application, *PERMISSIONS),
        "invite_everyone": application
        and invite_link(application, *PERMISSIONS, permissions.MENTION_EVERYONE),
        "form": form,
        "seen": seen[:MOST_CHANNELS],
        "has_more_channels": len(seen) > MOST_CHANNELS,
        "most_studies": MOST_STUDIES if Study.objects.order_by()[MOST_STUDIES:].exists() else None,
        "test_form": SendTestForm() if is_begun() else None,
        "test": notice and _test(notice),
    }
    return TemplateResponse(request, "admin/setup.html", context)


def _log(user: User, changed: Model, flag: int, message: str) -> None:
    LogEntry.objects.log_actions(user.pk, [changed], flag, message, single_object=True)


def _seen(ticked: list[str]) -> list[Seen]:
    doubles = servers.alike_now()
    live = Channel.objects.filter(gone_at=None).order_by("guild_name", "guild_id", "name", "id")
    return [
        Seen(
            channel,
            servers.warning(channel.guild_id, doubles),
            " ".join(troubles(channel)),
            [study.name for study in channel.studies.all()],
            str(channel.pk) in ticked,
        )
        for channel in live.prefetch_related("studies")[: MOST_CHANNELS + 1]
    ]


def _test(notice: Notice) -> Test:
    return Test(bot_now(clock.now()), outcome_of(notice))
