"""Files reach the channel with their notice, and in the end it has those that were last wanted."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notices import actions
from notices.bot.engine import FILES_AT_ONCE
from notices.bot.files import files_for
from notices.delivery import message
from notices.delivery.due import Shards
from notices.delivery.exchange import exchange
from notices.delivery.fan_out import fan_out
from notices.delivery.recovery import record_echo
from notices.delivery.request import Answer, PermanentError, Request
from notices.files import attached
from notices.files.uploads import Sent, keep
from notices.models import Change, Channel, Delivery, ErrorCode, Notice, Study, Upload
from tests.engine_driver import run_until, running, until
from tests.fake_transport import FakeTransport
from tests.pictures import picture

pytestmark = pytest.mark.django_db(transaction=True)

PICTURE = picture()


@pytest.fixture
def discord() -> FakeTransport:
    return FakeTransport()


def upload(name: str, data: bytes = b"data") -> Upload:
    return keep(Sent(name, data), by=None)


def attach(notice: Notice, *files: Upload, picture: Upload | None = None) -> None:
    notice.attachments = attached.entries(picture, files)
    notice.save()
    actions.hold_uploads(notice)


def is_sent(notice: Notice) -> bool:
    settled = Notice.objects.filter(pk=notice.pk, status="sent")
    return settled.exists() and not Notice.objects.not_fanned_out().exists()


def deliver(notice: Notice, discord: FakeTransport, **options: Any) -> None:
    run_until(lambda: is_sent(notice), discord, **options)


def shown_files(notice: Notice, discord: FakeTransport) -> dict[str, bytes]:
    message_id = notice.deliveries.get().message_id
    assert message_id is not None
    return discord.attached.get(message_id, {})


# --- what goes out -------------------------------------------------------------------------


def test_a_notice_is_shown_with_its_picture_in_the_embed_and_its_files(
    notice: Notice, discord: FakeTransport
) -> None:
    map_, plan = upload("지도.png", PICTURE), upload("계획 표.pdf", b"plan")
    attach(notice, plan, picture=map_)

    deliver(notice, discord)

    name = f"picture-{map_.pk}.png"
    assert shown_files(notice, discord) == {name: PICTURE, "계획_표.pdf": b"plan"}
    [request] = discord.requests
    payload = request.payload or {}
    assert payload["embeds"][0]["image"] == {"url": f"attachment://{name}"}
    assert payload["attachments"] == [
        {"id": 0, "filename": name}, {"id": 1, "filename": "계획_표.pdf"},
    ]  # fmt: skip
    assert payload["enforce_nonce"] is True


def test_an_edit_of_the_words_brings_no_files(notice: Notice, discord: FakeTransport) -> None:
    attach(notice, upload("a.txt"), picture=upload("a.png", PICTURE))
    deliver(notice, discord)
    before = shown_files(notice, discord)
    notice.title = "다른 제목"
    notice.save()

    deliver(notice, discord)

    edit = discord.requests[-1]
    assert (edit.action, edit.files) == ("edit", ())
    assert "attachments" not in (edit.payload or {})
    assert (edit.payload or {})["embeds"][0]["image"]["url"].startswith("attachment://")
    assert shown_files(notice, discord) == before


def test_an_edit_of_the_files_brings_all_of_them(notice: Notice, discord: FakeTransport) -> None:
    first = upload("a.txt", b"a")
    attach(notice, first)
    deliver(notice, discord)

    attach(notice, first, upload("b.txt", b"b"))
    deliver(notice, discord)
    assert shown_files(notice, discord) == {"a.txt": b"a", "b.txt": b"b"}

    attach(notice)
    deliver(notice, discord)
    assert shown_files(notice, discord) == {}
    assert notice.deliveries.get().shown == 4


def test_files_that_changed_while_the_first_reply_was_lost_end_as_last_wanted(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    attach(notice, upload("old.txt", b"old"))
    discord.script[channel.pk] = ["lose"]
    run_until(lambda: notice.deliveries.filter(state="unknown").exists(), discord)
    attach(notice, upload("new.txt", b"new"))

    deliver(notice, discord)

    # The same nonce is answered with the first message, which has the older files.
    assert [request.action for request in discord.requests] == ["create", "create", "edit"]
    assert len(discord.shown[channel.pk]) == 1
    assert shown_files(notice, discord) == {"new.txt": b"new"}


def test_a_lost_message_with_files_is_found_in_the_history(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    attach(notice, upload("a.txt"))
    discord.script[channel.pk] = ["lose"]

    deliver(notice, discord, window=0)

    assert [request.action for request in discord.requests] == ["create", "look_up"]
    assert shown_files(notice, discord) == {"a.txt": b"data"}


def test_a_text_edit_that_overtakes_the_edit_of_the_files_brings_them_too(
    notice: Notice, discord: FakeTransport
) -> None:
    """The files that the message shows decide, and not the field that changed last."""
    deliver(notice, discord)
    attach(notice, upload("a.txt"))
    notice.title = "그리고 새 제목"
    notice.save()

    deliver(notice, discord)

    assert [request.action for request in discord.requests] == ["create", "edit"]
    assert shown_files(notice, discord) == {"a.txt": b"data"}


def test_an_older_edit_that_came_last_is_put_right_with_its_files(
    notice: Notice, discord: FakeTransport
) -> None:
    """A bot that was cut off in the middle of a request causes this."""
    attach(notice, upload("old.txt", b"old"))
    deliver(notice, discord)
    attach(notice, upload("new.txt", b"new"))
    deliver(notice, discord)
    delivery = notice.deliveries.get()
    assert delivery.message_id is not None
    discord.attached[delivery.message_id] = {"old.txt": b"old"}

    assert record_echo(delivery.nonce, delivery.message_id, 2, timezone.now())
    deliver(notice, discord)

    assert shown_files(notice, discord) == {"new.txt": b"new"}


def test_a_message_whose_answer_shows_other_files_gets_the_right_ones(
    notice: Notice, discord: FakeTransport
) -> None:
    """The transport counts a message with new words and wrong files as older than any revision."""
    attach(notice, upload("a.txt"))
    deliver(notice, discord)
    delivery = notice.deliveries.get()
    assert delivery.message_id is not None
    discord.attached[delivery.message_id] = {}
    notice.title = "새 제목"
    notice.save()
    perform = discord.perform

    async def told(request: Request, answered: Callable[[Answer], None]) -> Answer:
        if request.brings_files:
            return await perform(request, answered)
        answer = replace(await perform(request, lambda _answer: None), revision=0)
        answered(answer)
        return answer

    discord.perform = told  # type: ignore[method-assign]
    deliver(notice, discord)

    assert shown_files(notice, discord) == {"a.txt": b"data"}
    assert notice.deliveries.get().shown == 3


# --- bounds --------------------------------------------------------------------------------


@pytest.fixture
def many(study: Study) -> list[Notice]:
    """More notices than may go at once, each with a file and a channel of its own."""
    made = []
    for n in range(FILES_AT_ONCE + 2):
        channel = Channel.objects.create(id=1100000000000000100 + n, name=f"채널-{n}")
        study.channels.add(channel)
        one = Notice.objects.create(
            study=study, title=f"{n}", content="c", publish_at=timezone.now(),
            attachments=attached.entries(None, [upload(f"{n}.txt")]),
        )  # fmt: skip
        actions.hold_uploads(one)
        one.channels.add(channel)
        made.append(one)
    return made


def test_only_so_many_files_are_held_at_once_and_other_notices_pass_them_by(
    many: list[Notice], notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    gates = {one.channels.get().pk: asyncio.Event() for one in many}
    discord.script = {pk: [gate] for pk, gate in gates.items()}
    waiting = Notice.objects.filter(pk__in=[one.pk for one in many]).exclude(status="sent")

    def is_sent_beside_them() -> bool:
        held = sum(bool(request.files) for request in discord.requests)
        return held == FILES_AT_ONCE and is_sent(notice)

    async def scenario() -> None:
        async with running(discord) as engine:
            await until(engine, is_sent_beside_them)
            assert await engine.in_database(waiting.count) == len(many)
            for gate in gates.values():
                gate.set()
            await until(engine, lambda: not waiting.exists())

    asyncio.run(scenario())


def test_a_notice_that_is_withdrawn_while_it_waits_is_never_shown(
    many: list[Notice], discord: FakeTransport
) -> None:
    first = {request.channels.get().pk: asyncio.Event() for request in many}
    discord.script = {pk: [gate] for pk, gate in first.items()}

    def withdraw_what_waits() -> None:
        out = {request.notice_id for request in discord.requests}
        for one in many:
            if one.pk not in out:
                actions.withdraw(one)
                fan_out(one.pk)
        connection.close()

    def all_are_claimed() -> bool:
        claimed = Delivery.objects.filter(state="sending").count()
        return claimed == len(many) and len(discord.requests) == FILES_AT_ONCE

    async def scenario() -> None:
        async with running(discord) as engine:
            await until(engine, all_are_claimed)
            web = Thread(target=withdraw_what_waits)
            web.start()
            await asyncio.to_thread(web.join)
            for gate in first.values():
                gate.set()
            done = Notice.objects.filter(status__in=["sent", "withdrawn"])
            await until(engine, lambda: done.count() == len(many))

    asyncio.run(scenario())
    sent = {request.notice_id for request in discord.requests if request.action == "create"}
    assert len(sent) == FILES_AT_ONCE
    assert Notice.objects.filter(status="withdrawn").count() == 2


def test_a_stop_does_not_wait_for_notices_that_wait_for_a_place(
    many: list[Notice], discord: FakeTransport
) -> None:
    gates = {one.channels.get().pk: asyncio.Event() for one in many}
    discord.script = {pk: [gate] for pk, gate in gates.items()}

    def all_are_claimed() -> bool:
        claimed = Delivery.objects.filter(state="sending").count()
        return claimed == len(many) and len(discord.requests) == FILES_AT_ONCE

    async def scenario() -> None:
        async with running(discord) as engine:
            await until(engine, all_are_claimed)
            engine.stop()
            for gate in gates.values():
                gate.set()

    asyncio.run(scenario())
    assert len(discord.requests) == FILES_AT_ONCE
    assert Delivery.objects.filter(state="waiting", unknown_since=None).count() == 2


# --- what can go wrong ---------------------------------------------------------------------


def test_a_notice_whose_file_is_gone_fails_and_is_not_sent(
    notice: Notice, discord: FakeTransport
) -> None:
    attach(notice, upload("a.txt"))
    Upload.objects.all().delete()
    run_until(lambda: notice.deliveries.filter(state="failed").exists(), discord)
    assert notice.deliveries.get().error_code == ErrorCode.FILE_GONE
    assert discord.requests == []


def test_a_request_that_discord_finds_too_large_is_not_repeated(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    attach(notice, upload("a.txt"))
    discord.script[channel.pk] = [PermanentError("Request entity too large", code=40005)]
    run_until(lambda: notice.deliveries.filter(state="failed").exists(), discord)
    assert notice.deliveries.get().error_code == 40005


# --- what is counted and recorded ----------------------------------------------------------


def test_a_change_of_the_files_raises_both_revisions(notice: Notice) -> None:
    file = upload("a.txt")
    attach(notice, file)
    assert (notice.revision, notice.attached_revision) == (2, 2)
    attach(notice, file)
    assert (notice.revision, notice.attached_revision) == (2, 2)
    notice.title = "제목"
    notice.save()
    assert (notice.revision, notice.attached_revision) == (3, 2)
    Notice.objects.filter(pk=notice.pk).update(attachments=[])
    notice.refresh_from_db()
    assert (notice.revision, notice.attached_revision) == (4, 4)


def test_a_change_of_the_files_is_recorded_with_the_old_and_the_new(notice: Notice) -> None:
    with Change.objects.recording([notice.pk]):
        attach(notice, upload("a.txt"))
    [was, now] = Change.objects.get().differences["attachments"]
    assert (was, [one["name"] for one in now]) == ([], ["a.txt"])


def test_a_duplicate_has_the_files_too_and_holds_them(notice: Notice) -> None:
    kept, gone = upload("a.txt"), upload("b.txt")
    attach(notice, kept, gone)
    gone.delete()
    copy = actions.duplicate(notice, by=None)
    assert [one["name"] for one in copy.attachments] == ["a.txt"]
    assert list(copy.uploads.all()) == [kept]


def test_a_claim_reads_no_file_and_one_without_files_asks_for_none(
    notice: Notice, channel: Channel, other_notice: Notice
) -> None:
    attach(notice, upload("a.txt"), picture=upload("a.png", PICTURE))
    for one in (notice, other_notice):
        fan_out(one.pk)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        requests = exchange(
            [], timezone.now(), limit=8, busy_channels=[], shards=Shards(),
            window=timedelta(seconds=60),
        )  # fmt: skip
    assert sorted(request.brings_files for request in requests) == [False, True]
    assert not any("notices_upload" in query["sql"] for query in queries)
    [with_files] = [request for request in requests if request.brings_files]
    assert with_files.files == ()
    with CaptureQueriesContext(connection) as queries:
        files = files_for(with_files)
    assert files is not None
    assert [file.data for file in files] == [PICTURE, b"data"]
    assert len(queries) == 2


def test_a_picture_takes_the_place_of_an_address(notice: Notice, study: Study) -> None:
    notice.image = "https://example.org/a.png"
    attach(notice, picture=upload("a.webp", picture("WEBP")))
    notice.study = study
    embed = message.build(Delivery(notice=notice))["embeds"][0]
    assert embed["image"]["url"].startswith("attachment://picture-")
    assert embed["image"]["url"].endswith(".webp")
