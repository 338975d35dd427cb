"""Every address of the desk answers ugly input without an error of the server."""

import re
from collections.abc import Iterable, Iterator
from itertools import cycle
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from notices.models import BotInstance, Channel, Delivery, Membership, Notice
from notices.people import roster
from tests.desk.conftest import logged_in
from tests.desk.test_every_address import ADDRESSES
from tests.ugly import BY_THIRDS, TEXTS, third_of

# Parameters of Django's lists, of ours, and of the parts of a page that are fetched alone.
PARAMETERS = (
    "q", "p", "o", "e", "all", "_popup", "_to_field", "_changelist_filters", "_facets", "next",
    "term", "page", "app_label", "model_name", "field_name", "s", "study", "status", "author",
    "from", "until", "seen", "test", "channels", "ping", "id", "pk__in", "revoked", "state", "type",
    "endpoint", "active__exact", "is_active__exact", "state__exact", "notice__id", "title",
    "left",
)  # fmt: skip
PLACE = re.compile(r"<[^>]+>|\(\?P<url>\.\*\)\$|\^\(\?P<app_label>[^)]+\)/\$")
FIELD = re.compile(r'<(?:input|select|textarea)[^>]*? name="([^"]+)"')
# Each name in turn is sent one of these alone, since an early refusal would hide what the others
# do. All names together are sent every text.
WORST = ("5,000 digits", "a word")
PAGES = list(ADDRESSES)
LISTS = [one for one, name in ADDRESSES.items() if name.endswith("_changelist")]
# An early refusal of it would hide all others, and it is sent alone.
TOGETHER = [name for name in PARAMETERS if name != "_to_field"]
# Together they have to fit into an address, of which a server reads some thousand bytes.
LONGEST_TOGETHER = 100


@pytest.fixture
def rows(notice: Notice, channel: Channel, site_admin: User) -> dict[str, str]:
    """The id of a row of each table, by the part of the address before it."""
    Delivery.objects.create(notice=notice, channel=channel, wanted=1, due_at=timezone.now())
    roster.add(notice.study, [1100000000000000101], "listed", timezone.now())
    BotInstance.objects.create(
        name="bot", started_at=timezone.now(), heartbeat_at=timezone.now(), is_active=True
    )
    now = timezone.now()
    task = Task.objects.create(id="a" * 32, name="a", func="a", started=now, stopped=now)
    return {
        "notices/notice/": str(notice.pk),
        "notices/study/": str(notice.study_id),
        "notices/channel/": str(channel.pk),
        "notices/membership/of/": str(notice.study_id),
        "notices/membership/": str(Membership.objects.get().pk),
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


def each_by_itself(names: Iterable[str]) -> Iterator[dict[str, str]]:
    for name, kind in zip(names, cycle(WORST), strict=False):
        yield {name: TEXTS[kind]}


def stay_logged_in(browser: Client, user: User) -> None:
    """Some of the pages log out."""
    if SESSION_KEY not in browser.session:
        browser.force_login(user)


def answered(client: Client, method: str, address: str, *sent: Any, **more: Any) -> Any:
    """The test client raises what a view does not catch."""
    answer = getattr(client, method)(address, *sent, **more)
    assert answer.status_code < 500, (method, address[:200], sent)
    return answer


@pytest.fixture
def browser(site_admin: User) -> Client:
    return logged_in(site_admin)


@BY_THIRDS
@pytest.mark.parametrize("address", [one for one in PAGES if PLACE.search(one)])
def test_every_address_answers_an_ugly_path(
    browser: Client, rows: dict[str, str], address: str, third: int
) -> None:
    for kind, value in third_of(TEXTS.items(), PAGES.index(address), third):
        there = with_value(address, value)
        for method in ("get", "post") if kind in (*WORST, "NUL") else ("get",):
            answered(browser, method, there)


@BY_THIRDS
@pytest.mark.parametrize("address", PAGES)
def test_every_page_answers_an_ugly_query(
    browser: Client, rows: dict[str, str], site_admin: User, address: str, third: int
) -> None:
    there = with_rows(address, rows)
    for value in third_of(TEXTS.values(), PAGES.index(address), third):
        stay_logged_in(browser, site_admin)
        asked = dict.fromkeys(TOGETHER, value[:LONGEST_TOGETHER])
        answered(browser, "get", f"{there}?{urlencode(asked)}")


@BY_THIRDS
@pytest.mark.parametrize("address", LISTS)
def test_every_list_answers_an_ugly_parameter(
    browser: Client, rows: dict[str, str], address: str, third: int
) -> None:
    for asked in third_of(each_by_itself(PARAMETERS), LISTS.index(address), third):
        answered(browser, "get", f"{with_rows(address, rows)}?{urlencode(asked)}")


@BY_THIRDS
@pytest.mark.parametrize("address", PAGES)
def test_every_page_answers_an_ugly_form(
    browser: Client, rows: dict[str, str], site_admin: User, address: str, third: int
) -> None:
    there = with_rows(address, rows)
    page = browser.get(there).content.decode(errors="replace")
    names = sorted({*FIELD.findall(page), "action", "_selected_action", "index", "select_across"})
    for value in third_of(TEXTS.values(), PAGES.index(address), third):
        stay_logged_in(browser, site_admin)
        answered(browser, "post", there, dict.fromkeys(names, value))
    for sent in third_of(each_by_itself(names), PAGES.index(address), third):
        stay_logged_in(browser, site_admin)
        answered(browser, "post", there, {"_publish": "1", "_save": "1", **sent})


@BY_THIRDS
@pytest.mark.parametrize("address", LISTS)
def test_an_action_for_an_impossible_row_withdraws_nothing(
    browser: Client, rows: dict[str, str], notice: Notice, address: str, third: int
) -> None:
    page = browser.get(f"/{address}").content.decode()
    for action in re.findall(r'<option value="(\w+)">', page):
        for value in third_of(TEXTS.values(), LISTS.index(address), third):
            form = {"action": action, "_selected_action": [value, value], "index": value}
            answered(browser, "post", f"/{address}", form)
    notice.refresh_from_db()
    assert notice.withdrawn_at is None


def test_an_action_ignores_unknown_rows_among_those_sent(browser: Client, notice: Notice) -> None:
    chosen = ["가\0나", "9" * 5000, str(notice.pk)]
    browser.post("/admin/notices/notice/", {"action": "duplicate", "_selected_action": chosen})
    assert Notice.objects.count() == 2
