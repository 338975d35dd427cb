"""A site admin with more studies than a form can offer picks one first."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notices.desk import list_filters, rights, setup
from notices.desk import notice as notice_admin
from notices.models import Channel, Notice, Study
from tests.desk.conftest import logged_in

ADD = "/admin/notices/notice/add/"
NOTICES = "/admin/notices/notice/"
STUDIES = "/admin/notices/study/"


@pytest.fixture(autouse=True)
def _two_are_many(monkeypatch: pytest.MonkeyPatch, study: Study, other_study: Study) -> None:
    monkeypatch.setattr(rights, "MOST_OFFERED", 1)


def test_a_site_admin_picks_the_study_before_the_form(admin_desk: Client, study: Study) -> None:
    answer = admin_desk.get(ADD, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [(STUDIES, 302)]
    assert "먼저 스터디를 찾아 주세요." in page
    assert f'href="{ADD}?study={study.pk}"' in page
    assert f'href="{NOTICES}?study={study.pk}"' in page


def test_the_form_offers_only_the_picked_study_and_its_channels(
    admin_desk: Client, study: Study, form: dict[str, Any]
) -> None:
    fields = admin_desk.get(ADD, {"study": study.pk}).context["adminform"].form.fields
    assert list(fields["study"].queryset) == [study]
    assert set(fields["channels"].queryset) == set(study.channels.all())

    answer = admin_desk.post(ADD, form | {"_publish": "1"})
    assert answer.status_code == 302
    notice = Notice.objects.get()
    assert notice.study == study
    assert admin_desk.get(f"{NOTICES}{notice.pk}/change/").status_code == 200


@pytest.mark.parametrize("named", ["0", "x", "999999"])
def test_an_unknown_study_leads_back_to_the_list_of_studies(admin_desk: Client, named: str) -> None:
    assert admin_desk.get(ADD, {"study": named}).headers["Location"] == STUDIES


def test_the_notices_of_one_study_are_listed(
    admin_desk: Client, notice: Notice, other_notice: Notice
) -> None:
    shown = admin_desk.get(NOTICES, {"study": notice.study_id}).context["cl"]
    assert list(shown.result_list) == [notice]
    (filter_,) = [one for one in shown.filter_specs if one.parameter_name == "study"]
    assert filter_.lookup_choices == [(str(notice.study_id), notice.study.name)]
    assert len(admin_desk.get(NOTICES).context["cl"].result_list) == 2


@pytest.mark.parametrize("asked", ["", "from=2026-01-01", "study={study}&until=2999-01-01"])
def test_the_list_does_not_read_all_studies(
    admin_desk: Client, study: Study, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    def read_all(_user: User) -> list[Study]:
        raise AssertionError("a hundred thousand studies are read")

    for module in (list_filters, notice_admin, rights):
        monkeypatch.setattr(module, "led_studies", read_all)
    assert admin_desk.get(f"{NOTICES}?{asked.format(study=study.pk)}").status_code == 200


def test_a_leader_cannot_pick_another_leaders_study(
    leader: User, study: Study, other_study: Study, channel: Channel
) -> None:
    Study.objects.create(name="둘째").accounts.add(leader)
    desk = logged_in(leader)
    assert desk.get(ADD, {"study": study.pk}).status_code == 200
    assert desk.get(ADD, {"study": other_study.pk}).headers["Location"] == STUDIES
    assert list(desk.get(NOTICES, {"study": other_study.pk}).context["cl"].result_list) == []


def test_the_set_up_page_offers_the_newest_studies(admin_desk: Client, study: Study) -> None:
    Study.objects.bulk_create(Study(name=f"{n}") for n in range(setup.MOST_STUDIES))
    answer = admin_desk.get("/admin/setup/")
    offered = answer.context["form"].fields["study"].queryset
    assert set(offered) == set(Study.objects.order_by("-pk")[: setup.MOST_STUDIES])
    assert "여기에는 최근 스터디 100개만 보여요." in answer.content.decode()
