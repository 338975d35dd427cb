"""A new installation's first site admin comes in by a link that its operator is shown, once."""

import logging
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.signing import TimestampSigner, b62_encode
from django.test import Client

from demo import banner
from notices.people import first_admin
from tests.desk.test_login import lines
from tests.desk.test_login import security as security
from tests.desk.test_once import press_at_once

PASSWORD = "correct-horse-battery"
NEW = {"username": "seoyeon", "first_name": "이서연", "password1": PASSWORD, "password2": PASSWORD}
pytestmark = pytest.mark.django_db


class Yesterdays(TimestampSigner):
    def timestamp(self) -> str:
        return b62_encode(int(time.time() - first_admin.GOOD_FOR.total_seconds() - 60))


def address(token: str) -> str:
    return f"/first-admin/{token}/"


def test_whoever_has_the_link_becomes_the_site_admin(
    client: Client, security: pytest.LogCaptureFixture
) -> None:
    there = address(first_admin.new_token())
    assert client.get(there).status_code == 200
    assert not User.objects.exists()
    answer = client.post(there, NEW)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert User.objects.get().is_superuser
    assert client.get("/admin/setup/").status_code == 200
    assert any("user made" in line and "is_superuser=True" in line for line in lines(security))


def test_it_lets_nobody_in_a_second_time_even_if_that_site_admin_is_switched_off(
    client: Client,
) -> None:
    there = address(first_admin.new_token())
    client.post(there, NEW)
    for is_active in (True, False):
        User.objects.update(is_active=is_active)
        answer = Client().post(there, NEW | {"username": "jiwoo"})
        assert answer.status_code == 410
    assert User.objects.count() == 1


def test_where_all_site_admins_are_switched_off_a_new_link_is_good(
    client: Client, site_admin: User
) -> None:
    assert first_admin.link() == ""
    User.objects.update(is_active=False)
    assert "/first-admin/" in first_admin.link()
    assert client.get(address(first_admin.new_token())).status_code == 200


@pytest.mark.parametrize("token", ["x", "0:1:2", "가"])
def test_a_forged_link_lets_nobody_in(client: Client, token: str) -> None:
    answer = client.get(address(token), headers={"Accept-Language": "en"})
    assert answer.status_code == 410
    assert "createsuperuser" in answer.content.decode()
    assert client.post(address(token), NEW).status_code == 410


def test_a_link_is_good_for_a_day(client: Client) -> None:
    old = Yesterdays(salt=first_admin.SALT).sign_object(0)
    assert client.post(address(old), NEW).status_code == 410
    assert not User.objects.exists()


def test_another_site_makes_no_site_admin() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address(first_admin.new_token()), NEW).status_code == 403


def test_a_weak_password_is_told_at_its_field(client: Client) -> None:
    weak = {"password1": "12345678", "password2": "12345678"}
    answer = client.post(address(first_admin.new_token()), NEW | weak)
    assert "password2" in answer.context["form"].errors
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_becomes_the_site_admin() -> None:
    for _round in range(4):
        User.objects.all().delete()
        there = address(first_admin.new_token())
        browsers = {Client(): name for name in ("seoyeon", "jiwoo", "haneul")}

        def press(browser: Client, there: str = there, names: Any = browsers) -> Any:
            return browser.post(there, NEW | {"username": names[browser]})

        answers = press_at_once(list(browsers), press)
        assert sorted(answer.status_code for answer in answers) == [302, 410, 410]
        assert User.objects.count() == 1


# --- who is shown the link -----------------------------------------------------------------------


def test_the_webs_log_has_the_link_until_there_is_a_site_admin(
    caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    first_admin.say()
    there = caplog.messages[-1].rpartition(" ")[2]
    assert there.startswith("http://127.0.0.1:8000/first-admin/")
    client.post(there.removeprefix("http://127.0.0.1:8000"), NEW)
    caplog.clear()
    first_admin.say()
    assert "studybot.start" not in {record.name for record in caplog.records}


def test_an_operator_whose_address_nothing_tells_is_shown_it_too(settings: Any) -> None:
    settings.BOT_API_HOST = "192.0.2.1"
    assert first_admin.link().startswith("http://192.0.2.1:8000/first-admin/")


def test_make_run_shows_it_and_where_there_is_a_site_admin_it_does_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("LC_ALL", "C")
    assert "/first-admin/" in banner.against_discord()
    User.objects.create_superuser("admin", password=PASSWORD)
    assert "/first-admin/" not in banner.against_discord()
