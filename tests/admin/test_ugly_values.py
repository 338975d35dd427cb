"""Every address of the desk is sent what nobody means to send: it answers, and never breaks."""

import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from notices.models import BotInstance, Channel, Delivery, Notice
from tests.admin.conftest import logged_in
from tests.admin.test_every_address import ADDRESSES
from tests.ugly import TEXTS

# Of Django's lists, of ours, and of the parts of a page that are asked for by themselves.
PARAMETERS = (
    "q", "p", "o", "e", "all", "_popup", "_to_field", "_changelist_filters", "_facets", "next",
    "term", "page", "app_label", "model_name", "field_name", "s", "study", "status", "author",
    "from", "until", "seen", "test", "channels", "ping", "id", "pk__in", "revoked", "state", "type",
    "endpoint", "active__exact", "is_active__exact", "state__exact", "notice__id", "title",
)  # fmt: skip
PLACE = re.compile(r"<[^>]+>|\(\?P<url>\.\*\)\$|\^\(\?P<app_label>[^)]+\)/\$")
FIELD = re.compile(r'<(?:input|select|textarea)[^>]*? name="([^"]+)"')
# Each by itself, where one that is refused at once would hide what the others do.
WORST = ("5,000 digits", "a word")


@pytest.fixture
def rows(notice: Notice, channel: Channel, site_admin: User) -> dict[str, str]:
    """A row of each table, by what stands before it in an address."""
    Delivery.objects.create(notice=notice, channel=channel, wanted=1, due_at=timezone.now())
    BotInstance.objects.create(
        name="bot", started_at=timezone.now(), heartbeat_at=timezone.now(), is_active=True
    )
    now = timezone.now()
    task = Task.objects.create(id="a" * 32, name="a", func="a", started=now, stopped=now)
    return {
        "notices/notice/": str(notice.pk),
        "notices/study/": str(notice.study_id),
        "notices/channel/": str(channel.pk),
        "notices/botinstance/": str(BotInstance.objects.get().pk),
        "auth/user/": str(site_admin.pk),
        "django_q/success/": str(task.pk),
        "django_q/schedule/": str(Schedule.objects.order_by("pk").values_list("pk")[0][0]),
        "django_q/ormq/": str(OrmQ.objects.values_list("pk", flat=True).first() or 1),
    }


def with_value(address: str, value: str) -> str:
    return "/" + PLACE.sub(lambda _place: quote(value, safe=""), address)


def with_rows(address: str, rows: dict[str, str]) -> str:
    return with_value(
        address, next((row for before, row in rows.items() if before in address), "1")
    )


def answered(client: Client, method: str, address: str, *sent: Any, **more: Any) -> Any:
    """The test client raises what a view does not catch."""
    answer = getattr(client, method)(address, *sent, **more)
    assert answer.status_code < 500, (method, address[:200], sent)
    return answer


@pytest.fixture
def browser(site_admin: User) -> Client:
    return logged_in(site_admin)


@pytest.mark.parametrize("address", [one for one in ADDRESSES if PLACE.search(one)])
def test_whatever_stands_in_an_address_is_answered(
    browser: Client, rows: dict[str, str], address: str
) -> None:
    for kind, value in TEXTS.items():
        there = with_value(address, value)
        for method in ("get", "post") if kind in (*WORST, "NUL") else ("get",):
            answered(browser, method, there)


@pytest.mark.parametrize("address", ADDRESSES)
def test_whatever_is_asked_of_a_page_is_answered(
    browser: Client, rows: dict[str, str], site_admin: User, address: str
) -> None:
    there = with_rows(address, rows)
    for value in TEXTS.values():
        browser.force_login(site_admin)
        answered(browser, "get", f"{there}?{urlencode(dict.fromkeys(PARAMETERS, value))}")
    for name in PARAMETERS if ADDRESSES[address].endswith("_changelist") else ():
        for kind in WORST:
            answered(browser, "get", f"{there}?{urlencode({name: TEXTS[kind]})}")


@pytest.mark.parametrize("address", ADDRESSES)
def test_whatever_is_sent_by_a_form_is_answered(
    browser: Client, rows: dict[str, str], site_admin: User, address: str
) -> None:
    there = with_rows(address, rows)
    page = browser.get(there).content.decode(errors="replace")
    names = sorted({*FIELD.findall(page), "action", "_selected_action", "index", "select_across"})
    for kind, value in TEXTS.items():
        browser.force_login(site_admin)
        answered(browser, "post", there, dict.fromkeys(names, value))
        for name in names if kind in WORST else ():
            answered(browser, "post", there, {"_publish": "1", "_save": "1", name: value})


LISTS = [one for one, name in ADDRESSES.items() if name.endswith("_changelist")]


@pytest.mark.parametrize("address", LISTS)
def test_an_action_for_a_row_that_cannot_be_is_for_none(
    browser: Client, rows: dict[str, str], notice: Notice, address: str
) -> None:
    page = browser.get(f"/{address}").content.decode()
    for action in re.findall(r'<option value="(\w+)">', page):
        for value in TEXTS.values():
            form = {"action": action, "_selected_action": [value, value], "index": value}
            answered(browser, "post", f"/{address}", form)
    notice.refresh_from_db()
    assert notice.withdrawn_at is None


def test_an_action_is_for_the_rows_that_there_are_among_what_was_sent(
    browser: Client, notice: Notice
) -> None:
    chosen = ["가\0나", "9" * 5000, str(notice.pk)]
    browser.post("/admin/notices/notice/", {"action": "duplicate", "_selected_action": chosen})
    assert Notice.objects.count() == 2
