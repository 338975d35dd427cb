"""manage.py createapikey: the key is printed once, alone, and kept hashed."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notices.models import ApiKey, Study


def createapikey(*arguments: str) -> tuple[str, str]:
    printed, said = StringIO(), StringIO()
    call_command("createapikey", *arguments, stdout=printed, stderr=said)
    return printed.getvalue(), said.getvalue()


@pytest.mark.django_db
def test_it_prints_a_working_key_alone() -> None:
    printed, _said = createapikey("portal")

    key = printed.removesuffix("\n")
    assert "\n" not in key
    api_key = ApiKey.objects.get_from_key(key)
    assert api_key.name == "portal"
    assert key.partition(".")[2] not in api_key.hashed_key


def test_a_key_without_a_study_is_good_for_every_study_and_says_so(study: Study) -> None:
    _printed, said = createapikey("portal")

    assert "every study" in said
    assert list(Study.objects.open_to(ApiKey.objects.get())) == [study]


def test_a_key_with_studies_is_good_for_these_alone(study: Study, other_study: Study) -> None:
    third = Study.objects.create(name="third")

    _printed, said = createapikey("p", "--study", str(study.pk), "--study", str(third.pk))

    assert said == ""
    assert set(Study.objects.open_to(ApiKey.objects.get())) == {study, third}


def test_several_studies_may_follow_one_flag(study: Study, other_study: Study) -> None:
    createapikey("p", "--study", str(study.pk), str(other_study.pk))

    assert set(Study.objects.open_to(ApiKey.objects.get())) == {study, other_study}


@pytest.mark.parametrize("study_id", ["999999", "x", "-", "9" * 30])
def test_an_unknown_study_is_named_beside_the_known_ones(study: Study, study_id: str) -> None:
    with pytest.raises(CommandError) as refusal:
        createapikey("p", "--study", str(study.pk), study_id)

    assert f"--study '{study_id}'" in str(refusal.value)
    assert f"{study.pk} ({study})" in str(refusal.value)
    assert not ApiKey.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", [" ", "n" * 51])
def test_a_name_that_cannot_be_listed_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="name "):
        createapikey(name)

    assert not ApiKey.objects.exists()


@pytest.mark.django_db
def test_a_key_may_only_read_and_for_some_days() -> None:
    createapikey("p", "--read-only", "--days", "30")

    api_key = ApiKey.objects.get()
    assert api_key.read_only
    assert api_key.expiry_date is not None
    assert timedelta(days=29) < api_key.expiry_date - timezone.now() <= timedelta(days=30)


def test_rotating_prints_a_successor_and_says_when_the_old_key_ends(study: Study) -> None:
    old, _said = createapikey("p", "--study", str(study.pk))

    new, said = createapikey("--rotate", old.partition(".")[0], "--overlap", "2")

    successor = ApiKey.objects.get(prefix=new.partition(".")[0])
    ending = ApiKey.objects.get(prefix=old.partition(".")[0])
    assert ApiKey.objects.is_valid(new.strip())
    assert ApiKey.objects.is_valid(old.strip())
    assert (successor.name, list(Study.objects.open_to(successor))) == ("p", [study])
    assert successor.expiry_date is None
    assert ending.expiry_date is not None
    assert timedelta(hours=1) < ending.expiry_date - timezone.now() <= timedelta(hours=2)
    assert "p is good until" in said


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["nonsense", "a.b"])
def test_a_key_that_is_not_there_cannot_be_rotated(prefix: str) -> None:
    with pytest.raises(CommandError, match="is not the beginning of a key"):
        createapikey("--rotate", prefix)


@pytest.mark.django_db
def test_rotating_changes_no_rights() -> None:
    with pytest.raises(CommandError, match="give it alone"):
        createapikey("--rotate", "abcdefgh", "--read-only")


@pytest.mark.django_db
@pytest.mark.parametrize("days", ["-1", "x", "1.5", "9" * 9])
def test_days_that_are_no_number_are_refused(days: str) -> None:
    with pytest.raises(CommandError, match="--days"):
        createapikey("p", f"--days={days}")


@pytest.mark.django_db
@pytest.mark.parametrize(("given", "may_see"), [((), False), (("--people",), True)])
def test_a_key_and_its_successor_may_see_people_only_if_the_command_says_so(
    given: tuple[str, ...], may_see: bool
) -> None:
    createapikey("p", *given)
    old = ApiKey.objects.get()
    createapikey("--rotate", old.prefix)

    assert set(ApiKey.objects.values_list("may_see_people", flat=True)) == {may_see}
    assert ApiKey.objects.count() == 2
    with pytest.raises(CommandError, match="give it alone"):
        createapikey("--rotate", old.prefix, "--people")


@pytest.mark.django_db
@pytest.mark.parametrize(("given", "may_ping"), [((), False), (("--may-ping",), True)])
def test_a_key_and_its_successor_may_ping_only_if_the_command_says_so(
    given: tuple[str, ...], may_ping: bool
) -> None:
    createapikey("p", *given)
    old = ApiKey.objects.get()
    createapikey("--rotate", old.prefix)

    assert set(ApiKey.objects.values_list("may_ping", flat=True)) == {may_ping}
    assert ApiKey.objects.count() == 2
