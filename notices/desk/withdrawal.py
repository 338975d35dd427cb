"""The page before a withdrawal, or before drafts are deleted: what will go, and where."""

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from notices.desk import effects
from notices.desk.rights import ModelAdmin
from notices.models import Delivery, Notice

CONFIRMED = "confirmed"
# Nobody reads more, and a form may only have so many fields (DATA_UPLOAD_MAX_NUMBER_FIELDS).
MOST_NOTICES = 500


def confirmation(
    admin: ModelAdmin, request: HttpRequest, chosen: QuerySet[Notice]
) -> HttpResponse | None:
    """Asks, by a form that posts the same once more, confirmed; null where nothing is to remove."""
    deliveries = Prefetch("deliveries", Delivery.objects.select_related("channel"))
    notices = list(chosen.prefetch_related(deliveries, "channels")[: MOST_NOTICES + 1])
    if len(notices) > MOST_NOTICES:
        told = _("More than %(n)d notices are chosen. Withdraw fewer at a time.")
        messages.error(request, told % {"n": MOST_NOTICES})
        return redirect("admin:notices_notice_changelist")
    live = [notice for notice in notices if _can_be_withdrawn(notice)]
    if not live:
        return None
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Withdraw?"),
        "opts": admin.opts,
        "notices": notices,
        "removals": [(notice, effects.of_withdrawing(notice)) for notice in live],
        "checkbox": ACTION_CHECKBOX_NAME,
        "confirmed": CONFIRMED,
        "back": _where_it_was_asked(request, notices),
    }
    return TemplateResponse(request, "admin/notices/notice/withdrawal.html", context)


def confirmation_of_deletion(
    admin: ModelAdmin, request: HttpRequest, drafts: list[Notice]
) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Delete drafts?"),
        "opts": admin.opts,
        "drafts": drafts,
        "checkbox": ACTION_CHECKBOX_NAME,
        "confirmed": CONFIRMED,
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/notices/notice/deletion.html", context)


def _can_be_withdrawn(notice: Notice) -> bool:
    published = notice.publish_at is not None
    return published and notice.withdrawn_at is None and notice.archived_at is None


def _where_it_was_asked(request: HttpRequest, notices: list[Notice]) -> str:
    """The list with its filters, or the notice whose button was pressed."""
    if request.path == reverse("admin:notices_notice_changelist"):
        return request.get_full_path()
    return reverse("admin:notices_notice_change", args=[notices[0].pk])
