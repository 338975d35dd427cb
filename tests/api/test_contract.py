"""The schema is the committed one, and each request that it allows is answered as it says."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from openapi_spec_validator import validate

from notices.files.uploads import Sent, keep
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
def run_schemathesis(
    live_server: Any, study: Study, channel: Channel, settings: Any, tmp_path: Path
) -> Callable[..., None]:
    settings.API_RATE = None
    settings.EVENT_STREAM_SECONDS = 0
    study.ping_role_id = 1100000000000000099
    study.save()
    notice = Notice.objects.create(
        study=study,
        title="t",
        content="c",
        publish_at=timezone.now() + timedelta(days=1),
    )
    notice.uploads.add(upload := keep(Sent("a.txt", b"a"), by=None))
    environment = os.environ | {
        "PYTHONPATH": str(BASE_DIR),
        "SCHEMATHESIS_HOOKS": "tests.api.contract.sensible",
        "CONTRACT_STUDY": str(study.pk),
        "CONTRACT_CHANNEL": str(channel.pk),
        "CONTRACT_NOTICE": str(notice.pk),
        "CONTRACT_UPLOAD": str(upload.pk),
    }

    def run(*arguments: str) -> None:
        command = [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(CONTRACT_DIR / "schemathesis.toml")),
            *("run", f"{live_server.url}/api/schema/", "--checks=all", "--seed=1"),
            *("--max-examples=10", "--generation-deterministic", "--suppress-health-check=all"),
            *("--continue-on-failure", "--no-color", *arguments),
        ]
        # Schemathesis keeps its findings in the folder where it runs: here each run begins anew.
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr

    return run


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_with_a_key_every_operation_answers_as_the_schema_says(
    run_schemathesis: Callable[..., None],
) -> None:
    run_schemathesis("-H", f"X-API-Key: {key_for(all_studies=True, may_see_people=True)}")


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_with_a_site_admins_login_studies_are_set_up_as_the_schema_says(
    run_schemathesis: Callable[..., None], site_admin: User
) -> None:
    client, token = Client(), "a" * 32
    client.force_login(site_admin)
    cookies = f"sessionid={client.session.session_key}; csrftoken={token}"

    run_schemathesis(
        *("-H", f"Cookie: {cookies}", "-H", f"X-CSRFToken: {token}"),
        # It cannot know which header belongs to the login, and so cannot leave that out.
        *("--include-path-regex=/studies/", "--exclude-checks=ignored_auth"),
    )


def test_the_schema_is_valid_for_other_tools() -> None:
    told = yaml.safe_load((BASE_DIR / "docs" / "openapi.yaml").read_text())

    validate(told)

    assert told["info"]["license"]
    for name, response in told["components"]["responses"].items():
        content = response["content"]["application/problem+json"]
        reference = content["schema"]["$ref"].rpartition("/")[2]
        allowed = told["components"]["schemas"][reference]["properties"].keys()
        for example in content["examples"].values():
            assert example["value"].keys() <= allowed, name
