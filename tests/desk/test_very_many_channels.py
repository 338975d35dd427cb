"""The pages of a study with very many channels work, and in time."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notices.models import Channel, Notice, Study
from tests.desk.test_to_whom import ADD, REACH
from tests.roles import EVERYTHING

MANY = 1_005
FEW_QUERIES = 60


@pytest.fixture
def channels(study: Study) -> list[Channel]:
    made = Channel.objects.bulk_create(
        Channel(pk=5_000 + n, name=f"채널-{n}", guild_id=7, permissions=EVERYTHING & ~(1 << 14),
                seen_at=timezone.now())
        for n in range(MANY)
    )  # fmt: skip
    study.channels.set(made)
    return made


def test_a_notice_is_written_to_all_of_them(
    desk: Client, study: Study, channels: list[Channel], form: dict[str, Any]
) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(ADD).status_code == 200
    assert len(queries) < FEW_QUERIES

    sent = form | {"channels": [channel.pk for channel in channels], "_publish": "1"}
    with CaptureQueriesContext(connection) as queries:
        saved = desk.post(ADD, sent)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    assert len(queries) < FEW_QUERIES
    notice = Notice.objects.get()
    assert notice.channels.count() == MANY
    reach = desk.post(REACH, {**sent, "ping": "everyone"})
    assert reach.status_code == 200
    page = desk.get(saved["Location"], headers={"Accept-Language": "en"})
    assert page.status_code == 200
    # A trouble that all of them have is not told a thousand times.
    warnings = [str(one) for one in page.context["messages"]]
    assert len(warnings) <= 12
    assert any("995" in one for one in warnings)


def test_a_site_admin_saves_the_study(
    admin_desk: Client, study: Study, channels: list[Channel]
) -> None:
    url = f"/admin/notices/study/{study.pk}/change/"
    with CaptureQueriesContext(connection) as queries:
        assert admin_desk.get(url).status_code == 200
    assert len(queries) < FEW_QUERIES
    form = {
        "name": "새 이름", "roles-TOTAL_FORMS": 0, "roles-INITIAL_FORMS": 0,
        "channels": [channel.pk for channel in channels], "colour": "#5865f2",
        "language": "ko", "time_zone": "Asia/Seoul", "ping_role_id": "",
    }  # fmt: skip
    with CaptureQueriesContext(connection) as queries:
        saved = admin_desk.post(url, form)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    assert len(queries) < FEW_QUERIES
    study.refresh_from_db()
    assert (study.name, study.channels.count()) == ("새 이름", MANY)
