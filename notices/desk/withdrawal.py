"""The pages that confirm a withdrawal, or the deletion of drafts, and say what it removes."""

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from notices.desk import save_preview
from notices.desk.rights import ModelAdmin, foreign_channels
from notices.models import Delivery, Notice

CONFIRMED = "confirmed"
# Each notice is a field of the form, and DATA_UPLOAD_MAX_NUMBER_FIELDS limits those.
MOST_NOTICES = 500


def confirmation(
    admin: ModelAdmin, request: HttpRequest, chosen: QuerySet[Notice]
) -> HttpResponse | None:
    """Return the page that asks for confirmation, or None if nothing can be withdrawn."""
    deliveries = Prefetch("deliveries", Delivery.objects.select_related("channel"))
    notices = list(chosen.prefetch_related(deliveries, "channels")[: MOST_NOTICES + 1])
    if len(notices) > MOST_NOTICES:
        told = _("More than %(n)d notices are chosen. Withdraw fewer at a time.")
        messages.error(request, told % {"n": MOST_NOTICES})
        return redirect("admin:notices_notice_changelist")
    live = [notice for notice in notices if _can_be_withdrawn(notice)]
    if not live:
        return None
    foreign = foreign_channels(request.user, *live)
    context = _context(admin, request, notices) | {
        "action": "withdraw",
        "title": _("Withdraw?"),
        "yes": _("Withdraw"),
        "removals": [
            (notice, save_preview.of_withdrawing(notice, foreign[notice.pk])) for notice in live
        ],
    }
    return TemplateResponse(request, "admin/notices/notice/withdrawal.html", context)


def confirmation_of_deletion(
    admin: ModelAdmin, request: HttpRequest, drafts: list[Notice]
) -> HttpResponse:
    context = _context(admin, request, drafts) | {
        "action": "delete_drafts",
        "title": _("Delete drafts?"),
        "yes": _("Delete drafts"),
    }
    return TemplateResponse(request, "admin/notices/notice/deletion.html", context)


def _context(admin: ModelAdmin, request: HttpRequest, notices: list[Notice]) -> dict[str, object]:
    return {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "notices": notices,
        "checkbox": ACTION_CHECKBOX_NAME,
        "confirmed": CONFIRMED,
        "back": _where_it_was_asked(request, notices),
    }


def _can_be_withdrawn(notice: Notice) -> bool:
    published = notice.publish_at is not None
    return published and notice.withdrawn_at is None and notice.archived_at is None


def _where_it_was_asked(request: HttpRequest, notices: list[Notice]) -> str:
    """Return the list with its filters, or the page of the notice whose button was pressed."""
    if request.path == reverse("admin:notices_notice_changelist"):
        return request.get_full_path()
    return reverse("admin:notices_notice_change", args=[notices[0].pk])
