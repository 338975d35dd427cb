"""A frontend registers endpoints for its own studies, and sees no endpoint of another."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from notices import actions
from notices.models import ApiKey, CallbackEndpoint, Study
from tests.api.conftest import client_with, fields_refused, key_for

CALLBACKS = "/api/v1/callbacks/"
URL = "https://frontend.example.org/hook"


def register(client: Any, **fields: Any) -> Any:
    return client.post(CALLBACKS, {"url": URL, **fields}, format="json")


def test_the_secret_is_told_once(frontend: APIClient, study: Study) -> None:
    answer = register(frontend)
    made = answer.json()

    endpoint = CallbackEndpoint.objects.get()
    assert answer.status_code == 201
    assert answer["Location"] == f"{CALLBACKS}{endpoint.pk}/"
    assert made["secret"] == endpoint.secret
    assert made["secret"].startswith("whsec_")
    assert (made["study_ids"], made["active"], len(made["events"])) == ([study.pk], True, 5)
    for page in (frontend.get(CALLBACKS), frontend.get(answer["Location"])):
        assert page.status_code == 200
        assert endpoint.secret not in page.content.decode()


def test_a_key_for_all_is_told_of_all(every_frontend: APIClient) -> None:
    assert register(every_frontend).json()["study_ids"] is None
    assert CallbackEndpoint.objects.get().all_studies


def test_another_studys_key_neither_registers_for_it_nor_sees_or_changes_it(
    frontend: APIClient, study: Study, other_study: Study
) -> None:
    address = register(frontend)["Location"]
    other = client_with(key_for(other_study))

    refused = register(other, study_ids=[study.pk])

    assert refused.status_code == 400
    assert fields_refused(refused) == ["study_ids"]
    assert other.get(CALLBACKS).json()["results"] == []
    assert other.get(address).status_code == 404
    assert other.patch(address, {"active": False}, format="json").status_code == 404
    moved = frontend.patch(address, {"study_ids": [other_study.pk]}, format="json")
    assert moved.status_code == 400
    assert list(CallbackEndpoint.objects.get().studies.all()) == [study]


def test_a_key_that_only_reads_registers_nothing(study: Study) -> None:
    client = client_with(key_for(study, read_only=True))
    assert register(client).status_code == 403
    assert client.get(CALLBACKS).status_code == 200


def test_a_leader_uses_a_key_and_a_site_admin_sees_all(
    frontend: APIClient, leader: User, site_admin: User
) -> None:
    register(frontend)
    browser = Client()
    browser.force_login(leader)
    assert browser.get(CALLBACKS).status_code == 403
    browser.force_login(site_admin)
    assert len(browser.get(CALLBACKS).json()["results"]) == 1


def test_it_is_changed_and_switched_off(frontend: APIClient) -> None:
    address = register(frontend)["Location"]
    CallbackEndpoint.objects.update(setbacks=5)

    sent = {"events": ["notice.sent"], "url": f"{URL}/2", "active": False}
    changed = frontend.patch(address, sent, format="json").json()

    assert {name: changed[name] for name in sent} == sent
    assert CallbackEndpoint.objects.get().setbacks == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", ""),
        ("url", "ftp://example.com/"),
        ("url", "https://user:password@example.com/"),
        ("url", "http://169.254.169.254/"),
        ("url", "http://[::1]/"),
        ("url", "http://localhost/"),
        ("events", []),
        ("events", ["notice.eaten"]),
        ("events", [{}]),
        ("events", "notice.sent"),
        ("study_ids", []),
        ("active", True),
        ("secret", "whsec_mine"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_field(
    frontend: APIClient, field: str, value: Any
) -> None:
    answer = register(frontend, **{field: value})
    assert answer.status_code == 400
    assert fields_refused(answer) == [field]
    assert not CallbackEndpoint.objects.exists()


def test_a_key_registers_only_so_many_endpoints(frontend: APIClient) -> None:
    made = [register(frontend) for _n in range(11)]
    assert [answer.status_code for answer in made] == [201] * 10 + [409]
    frontend.patch(made[0]["Location"], {"active": False}, format="json")
    assert register(frontend).status_code == 201


def test_the_endpoints_of_a_key_pass_to_its_successor(study: Study) -> None:
    old = key_for(study)
    register(client_with(old))

    key = ApiKey.objects.get(prefix=old.partition(".")[0])
    _successor, new = actions.rotate(key, timedelta(hours=1))

    assert len(client_with(new).get(CALLBACKS).json()["results"]) == 1
    assert client_with(old).get(CALLBACKS).json()["results"] == []
