"""Frontends: one with a key for a single study, one with a key for all."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from notices.models import ApiKey, Channel, Delivery, Notice, Study


def client_with(key: str) -> APIClient:
    return APIClient(headers={"X-API-Key": key, "Accept-Language": "en"})


def fields_refused(answer: Any) -> list[str]:
    return [error["field"] for error in answer.json()["errors"]]


def key_for(*studies: Study, **fields: Any) -> str:
    api_key = ApiKey(name="algorithm site", **fields)
    key = ApiKey.objects.assign_key(api_key)
    api_key.save()
    api_key.studies.set(studies)
    return key


@pytest.fixture
def frontend(study: Study) -> APIClient:
    """It may do all that a key may."""
    return client_with(key_for(study, may_ping=True))


@pytest.fixture
def every_frontend(db: None) -> APIClient:
    return client_with(ApiKey.objects.create_key(name="portal", all_studies=True)[1])


@pytest.fixture
def first_post(study: Study, channel: Channel) -> dict[str, Any]:
    return {
        "channel_id": str(channel.pk),
        "title": "8주차 모임",
        "study_id": study.pk,
        "content": "화요일 20시",
        "author": "민지",
    }


@pytest.fixture
def post(study: Study) -> dict[str, Any]:
    return {"study_id": study.pk, "title": "8주차 모임", "content": "화요일 20시"}


@pytest.fixture
def failed_delivery(notice: Notice, channel: Channel) -> Delivery:
    return Delivery.objects.create(
        notice=notice,
        channel=channel,
        wanted=1,
        state=Delivery.State.FAILED,
        error_code=50013,
    )
