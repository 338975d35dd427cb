"""What a step of the ledger reads: notices and deliveries as their rows are, held by their locks.

Plain rows, since Django's model instances cost several times as much to make, at every step again.
A field's name is its column's, unless it brings SQL of its own.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class HeldStudy:
    id: int
    name: str
    colour: int
    language: str
    ping_role_id: int | None


@dataclass(slots=True)
class HeldNotice:
    id: int
    study_id: int
    title: str
    content: str
    author: str
    url: str
    image: str
    attachments: list[dict[str, Any]]
    ping: str
    publish_at: datetime | None
    changed_at: datetime
    revision: int
    fanned_out_revision: int
    attached_revision: int
    study: HeldStudy = field(init=False)


# Nothing new is shown in a channel that the study no longer has.
_IS_CONNECTED = """EXISTS (
    SELECT 1 FROM notices_notice AS notice
    JOIN notices_study_channels AS connected ON connected.study_id = notice.study_id
    WHERE notice.id = notice_id AND connected.channel_id = notices_delivery.channel_id
)"""


@dataclass(slots=True)
class HeldDelivery:
    id: int
    notice_id: int
    channel_id: int
    wanted: int | None
    shown: int | None
    message_id: int | None
    state: str
    nonce: str
    due_at: datetime | None
    expires_at: datetime | None
    tries: int
    setbacks: int
    unknown_since: datetime | None
    error_code: int | None
    error_detail: str
    claim: int | None
    is_connected: bool = field(metadata={"sql": _IS_CONNECTED})
    notice: HeldNotice = field(init=False)


@dataclass(slots=True)
class WaitingNotice:
    """One whose deliveries do not know yet what the leader wants."""

    id: int
    revision: int
    publish_at: datetime | None
    expires_at: datetime | None
    withdrawn_at: datetime | None
    archived_at: datetime | None
