"""Rows for every page of the desk: a notice in each state, and names as long as Discord allows.

Laid out by `manage.py shell` in the database of a stack without a bot, so that nothing moves.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode
from django_q.models import Failure, Schedule, Success

from notices.models import (
    ApiKey,
    Attempt,
    BotInstance,
    CallbackEndpoint,
    CallbackMessage,
    Change,
    Channel,
    Delivery,
    ErrorCode,
    Notice,
    Role,
    Study,
)
from notices.people import invitations, roster
from notices.upkeep import schedules
from tests.browser.desk import LONG_TEXT, LONG_TITLE, PASSWORD

GUILD = 1100000000000000001
NEWS, LONG, LOCKED = 1100000000000000011, 1100000000000000012, 1100000000000000013
# Each as long as it may be, and with no place to break it.
LONG_CHANNEL = "꼭읽어야하는모임공지와과제안내그리고자료를한데모아두는채널" * 3
LONG_STUDY = "알고리즘문제풀이와면접준비를함께하는일년짜리저녁스터디" * 3
NO_SENDING = (1 << 53) - 1 - (1 << 11)
SENT, FAILED, UNKNOWN = Delivery.State.SENT, Delivery.State.FAILED, Delivery.State.UNKNOWN
Numbers = dict[str, Any]


def lay_out() -> None:
    """Prints the numbers of what the pages are about."""
    now = timezone.now()
    leader = User.objects.create_user("minji", password=PASSWORD, first_name="김민지")
    User.objects.create_superuser("admin", password=PASSWORD)
    study = _study(leader, now)
    numbers = _notices(study, leader, now) | _of_the_site(study, now) | _links(study, leader)
    print(json.dumps(numbers | {"study": study.pk, "leader": leader.pk, "channel": LOCKED}))


def _study(leader: User, now: datetime) -> Study:
    for role_id, name in ((GUILD, "@everyone"), (GUILD + 1, LONG_CHANNEL[:100])):
        Role.objects.create(
            id=role_id, guild_id=GUILD, guild_name="알고리즘", name=name, member_count=180,
            counted_at=now,
        )  # fmt: skip
    study = Study.objects.create(name=LONG_STUDY[:100], ping_role_id=GUILD + 1)
    other = Study.objects.create(name="책 읽는 저녁")
    for one in (study, other):
        one.accounts.add(leader)
    names = {1100000000000000101: "김민지", 1100000000000000102: LONG_CHANNEL[:32]}
    roster.add(study, [*names, 1100000000000000103], "listed", now, names)
    permissions = {NEWS: (1 << 53) - 1, LONG: (1 << 53) - 1, LOCKED: NO_SENDING}
    names = {NEWS: "공지", LONG: LONG_CHANNEL[:100], LOCKED: "운영진"}
    for pk, name in names.items():
        channel = Channel.objects.create(
            id=pk, guild_id=GUILD, guild_name="알고리즘", name=name, seen_at=now,
            permissions=permissions[pk],
        )  # fmt: skip
        study.channels.add(channel)
    Channel.objects.filter(pk=LOCKED).update(refused_at=now, refused_code=50013)
    return study


def _notices(study: Study, leader: User, now: datetime) -> Numbers:
    def notice(status: str, publish_at: datetime | None, *channels: int, **more: Any) -> Notice:
        values: dict[str, Any] = {"title": "7주차 모임", "content": "**화요일** 20시예요."}
        made = Notice.objects.create(
            study=study, created_by=leader, author="김민지", publish_at=publish_at, **values | more
        )
        made.channels.add(*channels)
        Notice.objects.filter(pk=made.pk).update(status=status, fanned_out_revision=made.revision)
        return made

    hour = now - timedelta(hours=1)
    both = (NEWS, LONG)
    sent = notice("sent", hour, *both, title=LONG_TITLE[:200], content=LONG_TEXT)
    _shown(sent, *both)
    _history(sent, leader)
    partly = notice("partly_sent", hour, NEWS, LOCKED)
    _shown(partly, NEWS)
    _refused(partly, LOCKED)
    failed = notice("failed", hour, *both, title=LONG_TITLE[:60])
    for channel in both:
        _refused(failed, channel)
    unknown = notice("sending", hour, NEWS, LONG, LOCKED)
    _unknown(unknown, NEWS, ErrorCode.NOT_READABLE)
    _unknown(unknown, LONG, ErrorCode.LEFT)
    _unknown(unknown, LOCKED, ErrorCode.NO_ANSWER, due_at=now + timedelta(hours=1))
    withdrawn = notice("withdrawn", hour, NEWS, withdrawn_at=now)
    _delivery(withdrawn, NEWS, Delivery.State.WITHDRAWN, wanted=None)
    draft = notice("draft", None, NEWS)
    scheduled = notice("scheduled", now + timedelta(days=1), *both)
    archived = notice("sent", hour, NEWS, archived_at=now)
    found = {
        "sent": sent, "partly": partly, "failed": failed, "unknown": unknown, "draft": draft,
        "withdrawn": withdrawn, "scheduled": scheduled, "archived": archived,
    }  # fmt: skip
    return {name: one.pk for name, one in found.items()}


def _delivery(notice: Notice, channel: int, state: str, **more: Any) -> Delivery:
    facts: dict[str, Any] = {"wanted": notice.revision, "state": state, "tries": 1}
    delivery = Delivery.objects.create(notice=notice, channel_id=channel, **facts | more)
    outcome = {SENT: "shown", FAILED: "refused", UNKNOWN: "unknown"}.get(
        Delivery.State(state), "gone"
    )
    Attempt.objects.create(
        delivery=delivery, action="create", nonce=delivery.nonce, claim=1, revision=1,
        begun_at=timezone.now(), ended_at=timezone.now(), outcome=outcome,
        code=delivery.error_code, detail=delivery.error_detail,
    )  # fmt: skip
    return delivery


def _shown(notice: Notice, *channels: int) -> None:
    for channel in channels:
        message_id = notice.pk * 10 + channel % 10
        _delivery(notice, channel, SENT, shown=notice.revision, message_id=message_id)


def _refused(notice: Notice, channel: int) -> None:
    _delivery(notice, channel, FAILED, error_code=50013, error_detail="Missing Permissions")


def _unknown(notice: Notice, channel: int, code: int, due_at: datetime | None = None) -> None:
    since = timezone.now()
    _delivery(notice, channel, UNKNOWN, unknown_since=since, error_code=code, due_at=due_at)


def _history(notice: Notice, leader: User) -> None:
    Change.objects.create(
        notice=notice, deed="changed", user=leader, revision=2,
        differences={"title": ["7주차 모임", notice.title], "channels": [[NEWS], [NEWS, LONG]]},
    )  # fmt: skip
    LogEntry.objects.log_actions(leader.pk, [notice], CHANGE, "Sent again.", single_object=True)


def _links(study: Study, leader: User) -> Numbers:
    made, secret = invitations.make(study, "writer", leader)
    revoked, _secret = invitations.make(study, "viewer", leader)
    invitations.revoke(revoked)
    # A login ends such a link, and she never logs in.
    forgetful = User.objects.create_user("minji2", password=PASSWORD)
    coded = urlsafe_base64_encode(str(forgetful.pk).encode())
    link = f"{coded}/{default_token_generator.make_token(forgetful)}"
    return {"invitation": made.pk, "secret": secret, "password_link": link}


def _of_the_site(study: Study, now: datetime) -> Numbers:
    key, _secret = ApiKey.objects.create_key(name="홈페이지", all_studies=True)
    ApiKey.objects.filter(pk=key.pk).update(prefix="12345678")
    endpoint = CallbackEndpoint.objects.create(
        url=f"https://example.org/{'callbacks' * 12}", all_studies=True
    )
    message = CallbackMessage.objects.create(
        endpoint=endpoint, notice=Notice.objects.latest("pk"), type="notice.failed",
        payload=json.dumps({"title": LONG_TITLE}), state="failed", expires_at=now, created_at=now,
        error="HTTPSConnectionPool: Max retries exceeded", tries=9,
    )  # fmt: skip
    bot = BotInstance.objects.create(
        name="bot-1", started_at=now, heartbeat_at=now, is_active=True, application_id=GUILD,
        shard_ids=[0], shard_count=1,
    )  # fmt: skip
    schedules.keep()
    tasks = [
        kind.objects.create(
            id=f"{number}" * 32, name=f"task-{number}", func="notices.tasks.fan_out", success=good,
            started=now, stopped=now, result="Traceback: RuntimeError" * 20,
        )
        for number, (kind, good) in enumerate(((Success, True), (Failure, False)))
    ]  # fmt: skip
    delivery = Delivery.objects.filter(state=FAILED).latest("pk")
    member = study.memberships.earliest("pk")
    return {
        "key": key.pk, "callback": endpoint.pk, "message": message.pk, "bot": bot.pk,
        "member": member.pk,
        "delivery": delivery.pk, "success": tasks[0].pk, "failure": tasks[1].pk,
        "log": LogEntry.objects.latest("pk").pk, "schedule": Schedule.objects.first().pk,
    }  # fmt: skip
