"""manage.py createapikey: the key is printed once, alone, and kept hashed."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

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


def test_without_a_study_it_is_good_for_every_study_and_says_so(study: Study) -> None:
    _printed, said = createapikey("portal")

    assert "every study" in said
    assert list(ApiKey.objects.get().allowed_studies()) == [study]


def test_with_studies_it_is_good_for_these_alone(study: Study, other_study: Study) -> None:
    third = Study.objects.create(name="third")

    _printed, said = createapikey("p", "--study", str(study.pk), "--study", str(third.pk))

    assert said == ""
    assert set(ApiKey.objects.get().allowed_studies()) == {study, third}


def test_several_studies_may_follow_one_flag(study: Study, other_study: Study) -> None:
    createapikey("p", "--study", str(study.pk), str(other_study.pk))

    assert set(ApiKey.objects.get().allowed_studies()) == {study, other_study}


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
