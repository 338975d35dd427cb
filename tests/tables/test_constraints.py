"""The database itself refuses every row that breaks a named rule, whoever writes it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from notices.models import (
    ApiKey,
    Attempt,
    CallbackEndpoint,
    CallbackMessage,
    Change,
    Channel,
    Delivery,
    Invitation,
    KeptAnswer,
    Membership,
    Notice,
    Pause,
    Person,
    Role,
    Study,
    StudyRole,
    Submission,
    Tally,
    Upload,
    new_nonce,
)

NOW = timezone.now()


def a_notice(**changes: Any) -> Notice:
    study = Study.objects.create(name="알고리즘 스터디")
    return Notice.objects.create(study=study, title="모임", content="화요일", **changes)


def a_channel(**changes: Any) -> Channel:
    return Channel.objects.create(**{"id": 11} | changes)


def a_delivery(**changes: Any) -> Delivery:
    given = {"wanted": 1, "due_at": NOW} | changes
    if "notice" not in given:
        given |= {"notice": a_notice(), "channel": a_channel()}
    return Delivery.objects.create(**given)


def an_attempt(**changes: Any) -> Attempt:
    given: dict[str, Any] = {"action": "create", "nonce": "N", "claim": 1, "begun_at": NOW}
    given |= changes
    if "delivery" not in given:
        given["delivery"] = a_delivery()
    return Attempt.objects.create(**given)


def upload(**changes: Any) -> Callable[[], Any]:
    given = {"name": "a.txt", "content_type": "text/plain", "size": 1, "data": b"a"} | changes
    return lambda: Upload.objects.create(**given)


def a_change(**changes: Any) -> Change:
    return Change.objects.create(
        **{"notice": a_notice(), "deed": "changed", "revision": 1} | changes
    )


def a_change_by_two() -> None:
    key, _secret = ApiKey.objects.create_key(name="frontend")
    a_change(user=User.objects.create(username="minji"), key=key)


def the_same_page_twice() -> None:
    user = User.objects.create_user("minji")
    for _time in range(2):
        Submission.objects.create(user=user, writing="w", digest="d")


def the_same_pause_twice() -> None:
    for _time in range(2):
        Pause.objects.create(channel_id=1, until=NOW)


def the_same_tally_twice() -> None:
    Tally.objects.create(name="pauses")
    Tally.objects.create(name="pauses")


def the_same_key_twice() -> None:
    KeptAnswer.objects.create(caller="key abcdefgh", key="k", begun_at=NOW)
    KeptAnswer.objects.create(caller="key abcdefgh", key="k", begun_at=NOW)


def a_member(**changes: Any) -> Membership:
    given: dict[str, Any] = {"way": "listed", "since": NOW} | changes
    if "person" not in given:
        given["person"] = Person.objects.create(discord_id=1)
        given["study"] = Study.objects.create(name="알고리즘 스터디")
    return Membership.objects.create(**given)


def the_same_member_twice() -> None:
    member = a_member()
    a_member(person=member.person, study=member.study)


def a_role(**changes: Any) -> StudyRole:
    given: dict[str, Any] = dict(changes)
    if "user" not in given:
        given["user"] = User.objects.create_user("minji")
        given["study"] = Study.objects.create(name="알고리즘 스터디")
    return StudyRole.objects.create(**given)


def the_same_role_twice() -> None:
    role = a_role()
    a_role(user=role.user, study=role.study)


def an_invitation(**changes: Any) -> Invitation:
    study = Study.objects.create(name="알고리즘 스터디")
    return Invitation.objects.create(**{"study": study, "secret_hash": "h"} | changes)


def write_past_the_model(row: Any, **changes: Any) -> None:
    """Write as a queryset, a shell or a loaded fixture does: without save() or validation."""
    type(row)._base_manager.filter(pk=row.pk).update(**changes)


def twice_in_one_channel() -> None:
    first = a_delivery()
    a_delivery(notice=first.notice, channel=first.channel)


def two_deliveries(**same: Any) -> None:
    first = a_delivery(**same)
    a_delivery(notice=first.notice, channel=a_channel(id=12), **same)


def twice_under_one_claim() -> None:
    first = an_attempt()
    an_attempt(delivery=first.delivery, claim=first.claim)


def a_callback_message(**fields: Any) -> CallbackMessage:
    given: dict[str, Any] = {"created_at": NOW, "expires_at": NOW, "due_at": NOW, **fields}
    if "endpoint" not in given:
        given |= {"endpoint": CallbackEndpoint.objects.create(url="https://example.com/")}
        given |= {"notice": a_notice(), "type": "notice.queued"}
    return CallbackMessage.objects.create(**given)


def callback_message(**bad: Any) -> Callable[[], None]:
    return lambda: write_past_the_model(a_callback_message(), **bad)


def told_twice_of_publishing() -> None:
    first = a_callback_message()
    a_callback_message(endpoint=first.endpoint, notice=first.notice, type=first.type)


def study(**bad: Any) -> Callable[[], None]:
    return lambda: write_past_the_model(Study.objects.create(name="독서"), **bad)


def channel(**bad: Any) -> Callable[[], None]:
    return lambda: write_past_the_model(a_channel(), **bad)


def notice(**bad: Any) -> Callable[[], None]:
    return lambda: write_past_the_model(a_notice(), **bad)


def delivery(**bad: Any) -> Callable[[], None]:
    return lambda: write_past_the_model(a_delivery(), **bad)


def attempt(**bad: Any) -> Callable[[], None]:
    return lambda: write_past_the_model(an_attempt(), **bad)


BAD_ROWS: dict[str, list[Callable[[], Any]]] = {
    "channel_id_is_positive": [lambda: a_channel(id=0), lambda: a_channel(id=-1)],
    "channel_refusal_has_time_and_code": [channel(refused_at=NOW), channel(refused_code=50001)],
    "role_id_is_positive": [lambda: Role.objects.create(id=0, guild_id=1, name="r")],
    "study_has_a_name": [study(name="")],
    "study_colour_is_rgb": [study(colour=0x1000000)],
    "study_language_is_known": [study(language="fr")],
    "study_ping_role_is_positive": [study(ping_role_id=0)],
    "notice_has_a_title": [notice(title="")],
    "notice_has_content": [notice(content="")],
    "notice_ping_is_known": [notice(ping="all")],
    "notice_status_is_known": [notice(status="lost")],
    "notice_revision_from_1": [notice(revision=0)],
    "notice_fanned_out_is_not_ahead": [notice(fanned_out_revision=2)],
    "notice_expires_after_publishing": [
        notice(publish_at=NOW, expires_at=NOW),
        notice(publish_at=NOW, expires_at=NOW - timedelta(seconds=1)),
    ],
    "notice_withdrawn_was_published": [notice(withdrawn_at=NOW)],
    "delivery_once_per_channel": [twice_in_one_channel],
    "delivery_nonce_is_its_own": [lambda: two_deliveries(nonce=new_nonce())],
    "delivery_message_is_its_own": [lambda: two_deliveries(message_id=5, shown=1)],
    "delivery_state_is_known": [delivery(state="lost")],
    "delivery_shown_has_a_message": [delivery(shown=1), delivery(message_id=5)],
    "delivery_sent_shows_what_is_wanted": [
        delivery(state="sent", due_at=None),
        delivery(state="sent", due_at=None, shown=2, message_id=5),
        delivery(state="sent", shown=1, message_id=5),
    ],
    "delivery_withdrawn_shows_nothing": [
        delivery(state="withdrawn", due_at=None),
        delivery(state="withdrawn", wanted=None),
        delivery(state="withdrawn", wanted=None, due_at=None, shown=1, message_id=5),
    ],
    "delivery_failed_has_a_reason": [
        delivery(state="failed", due_at=None),
        delivery(state="failed", error_code=50001),
    ],
    "delivery_under_way_is_due": [
        delivery(due_at=None),
        delivery(state="sending", claim=1, due_at=None),
    ],
    "delivery_sending_is_claimed": [delivery(state="sending")],
    "delivery_unknown_since_when": [delivery(state="unknown")],
    "attempt_once_per_claim": [twice_under_one_claim],
    "attempt_action_is_known": [attempt(action="shout")],
    "attempt_ended_has_an_outcome": [attempt(ended_at=NOW), attempt(outcome="shown")],
    "attempt_outcome_is_known": [attempt(ended_at=NOW, outcome="lost")],
    "change_deed_is_known": [lambda: a_change(deed="praised")],
    "change_has_one_author": [a_change_by_two],
    "callback_message_tells_once_of_publishing": [told_twice_of_publishing],
    "callback_message_is_due_while_it_waits": [
        callback_message(due_at=None),
        callback_message(state="delivered"),
        callback_message(state="lost"),
    ],
    "upload_has_a_name": [upload(name="")],
    "upload_is_not_empty": [upload(size=0)],
    "submission_once_per_page": [the_same_page_twice],
    "pause_is_one": [the_same_pause_twice],
    "tally_is_one": [the_same_tally_twice],
    "kept_answer_once_per_key": [the_same_key_twice],
    "person_discord_id_is_positive": [lambda: Person.objects.create(discord_id=0)],
    "person_language_is_known": [lambda: Person.objects.create(discord_id=1, language="fr")],
    "membership_once_per_person": [the_same_member_twice],
    "membership_way_is_known": [lambda: a_member(way="bought")],
    "membership_sight_is_known": [lambda: a_member(sight="blind")],
    "membership_ends_after_it_begins": [lambda: a_member(until=NOW - timedelta(seconds=1))],
    "study_role_once_per_user": [the_same_role_twice],
    "study_role_is_known": [lambda: a_role(role="owner")],
    "invitation_role_is_known": [lambda: an_invitation(role="owner")],
    "invitation_ends": [lambda: an_invitation(is_single_use=False)],
    "invitation_is_used_once": [lambda: an_invitation(uses=2)],
    "invitation_expires_later": [lambda: an_invitation(expires_at=NOW - timedelta(days=1))],
}
CASES = [
    pytest.param(name, write, id=f"{name}-{number}")
    for name, writes in BAD_ROWS.items()
    for number, write in enumerate(writes, 1)
]


def columns_of(name: str) -> list[str]:
    """SQLite names a broken unique rule by its columns, not by its name."""
    for model in apps.get_app_config("notices").get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name:
                fields = getattr(constraint, "fields", ())
                return [
                    f"{model._meta.db_table}.{model._meta.get_field(one).column}"  # type: ignore[union-attr]
                    for one in fields
                ]
    raise LookupError(name)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "write"), CASES)
def test_the_database_refuses_a_row_that_breaks_a_constraint(
    name: str, write: Callable[[], Any]
) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        write()
    said = str(refused.value)
    columns = columns_of(name)
    broken = name in said or (columns and all(column in said for column in columns))
    assert broken, f"{connection.vendor} refused, but for another reason: {said}"


def test_every_constraint_of_every_model_has_its_bad_row() -> None:
    named = {
        constraint.name
        for model in apps.get_app_config("notices").get_models()
        for constraint in model._meta.constraints
    }
    assert named == BAD_ROWS.keys()


@pytest.mark.django_db
def test_the_rows_that_the_bad_ones_are_made_from_are_good() -> None:
    an_attempt()
    upload()()
    a_member(until=NOW)
    a_role()
    an_invitation(uses=1)
    Study.objects.create(name="독서")
