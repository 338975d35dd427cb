"""The actions on notices: by a button on one notice's page, and in the list for many."""

from collections.abc import Callable, Iterable

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from notices import actions, quotas
from notices.desk.following import UNDER_WAY
from notices.desk.once import made, once
from notices.desk.rights import LedAdmin, foreign_channels, user_of
from notices.desk.withdrawal import CONFIRMED, confirmation, confirmation_of_deletion
from notices.models import Notice, Right
from notices.people import rights


class NoticeActions(LedAdmin):
    actions = ("send_again", "withdraw", "duplicate", "delete_drafts")
    making_actions = ("duplicate",)

    def get_urls(self) -> list[URLPattern]:
        do = self.admin_site.admin_view(self.do_view)
        return [
            path("<int:pk>/do/<slug:action>/", do, name="notices_notice_do"),
            *super().get_urls(),
        ]

    def do_view(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """Do an action to one notice, by a button on its page."""
        if action not in self.actions:
            raise Http404
        found = self.get_queryset(request).filter(pk=pk)
        if not found.exists():
            raise Http404
        if request.method != "POST":
            # A login in between turns the POST into a GET; she has to press the button again.
            return redirect("admin:notices_notice_change", pk)

        def do() -> HttpResponse:
            answer: HttpResponse | None = getattr(self, action)(request, found)
            return answer or redirect("admin:notices_notice_change", pk)

        return once(request, do) if action in self.making_actions else do()

    def _log(self, request: HttpRequest, notice: Notice, message: str) -> None:
        self.log_change(request, notice, message)

    def _allowed(
        self, request: HttpRequest, notices: Iterable[Notice], right: Callable[[Notice], Right]
    ) -> list[Notice]:
        """Return the notices with which she may do this, and say why not the others."""
        allowed, whys = [], dict[str, None]()
        for notice in notices:
            if rights.may(request.user, right(notice), notice.study_id):
                allowed.append(notice)
            else:
                whys[rights.why_not(request.user, right(notice), notice.study)] = None
        for why in whys:
            messages.error(request, why)
        return allowed

    def _not_archived(self, request: HttpRequest, notices: list[Notice]) -> list[Notice]:
        """Return the notices that are not archived, and warn about the others."""
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
        allowed = self._allowed(request, queryset, rights.to_send_again)
        notices = self._not_archived(request, allowed)
        if not notices:
            return
        channels = 0
        for notice in notices:
            if again := actions.send_again(notice, by=request.user, undecided=False):
                self._log(request, notice, gettext_noop("Sent again."))
            channels += again
        if not channels:
            messages.warning(request, _("Nothing had failed: nothing is sent again."))
            return
        text = ngettext("Sent again to %(n)d channel.", "Sent again to %(n)d channels.", channels)
        messages.success(request, text % {"n": channels}, UNDER_WAY)

    @admin.action(description=gettext_lazy("Withdraw: remove the messages"))
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Notice]) -> HttpResponse | None:
        """Withdraw once the page that says what it will do is confirmed."""
        allowed = self._allowed(request, queryset, lambda _notice: Right.PUBLISH)
        if not allowed and queryset:
            return None
        if CONFIRMED not in request.POST:
            chosen = queryset.filter(pk__in=[one.pk for one in allowed])
            page = confirmation(self, request, chosen)
            if page is not None:
                return page
        notices = self._not_archived(request, allowed)
        withdrawn = 0
        for notice in notices:
            if actions.withdraw(notice, by=request.user):
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
    def delete_drafts(
        self, request: HttpRequest, queryset: QuerySet[Notice]
    ) -> HttpResponse | None:
        """Delete drafts once the page that names them is confirmed; keep what is no draft."""
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
        """Duplicate each notice as a draft, and redirect to the copy if it is the only one."""
        copies: list[Notice] = []
        queryset = queryset.select_related("study")
        for notice in self._allowed(request, queryset, lambda _notice: Right.DRAFT):
            try:
                with transaction.atomic():
                    quotas.check_waiting(notice.study)
                    copies.append(copy := actions.duplicate(notice, by=user_of(request)))
            except quotas.ExceededError as error:
                messages.error(request, error.messages[0])
                continue
            foreign = foreign_channels(request.user, notice)[notice.pk]
            left = notice.channels.exclude(pk__in=foreign).exclude(pk__in=copy.channels.all())
            if left:
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
