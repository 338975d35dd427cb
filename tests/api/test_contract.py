"""The schema is true: it is the committed one, and whatever it allows is answered as it says."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from notices.models import Channel, Notice, Study
from tests.api.conftest import key_for

BASE_DIR = Path(__file__).resolve().parents[2]
CONTRACT_DIR = Path(__file__).parent / "contract"


def test_the_committed_schema_is_the_one_that_is_served(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"

    call_command(
        "spectacular", file=str(made), lang="en", validate=True, fail_on_warn=True, color=False
    )

    committed = BASE_DIR / "docs" / "openapi.yaml"
    assert made.read_text() == committed.read_text(), (
        "the API has changed: manage.py spectacular --lang en --file docs/openapi.yaml"
    )


@pytest.mark.django_db
def test_schema_and_page_are_served_to_everybody_and_fetch_nothing_from_elsewhere() -> None:
    client = Client()

    schema = client.get("/api/schema/", headers={"Accept": "application/json"})
    page = client.get("/api/docs/").content.decode()
    script = client.get("/api/docs/?script=").content.decode()

    assert schema.json()["openapi"].startswith("3.1")
    assert "swagger-ui-bundle.js" in page
    assert "/api/schema/" in script
    for text in (page, script):
        assert "http://" not in text
        assert "https://" not in text
    assert "<script>" not in page


@pytest.fixture
def environment(study: Study, channel: Channel, settings: Any) -> dict[str, str]:
    settings.API_RATE = None
    study.ping_role_id = 1100000000000000099
    study.save()
    notice = Notice.objects.create(
        study=study,
        title="t",
        content="c",
        publish_at=timezone.now() + timedelta(days=1),
    )
    return os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.api.contract.sensible",
        "CONTRACT_STUDY": str(study.pk),
        "CONTRACT_CHANNEL": str(channel.pk),
        "CONTRACT_NOTICE": str(notice.pk),
    }


def run_schemathesis(url: str, environment: dict[str, str], *arguments: str) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(CONTRACT_DIR / "schemathesis.toml")),
        *("run", f"{url}/api/schema/", "--checks=all", "--seed=1", "--max-examples=10"),
        *("--continue-on-failure", "--generation-deterministic", "--no-color"),
        *("--suppress-health-check=all", *arguments),
    ]
    ran = subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.django_db(transaction=True)
def test_with_a_key_every_operation_answers_as_the_schema_says(
    live_server: Any, study: Study, environment: dict[str, str]
) -> None:
    key = key_for(all_studies=True)

    run_schemathesis(live_server.url, environment, "-H", f"X-API-Key: {key}")
