"""The menu beside every page of the desk: only the pages that the user may open."""

from collections.abc import Callable
from typing import NotRequired, TypedDict

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notices.models import Right
from notices.people import rights


class Item(TypedDict):
    """An entry as unfold takes it; `active` says whether the page is the entry's."""

    title: Promise
    icon: str
    link: str
    active: NotRequired[Callable[[HttpRequest], bool]]


def menu(request: HttpRequest) -> list[dict[str, object]]:
    """Build the menu for UNFOLD["SIDEBAR"]["navigation"]."""
    hers = [
        _item(_("Front page"), "home", "admin:index"),
        *([_write()] if rights.may_somewhere(request.user, Right.DRAFT) else []),
        _notices(),
        _list(_("Studies"), "groups", "notices_study"),
        _list(_("Channels"), "tag", "notices_channel"),
    ]
    if request.user.is_authenticated and rights.may_somewhere(request.user, Right.LEAD):
        hers.append(_list(_("Invitations"), "link", "notices_invitation"))
    if rights.may_somewhere(request.user, Right.SEE_NAMES):
        hers.append(_list(_("Members"), "group", "notices_membership"))
    groups: list[dict[str, object]] = [{"items": hers}]
    if getattr(request.user, "is_superuser", False):
        groups += [
            {"title": _("Site"), "separator": True, "items": _of_the_site()},
            {"title": _("What happened"), "separator": True, "items": _history()},
        ]
    return groups


def _write() -> Item:
    return _item(_("Write a notice"), "edit_square", "admin:notices_notice_add")


def _notices() -> Item:
    """Return the entry of the list; it is not marked on the page to add one, which has its own."""
    item = _list(_("Notices"), "campaign", "notices_notice")
    adding = reverse("admin:notices_notice_add")

    def is_here(request: HttpRequest) -> bool:
        return request.path.startswith(item["link"]) and request.path != adding

    return {**item, "active": is_here}


def _of_the_site() -> list[Item]:
    return [
        _item(_("Setting up"), "settings_input_antenna", "admin:setup"),
        _list(_("People"), "person", "auth_user"),
        _list(_("API keys"), "key", "notices_apikey"),
        _list(_("Callbacks"), "webhook", "notices_callbackendpoint"),
    ]


def _history() -> list[Item]:
    return [
        _list(_("Deliveries"), "local_shipping", "notices_delivery"),
        _list(_("Callback messages"), "outgoing_mail", "notices_callbackmessage"),
        _list(_("Bots"), "smart_toy", "notices_botinstance"),
        _list(_("Log"), "history", "admin_logentry"),
        _list(_("Failed tasks"), "error", "django_q_failure"),
        _list(_("Scheduled tasks"), "schedule", "django_q_schedule"),
        _list(_("Done tasks"), "task_alt", "django_q_success"),
    ]


def _list(title: Promise, icon: str, page: str) -> Item:
    return _item(title, icon, f"admin:{page}_changelist")


def _item(title: Promise, icon: str, page: str) -> Item:
    return {"title": title, "icon": icon, "link": reverse(page)}
