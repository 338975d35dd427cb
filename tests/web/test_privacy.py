"""The page on readers' data is open to everybody, in both languages, and names the operator."""

from typing import Any

import pytest
from django.test import Client

LANGUAGES = {"ko": "저장된 내 정보", "en": "What is kept about you"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_open_in_both_languages(client: Client, language: str) -> None:
    page = client.get("/privacy/", headers={"Accept-Language": language})
    assert page.status_code == 200
    assert LANGUAGES[language] in page.content.decode()
    assert f'<html lang="{language}">' in page.content.decode()
    assert "/내정보" in page.content.decode()


def test_it_names_the_operator(client: Client, settings: Any) -> None:
    settings.OPERATOR_NAME = "스터디 연합 <help@example.org>"
    page = client.get("/privacy/", headers={"Accept-Language": "en"}).content.decode()
    assert "스터디 연합 &lt;help@example.org&gt; runs this site" in page


def test_without_an_operator_it_says_whom_to_ask(client: Client) -> None:
    page = client.get("/privacy/", headers={"Accept-Language": "en"}).content.decode()
    assert "ask your study's leader who that is" in page


def test_nothing_is_posted_there(client: Client) -> None:
    assert client.post("/privacy/").status_code == 405
