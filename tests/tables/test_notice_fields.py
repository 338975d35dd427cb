"""A test fails for each place where a new field of a notice is still missing.

Korean that is missing is named by tests/project/test_locale.py.
"""

import re
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path

import pytest
from django.forms import Form

from notices.api.forms import NewNoticeForm, NoticeChangeForm
from notices.api.representations import NoticeShown
from notices.delivery import message
from notices.delivery.rows import HeldNotice
from notices.desk import notice_history
from notices.desk.notice_form import FIELDSETS, NoticeForm
from notices.models import Delivery, Notice
from notices.tables.notice_fields import FANNED_OUT, RECORDED, SHOWN, ShownFields

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
SHOWN_TEXTS = [field.name for field in fields(ShownFields) if field.type is str]
# Nobody fills in these fields: an action sets them.
BY_AN_ACTION = {"withdrawn_at"}
FILLED_IN = [name for name in RECORDED if name not in BY_AN_ACTION]
# The picture and the other files have a field of the form each.
ON_THE_PAGE = {"study_id": {"study"}, "attachments": {"picture", "attached"}}
OTHER_VALUES = {"ping": Notice.Ping.EVERYONE}


def check_named(field: str, wanted: Collection[str], found: Collection[str], place: str) -> None:
    missing = [name for name in wanted if name not in found]
    assert not missing, f"{field} is missing in {place}"


def test_the_list_has_every_column_that_a_person_may_change() -> None:
    editable = {one.attname for one in Notice._meta.concrete_fields if one.editable} - {"id"}
    check_named("a column", editable, RECORDED, "tables/notice_fields.py")
    check_named("a field", RECORDED, editable | BY_AN_ACTION, "the columns of Notice in models.py")


def test_a_field_changes_the_message_or_the_deliveries_and_not_both() -> None:
    assert not {*SHOWN} & {*FANNED_OUT}


@pytest.mark.parametrize("name", SHOWN)
def test_a_shown_field_is_read_by_a_claim(name: str) -> None:
    held = [field.name for field in fields(HeldNotice)]
    check_named(name, [name], held, "HeldNotice of delivery/rows.py")


@pytest.mark.parametrize("name", SHOWN_TEXTS)
def test_a_shown_field_is_in_the_message(name: str, notice: Notice) -> None:
    delivery = Delivery(notice=notice, nonce="X" * 10)
    before = message.build(delivery)
    setattr(notice, name, OTHER_VALUES.get(name, "https://example.com/other"))
    assert message.build(delivery) != before, f"{name} is missing in delivery/message.py"


@pytest.mark.parametrize("name", SHOWN_TEXTS)
def test_a_shown_field_is_in_the_preview(name: str) -> None:
    script = (FRONTEND / "message.js").read_text(encoding="utf-8")
    read = re.search(rf'values\.{name}\b|filled\("{name}"\)', script)
    assert read, f"{name} is missing in frontend/message.js"


@pytest.mark.parametrize("name", FILLED_IN)
def test_a_field_has_a_place_on_the_page(name: str) -> None:
    form: type[Form] = NoticeForm  # type: ignore[assignment]
    wanted = ON_THE_PAGE.get(name, {name})
    listed = [field for _title, options in FIELDSETS for field in options["fields"]]
    check_named(name, wanted, listed, "FIELDSETS of desk/notice_form.py")
    check_named(name, wanted, form.base_fields, "NoticeForm of desk/notice_form.py")


@pytest.mark.parametrize("name", FILLED_IN)
def test_a_field_may_be_written_by_the_api(name: str) -> None:
    check_named(name, [name], NewNoticeForm().fields, "_NoticeForm of api/forms.py")
    if name != "study_id":  # a notice stays with its study
        check_named(name, [name], NoticeChangeForm().fields, "_NoticeForm of api/forms.py")


@pytest.mark.parametrize("name", RECORDED)
def test_a_field_is_told_by_the_history_and_the_api(name: str) -> None:
    told = (*notice_history.FIELDS, *notice_history.MOMENTS)
    check_named(name, [name], told, "desk/notice_history.py")
    check_named(name, [name], NoticeShown().fields, "NoticeShown of api/representations.py")
