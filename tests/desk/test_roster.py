"""The page of a study's people: seen by whoever may see names, changed by whoever leads."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from notices.models import Membership, Person, Study, StudyRole
from notices.people import roster, roster_list
from tests.desk.conftest import logged_in

LIST = "/admin/notices/membership/"
ID = 1100000000000000101
NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
NAMES = {ID: "김민지", ID + 1: "박준호"}


@pytest.fixture
def adding(study: Study) -> str:
    return f"{LIST}of/{study.pk}/add/"


@pytest.fixture
def saving(study: Study) -> str:
    return f"{LIST}of/{study.pk}/save/"


def opened(client: Client, address: str, sent: dict[str, Any] | None = None) -> str:
    """The page in English, or the one that it leads to once the form was sent."""
    english: Any = {"headers": {"Accept-Language": "en"}, "follow": True}
    answer = (
        client.get(address, **english) if sent is None else client.post(address, sent, **english)
    )
    assert answer.status_code == 200
    return str(answer.content.decode())


def shown_in(page: str) -> list[str]:
    """The ids in the list."""
    return re.findall(r"(?<![0-9])1[0-9]{18}(?![0-9])", page)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def confirmation(page: str) -> dict[str, str]:
    return {name: hidden(page, name) for name in ("previewed", "writing")}


def file(data: bytes, name: str = "people.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "text/csv")


# --- the list ----------------------------------------------------------------------------------


def test_a_leader_sees_who_takes_part_since_when_and_how_she_came(
    desk: Client, study: Study
) -> None:
    roster.add(study, NAMES, "listed", NOW, NAMES)

    page = opened(desk, LIST)
    for told in ("김민지", str(ID), "from a list", "March 3, 2026", "not known yet", "2 members"):
        assert told in page
    assert "20:00" not in page


def test_who_has_left_is_hidden_until_she_asks(desk: Client, study: Study) -> None:
    roster.add(study, NAMES, "listed", NOW, NAMES)
    roster.leave(study, Person.objects.get(discord_id=ID), NOW)

    assert shown_in(opened(desk, LIST)) == [str(ID + 1)]
    left = opened(desk, f"{LIST}?left=1")
    assert shown_in(left) == [str(ID)]
    assert "left on" in left.lower()


def test_a_page_has_fifty(desk: Client, study: Study, django_assert_max_num_queries: Any) -> None:
    roster.add(study, [ID + number for number in range(120)], "listed", NOW)

    with django_assert_max_num_queries(20):
        assert len(shown_in(opened(desk, LIST))) == 50
    assert len(shown_in(opened(desk, f"{LIST}?p=3"))) == 20


@pytest.mark.parametrize("words", ["김민", str(ID), f"김민지 {ID}"])
def test_somebody_is_found_by_name_or_id(desk: Client, study: Study, words: str) -> None:
    roster.add(study, NAMES, "listed", NOW, NAMES)
    page = desk.get(LIST, {"q": words}).content.decode()
    assert "김민지" in page
    assert "박준호" not in page


def test_the_list_is_of_one_study_at_a_time(
    desk: Client, leader: User, study: Study, other_study: Study
) -> None:
    other_study.accounts.add(leader)
    roster.add(study, [ID], "listed", NOW)
    roster.add(other_study, [ID + 1], "listed", NOW)

    for one, shown in ((study, ID), (other_study, ID + 1)):
        page = opened(desk, f"{LIST}?study={one.pk}")
        assert shown_in(page) == [str(shown)]
        assert f"of/{one.pk}/add/" in page
    assert len(shown_in(opened(desk, LIST))) == 1


def test_nothing_is_shown_of_another_study(desk: Client, other_study: Study) -> None:
    roster.add(other_study, NAMES, "listed", NOW, NAMES)
    member = Membership.objects.latest("pk")

    page = opened(desk, f"{LIST}?study={other_study.pk}")
    assert "독서" not in page
    assert shown_in(page) == []
    assert desk.get(f"{LIST}{member.pk}/change/").status_code == 302
    for word in ("add", "save"):
        assert desk.get(f"{LIST}of/{other_study.pk}/{word}/").status_code == 404


@pytest.mark.parametrize("role", ["writer", "drafter", "viewer"])
def test_who_may_not_see_names_sees_nobody(
    stranger: User, study: Study, adding: str, saving: str, role: str
) -> None:
    roster.add(study, NAMES, "listed", NOW, NAMES)
    StudyRole.objects.create(study=study, user=stranger, role=role)
    client = logged_in(stranger)
    member = Membership.objects.latest("pk")

    for address in (LIST, f"{LIST}{member.pk}/change/", adding, saving):
        for answer in (client.get(address), client.post(address, {"text": str(ID)})):
            assert answer.status_code in (302, 403, 404, 405)
            assert "김민지" not in answer.content.decode()
    assert LIST not in client.get("/admin/").content.decode()


def test_who_may_see_names_and_does_not_lead_changes_nothing(
    stranger: User, study: Study, adding: str, saving: str
) -> None:
    roster.add(study, NAMES, "listed", NOW, NAMES)
    StudyRole.objects.create(study=study, user=stranger, role="viewer", sees_names=True)
    client = logged_in(stranger)

    page = opened(client, LIST)
    assert "김민지" in page
    assert adding not in page
    assert saving in page
    assert LIST in client.get("/admin/").content.decode()
    assert client.get(adding).status_code == 403
    assert client.post(adding, {"text": str(ID + 7)}).status_code == 403
    chosen = {"action": "take_off", "_selected_action": [Membership.objects.latest("pk").pk]}
    client.post(LIST, chosen)
    assert Membership.objects.filter(until=None).count() == 2


# --- adding ------------------------------------------------------------------------------------


def test_pasted_ids_are_shown_first_and_added_when_that_is_confirmed(
    desk: Client, study: Study, adding: str
) -> None:
    roster.add(study, [ID], "joined", NOW, NAMES)

    page = opened(desk, adding, {"text": f"{ID}\n<@{ID + 1}>\n1.1E+18\n{ID + 1}"})
    assert "1 person would be added" in page
    assert "line 3: 1.1E+18 was an id before a spreadsheet rounded it" in page
    assert "The same as line 2" in page
    assert Membership.objects.count() == 1

    told = opened(desk, adding, confirmation(page))
    assert "Added to the roster: 1 new, 0 back. 0 were on it already." in told
    assert list(Membership.objects.order_by("pk").values_list("way", flat=True)) == [
        "joined",
        "listed",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_file_is_read_and_its_names_are_kept(
    desk: Client, study: Study, adding: str, encoding: str
) -> None:
    data = f"이름,아이디\r\n김민지,{ID}\r\n박준호,{ID + 1}\r\n".encode(encoding)

    page = opened(desk, adding, {"text": "", "file": file(data)})
    opened(desk, adding, confirmation(page))

    assert dict(Person.objects.values_list("discord_id", "name")) == NAMES


def test_thousands_are_confirmed_by_one_form(desk: Client, study: Study, adding: str) -> None:
    names = "\n".join(f"{ID + number},사람{number}번{'가나다라' * 3}" for number in range(800))
    more = "\n".join(str(ID + 1000 + number) for number in range(4000))
    page = opened(desk, adding, {"text": "", "file": file(f"id,name\n{names}\n{more}".encode())})

    assert len(hidden(page, "previewed")) < 200_000
    assert page.count("<li>") < 400
    told = opened(desk, adding, confirmation(page))
    assert "4796 new" in told  # four of them end in three zeros
    assert Membership.objects.filter(study=study).count() == 4796


def test_a_double_press_adds_once_and_says_so_once(desk: Client, study: Study, adding: str) -> None:
    page = opened(desk, adding, {"text": str(ID)})

    english = {"Accept-Language": "en"}
    first, second = (desk.post(adding, confirmation(page), headers=english) for _n in range(2))

    assert first["Location"] == second["Location"]
    assert Membership.objects.count() == 1
    assert opened(desk, LIST).count("Added to the roster") == 1


def test_only_what_was_shown_is_written(
    desk: Client, study: Study, other_study: Study, adding: str, leader: User
) -> None:
    other_study.accounts.add(leader)
    page = opened(desk, adding, {"text": str(ID)})
    sent = confirmation(page)

    elsewhere = f"{LIST}of/{other_study.pk}/add/"
    for address, previewed in (
        (elsewhere, sent["previewed"]),
        (adding, sent["previewed"][:-1]),
        (adding, ""),
    ):
        told = opened(desk, address, {**sent, "previewed": previewed})
        assert "Add the list again" in told
    assert not Membership.objects.exists()


def test_another_leader_cannot_confirm_what_she_did_not_see(
    desk: Client, stranger: User, study: Study, adding: str
) -> None:
    study.accounts.add(stranger)
    page = opened(desk, adding, {"text": str(ID)})

    assert "Add the list again" in opened(logged_in(stranger), adding, confirmation(page))
    assert not Membership.objects.exists()


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"text": ""}, "The list is empty"),
        ({"text": "1\n" * 5001}, "has 5001 lines"),
        ({"text": "", "file": file(b"PK\x03\x04")}, "This is a workbook"),
        ({"text": "", "file": file(b"")}, "The list is empty"),
        ({"text": "", "file": file(b"1" * 1_100_000)}, "has 1100000 bytes"),
        ({"text": str(ID), "file": file(b"1")}, "both a file and pasted ids"),
    ],
)
def test_what_cannot_be_read_is_told_on_the_form(
    desk: Client, study: Study, adding: str, sent: dict[str, Any], told: str
) -> None:
    if "file" in sent:
        sent["file"].seek(0)
    page = opened(desk, adding, sent)
    assert told in page
    assert 'name="text"' in page


def test_a_larger_file_is_refused_before_it_is_read(
    desk: Client, study: Study, adding: str
) -> None:
    answer = desk.post(adding, {"text": "", "file": file(b"1" * 2_200_000)})
    assert answer.status_code == 413


def test_a_list_of_nobody_new_has_no_button(desk: Client, study: Study, adding: str) -> None:
    roster.add(study, [ID], "listed", NOW)
    page = opened(desk, adding, {"text": str(ID)})
    assert "nobody to add" in page
    assert "Add these people" not in page


def test_a_name_is_no_part_of_the_page(desk: Client, study: Study, adding: str) -> None:
    page = opened(desk, adding, {"text": f"{ID},<script>alert(1)</script>"})
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# --- leaving -----------------------------------------------------------------------------------


def test_people_are_taken_off_and_stay_among_those_who_left(desk: Client, study: Study) -> None:
    roster.add(study, NAMES, "listed", NOW, NAMES)
    member = Membership.objects.get(person__discord_id=ID)

    told = opened(desk, LIST, {"action": "take_off", "_selected_action": [member.pk]})

    assert "Took 1 person off the roster" in told
    member.refresh_from_db()
    assert member.until is not None
    assert Membership.objects.filter(until=None).count() == 1


def test_nobody_is_taken_off_another_studys_roster(
    desk: Client, study: Study, other_study: Study
) -> None:
    roster.add(other_study, [ID], "listed", NOW)
    desk.post(LIST, {"action": "take_off", "_selected_action": [Membership.objects.get().pk]})
    assert Membership.objects.get().until is None


# --- the file ----------------------------------------------------------------------------------


def test_a_roster_is_saved_with_whole_ids_and_harmless_names(
    desk: Client, study: Study, saving: str
) -> None:
    names = {**NAMES, ID + 2: "=1+1", ID + 3: "+82", ID + 4: "-x", ID + 5: "@here"}
    roster.add(study, names, "listed", NOW, names)
    roster.leave(study, Person.objects.get(discord_id=ID), NOW)

    answer = desk.get(saving)

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    text = answer.content.decode("utf-8-sig")
    for cell in ("'=1+1", "'+82", "'-x", "'@here", f"'{ID + 1}"):
        assert cell in text
    left = [(row.discord_id, row.name) for row in roster_list.read(answer.content)]
    assert left == list(names.items())[1:]


# --- the log -----------------------------------------------------------------------------------


def test_no_reader_stands_in_the_log(
    desk: Client, study: Study, adding: str, saving: str, caplog: Any
) -> None:
    caplog.set_level("DEBUG")
    page = opened(desk, adding, {"text": f"{ID},김민지\n{ID}0,박준호"})
    opened(desk, adding, confirmation(page))
    opened(desk, LIST, {"action": "take_off", "_selected_action": [Membership.objects.get().pk]})
    desk.get(saving)
    desk.get(f"{LIST}{Membership.objects.get().pk}/change/")
    desk.get("/admin/notices/membership/of/7/add/")

    history = opened(desk, f"/admin/notices/study/{study.pk}/history/")
    for text in (caplog.text, history):
        assert "11000000000000001" not in text
        assert "김민지" not in text
