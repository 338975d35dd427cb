"""Browsers that are logged in, and what a leader sends from the form."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notices.models import Channel, Study


@pytest.fixture(autouse=True)
def _no_collected_files(settings: Any) -> None:
    """WhiteNoise serves from the source tree: it would warn that nothing was collected."""
    settings.WHITENOISE_AUTOREFRESH = True


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(leader: User, study: Study) -> Client:
    """The leader's browser."""
    return logged_in(leader)


@pytest.fixture
def admin_desk(site_admin: User) -> Client:
    """The site admin's browser."""
    return logged_in(site_admin)


@pytest.fixture
def form(study: Study, channel: Channel) -> dict[str, Any]:
    return {
        "study": study.pk,
        "channels": [channel.pk],
        "title": "8주차 모임",
        "content": "목요일 20시",
        "place": "",
        "author": "민지",
        "ping": "none",
        "url": "",
        "image": "",
        "publish_at": "",
        "expires_at": "",
    }
