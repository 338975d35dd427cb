"""manage.py addperson: people are put on a roster, all of them or none."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from notices.models import Membership, Person, Study
from notices.outside import clock
from notices.people import roster

FIRST = 1100000000000000101


def addperson(*arguments: object) -> list[str]:
    printed = StringIO()
    call_command("addperson", *map(str, arguments), stdout=printed)
    return printed.getvalue().splitlines()


def test_it_prints_who_was_new_came_back_or_was_known(study: Study) -> None:
    assert addperson(study.pk, FIRST, FIRST + 1) == [
        f"new: {FIRST} {FIRST + 1}",
        "back: nobody",
        "known: nobody",
    ]
    roster.leave(study, Person.objects.get(discord_id=FIRST), clock.now())

    assert addperson(study.pk, FIRST, FIRST + 1, f"<@{FIRST + 2}>") == [
        f"new: {FIRST + 2}",
        f"back: {FIRST}",
        f"known: {FIRST + 1}",
    ]
    assert set(Membership.objects.values_list("way", flat=True)) == {"added"}


def test_each_wrong_id_is_named_and_nobody_is_added(study: Study) -> None:
    with pytest.raises(CommandError) as refusal:
        addperson(study.pk, FIRST, "1.1E+18", "minji")

    told = str(refusal.value)
    assert "'1.1E+18'" in told
    assert "Copy it anew in Discord" in told
    assert "'minji'" in told
    assert "Nobody was added" in told
    assert not Membership.objects.exists()


@pytest.mark.parametrize("study_id", ["999999", "x", "9" * 30])
def test_an_unknown_study_is_named_beside_the_known_ones(study: Study, study_id: str) -> None:
    with pytest.raises(CommandError) as refusal:
        addperson(study_id, FIRST)

    assert f"STUDY_ID '{study_id}'" in str(refusal.value)
    assert f"{study.pk} ({study})" in str(refusal.value)
