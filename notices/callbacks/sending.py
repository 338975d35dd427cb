"""Sends messages to frontends from qcluster: by a task at once, and by a sweep later.

A slow frontend makes no other wait. Rights are checked right before sending, so a frontend that
lost them is told nothing more.
"""

import asyncio
import logging
from collections.abc import Collection
from math import inf

import orjson
from aiohttp import ClientSession
from aiohttp.abc import AbstractResolver
from asgiref.sync import async_to_sync, sync_to_async

from notices.callbacks import http
from notices.callbacks.http import Envelope
from notices.callbacks.queueing import Lane, is_any_left, record, take
from notices.callbacks.rights import why_not_told, with_rights
from notices.models import CallbackMessage, Notice
from notices.outside import clock

log = logging.getLogger(__name__)

# There may be one worker only, which stops after so long to let other tasks pass.
SLICE_SECONDS = 15.0
# Then it stops waiting for answers. Those messages are sent once more, with the same id.
GRACE_SECONDS = 1.0
LOOK_EVERY_SECONDS = 0.2


def send_due(seconds: float = SLICE_SECONDS, resolver: AbstractResolver | None = None) -> bool:
    """Send what is due for about so many seconds; return whether nothing is left."""
    return async_to_sync(_send_due)(clock.monotonic() + seconds, resolver)


async def _send_due(deadline: float, resolver: AbstractResolver | None) -> bool:
    """Run the lanes side by side, and begin new ones while others wait for answers."""
    under_way: dict[asyncio.Task[None], Lane] = {}
    time_left = inf  # even the slowest endpoint is begun in the first round
    async with http.session(resolver) as session:
        while time_left > -GRACE_SECONDS:
            if time_left > 0:
                for lane in await _take_meanwhile(under_way.values(), time_left):
                    task = asyncio.create_task(_send_lane(session, lane, deadline))
                    under_way[task] = lane
            if not under_way:
                return not await sync_to_async(is_any_left)(clock.now())
            done, _others = await asyncio.wait(
                under_way, timeout=LOOK_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                await _record_meanwhile(under_way.pop(task), task)
            time_left = deadline - clock.monotonic()
        if under_way:
            await _cut_off(under_way)
    return False


async def _take_meanwhile(under_way: Collection[Lane], time_left: float) -> list[Lane]:
    busy = [lane.endpoint for lane in under_way]
    return await sync_to_async(take)(clock.now(), busy, time_left)


async def _record_meanwhile(lane: Lane, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        # Its lease ends, and the endpoint is taken again.
        log.error("callback %s: sending broke off", lane.endpoint.pk, exc_info=error)
        return
    await sync_to_async(record)(lane, clock.now())


async def _cut_off(under_way: dict[asyncio.Task[None], Lane]) -> None:
    """Stop all lanes, because other tasks wait for this worker."""
    for task in under_way:
        task.cancel()
    await asyncio.wait(under_way)
    for task, lane in under_way.items():
        lane.seconds = http.TIMEOUT.total or inf
        await _record_meanwhile(lane, task)


async def _send_lane(session: ClientSession, lane: Lane, deadline: float) -> None:
    """Send until the messages end, one fails, or time is short."""
    for message in lane.messages:
        begun = clock.monotonic()
        if lane.answers and begun + lane.seconds > deadline:
            return
        ready = await sync_to_async(_ready)(message)
        if isinstance(ready, str):
            lane.not_told.append((message, ready))
            continue
        answer = await http.post(session, ready)
        lane.answers.append((message, answer))
        lane.seconds = max(lane.seconds, clock.monotonic() - begun)
        if not answer.is_success:
            return


def _ready(message: CallbackMessage) -> Envelope | str:
    """Return the message to send, or why it may not be sent.

    Since it was written, the frontend may have lost its rights, and the notice may have moved.
    """
    notice = Notice.objects.only("study_id").filter(pk=message.notice_id).first()
    if notice is None:
        return "the notice is gone"
    studies = {orjson.loads(message.payload)["data"]["study_id"], notice.study_id}
    rows = with_rights(studies)
    endpoint = rows.filter(pk=message.endpoint_id).first()
    if endpoint is None:
        return "the callback is gone"
    if why := next(filter(None, (why_not_told(endpoint, study_id) for study_id in studies)), ""):
        return why
    return Envelope(endpoint.url, endpoint.secret, message.message_id, message.payload.encode())
