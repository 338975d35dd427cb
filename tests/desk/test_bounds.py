"""The desk bounds a request before anything loops over its parts."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from notices.desk import notice_history, upload_fields
from notices.desk.rights import MOST_CHOSEN
from notices.desk.text_diff import MOST_PARTS, changed_parts
from notices.models import Change, Notice, Study
from tests.cpu_time import at_most

LIST = "/admin/notices/notice/"


@pytest.mark.parametrize("words", [31, 800, 1200])
@pytest.mark.parametrize("address", [LIST, "/admin/notices/study/"])
def test_a_search_has_a_limit_that_is_told(
    desk: Client, notice: Notice, address: str, words: int
) -> None:
    answer = desk.get(address, {"q": "모임 " * words}, headers={"Accept-Language": "en"})

    told = [str(one) for one in get_messages(answer.wsgi_request)]
    assert told == ["Search for at most 30 words and 300 letters."]
    assert list(answer.context["cl"].result_list) == []


def test_a_whole_title_can_be_searched_for(desk: Client, study: Study) -> None:
    title = " ".join("가나다라마바사" for _n in range(30))
    Notice.objects.create(study=study, title=title, content="…")

    assert len(desk.get(LIST, {"q": title}).context["cl"].result_list) == 1


def test_no_texts_take_long_to_compare() -> None:
    repeated = [
        ("a " * 2048, "b a " * 1024),
        ("a," * 2048, ",a" * 2048),
        ("가\n" * 2048, "가" * 4096),
    ]
    words = [f"w{n % 95}" for n in range(1000)]
    for before, after in (*repeated, (" ".join(words), " ".join(sorted(words)))):
        with at_most(1):
            parts = changed_parts(before, after)
        assert len(parts) <= MOST_PARTS


def test_a_page_of_the_history_with_the_worst_texts_is_there_at_once(
    desk: Client, notice: Notice
) -> None:
    words = [f"w{n % 95}" for n in range(1000)]
    one, other = " ".join(words), " ".join(words[::-1])
    Change.objects.bulk_create(
        Change(notice=notice, deed="changed", revision=n, differences={"content": [one, other]})
        for n in range(2, notice_history.PAGE_ROWS)
    )

    with at_most(5):
        assert desk.get(f"{LIST}{notice.pk}/history/").status_code == 200


def test_versions_that_nobody_recorded_are_looked_for_among_the_newest(
    desk: Client, notice: Notice
) -> None:
    Notice.objects.filter(pk=notice.pk).update(revision=2_000_000)
    notice.refresh_from_db()

    assert (
        len(notice_history.page_of(notice, notice.study.accounts.get()).unrecorded)
        == notice_history.MOST_VERSIONS
    )


def test_an_action_for_all_is_for_so_many_at_most(desk: Client, study: Study) -> None:
    some = [Notice(study=study, title=f"{n}", content="…") for n in range(MOST_CHOSEN + 1)]
    Notice.objects.bulk_create(some)
    form = {"action": "duplicate", "_selected_action": [Notice.objects.earliest("pk").pk]}

    answer = desk.post(LIST, form | {"select_across": "1"}, headers={"Accept-Language": "en"})
    assert f"more than {MOST_CHOSEN}" in str(*get_messages(answer.wsgi_request))
    assert Notice.objects.count() == len(some)

    desk.post(LIST, form | {"select_across": "0"})
    assert Notice.objects.count() == len(some) + 1


def test_a_field_of_files_reads_so_many_ids_at_most() -> None:
    ids = ",".join(map(str, range(1, 100_000)))
    assert len(upload_fields._ids(ids)) == upload_fields.MOST_IDS
