"""Loaded by Schemathesis: gives what it makes up by the schema a meaning in the test's database.

The schema says what a study's id looks like; which studies there are it cannot say. What is made up
to break the schema stays as it is.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis

STUDY, CHANNEL, NOTICE, UPLOAD = (
    os.environ[f"CONTRACT_{name}"] for name in ("STUDY", "CHANNEL", "NOTICE", "UPLOAD")
)
SENSIBLE: dict[str, Any] = {
    "study_id": STUDY,
    "study_ids": [STUDY],
    "channel_id": CHANNEL,
    "channel_ids": [CHANNEL],
    "ping_role_id": "1100000000000000099",
    "url": "https://example.com/8",
    "image": "https://example.com/8.png",
    # Not both of them.
    "picture": None,
    "attachments": [UPLOAD],
    "publish_at": "2998-01-01T00:00:00Z",
    "expires_at": "2999-01-01T00:00:00Z",
    "created_after": "2020-01-01T00:00:00Z",
    "created_before": "2999-01-01T00:00:00Z",
    "publish_after": "2020-01-01T00:00:00Z",
    "publish_before": "2999-01-01T00:00:00Z",
    "time_zone": "Asia/Seoul",
    "cursor": "",
    "discord_ids": ["1100000000000000101"],
    "until": (datetime.now(UTC).date() + timedelta(days=3)).isoformat(),
}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    for part in (case.query, case.body):
        if isinstance(part, dict):
            part |= {name: SENSIBLE[name] for name in part.keys() & SENSIBLE if part[name]}
    if isinstance(case.body, dict) and case.body.get("one_person") is False:
        case.body["until"] = SENSIBLE["until"]
    if case.body == b"":
        case.body = b"a file has a byte at least"
    if isinstance(case.path_parameters, dict) and "/notices/" in case.operation.path:
        case.path_parameters["id"] = NOTICE
    if isinstance(case.path_parameters, dict) and "/members/" in case.operation.path:
        case.path_parameters["id"] = STUDY
    if isinstance(case.path_parameters, dict) and "/uploads/" in case.operation.path:
        case.path_parameters["id"] = UPLOAD
