"""Faults that somebody could make, each as a small patch: storms have to find every one of them."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from notices.bot import engine, outages, pace
from notices.bot.discord_transport import DiscordTransport
from notices.callbacks import queueing
from notices.delivery import exchange, fan_out, message, outcomes, recovery


@dataclass(frozen=True)
class Fault:
    """In the function's source, `old` becomes `new`; the storm of the seed `found_by` sees it."""

    name: str
    function: Callable[..., Any]
    old: str
    new: str
    found_by: int = 1

    @contextmanager
    def planted(self) -> Iterator[None]:
        function: Any = self.function
        right = function.__code__
        function.__code__ = self._wrong(function)
        try:
            yield
        finally:
            function.__code__ = right

    def _wrong(self, function: FunctionType) -> CodeType:
        source = textwrap.dedent(inspect.getsource(function))
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.old!r} is {source.count(self.old)} times there")
        made: dict[str, Any] = {}
        exec(source.replace(self.old, self.new), {**function.__globals__}, made)  # noqa: S102
        code: CodeType = made[function.__name__].__code__
        return code


FAULTS = [
    Fault(
        "a request goes out before its attempt is written",
        exchange._exchange, "        _stamp(requests, now)\n", "",
    ),
    Fault(
        "a create is repeated under another nonce",
        message.build,
        '"nonce": delivery.nonce',
        '"nonce": delivery.nonce[:: -1 if delivery.unknown_since else 1]',
    ),
    Fault(
        "an outcome is counted twice",
        exchange._record, "if (r.request.delivery_id, r.request.claim) in new", "",
        found_by=3,
    ),
    Fault(
        "an answer and its echo are both settled",
        engine.Engine._settle, "if flight.settled:", "if False:",
    ),
    Fault(
        "the history is read before a lost create takes effect",
        exchange._claim, "action in outcomes.WAITING_ACTIONS", "action == Action.EDIT",
        found_by=2,
    ),
    Fault(
        "an edit does not wait for one that was lost",
        exchange._claim, "action in outcomes.WAITING_ACTIONS", "action == Action.LOOK_UP",
        found_by=49,
    ),
    Fault(
        "a withdrawal is lost while the outcome is unknown",
        outcomes.wish, "        case State.UNKNOWN:\n", "        case State.UNKNOWN:\n"
        "            if wanted is None:\n                return {}\n",
        found_by=11,
    ),
    Fault(
        "a correction is lost while a request is out",
        outcomes.wish, "return changes  # the outcome", "return {}  # the outcome",
        found_by=2,
    ),
    Fault(
        "the brake is left out",
        pace.Brake._wait_seconds, "if len(", "if True or len(",
        found_by=62,
    ),
    Fault(
        "the pacer does not count",
        pace.Pacer.wait_seconds, "if len(self._gone_out) == self._burst", "if False",
        found_by=4,
    ),
    Fault(
        "a status is written outside of the lock",
        exchange._exchange,
        "        statuses.refresh(locked, now)\n        counters.add(counts)",
        "        counters.add(counts)\n    statuses.refresh(locked, now)\n    pass",
    ),
    Fault(
        "a bot that has lost its seat sends",
        DiscordTransport._before_request, "if not self.active:", "if False:",
        found_by=58,
    ),
    Fault(
        "a server's outage is taken for a refusal",
        outages.Outages.is_final,
        "if word is Word.AWAY or self._is_doubted(request, error.code, word):", "if False:",
        found_by=24,
    ),
    Fault(
        "a channel's outage is counted as tries",
        outages.Outages.weigh,
        "await self._leave_alone(channel_id, guild_id)\n        return Weight.NOTHING",
        "return Weight.ALL",
        found_by=14,
    ),
    Fault(
        "a last moment is ignored",
        outcomes.expired, "return _is_over", "return False and _is_over",
        found_by=2,
    ),
    Fault(
        "a channel that was taken is written to",
        outcomes.barred, "if delivery.is_connected or", "if True or",
        found_by=2,
    ),
    Fault(
        "a take-over forgets what is unknown",
        recovery.take_over,
        "due_at=now, claim=None,", "due_at=now, claim=None, unknown_since=None,",
    ),
    Fault(
        "a channel that a notice leaves keeps it",
        fan_out._write_wishes,
        "notice.revision if delivery.channel_id in wanted else None", "notice.revision",
    ),
    Fault(
        "a channel of a notice is forgotten",
        fan_out._write_wishes,
        "for delivery in known}):", "for delivery in known})[1:]:",
    ),
    Fault(
        "what the queue has lost is not swept",
        engine.Engine._write_and_claim, "sweeps = self.active", "sweeps = False and self.active",
        found_by=2,
    ),
    Fault(
        "claims whose commit's answer was lost are not taken over",
        engine.Engine._exchange, "self._must_take_over = True", "pass",
        found_by=8,
    ),
    Fault(
        "a callback that failed counts as delivered",
        queueing._record_one, "State.DELIVERED if answer.is_success", "State.DELIVERED if True",
        found_by=4,
    ),
    Fault(
        "the nonce is trusted for too long",
        outcomes.resend_until, "window - LOOK_AFTER", "100 * window",
        found_by=3,
    ),
    Fault(
        "a channel has two requests at once",
        engine.Engine._write_and_claim, "busy_channels=busy,", "busy_channels=(),",
    ),
    Fault(
        "the answer to an older claim is settled",
        exchange._record, "delivery.claim != result.request.claim", "False",
        found_by=4,
    ),
    Fault(
        "a nonce is kept after our own delete",
        outcomes._gone, '"nonce": new_nonce()', '"nonce": delivery.nonce',
        found_by=3,
    ),
    Fault(
        "the tries end without a look",
        outcomes._setback, "if gives_up and not may_be_shown:", "if gives_up:",
        found_by=21,
    ),
    Fault(
        "a refusal ends without a look for what was sent before",
        outcomes._refused, "elif unknown_since is not None and delivery.shown is None:",
        "elif False:",
        found_by=12,
    ),
    Fault(
        "a delete is claimed as if its answer were known",
        exchange._unknown_from, "action in outcomes.BLIND_ACTIONS", "action == Action.CREATE",
        found_by=66,
    ),
    Fault(
        "a channel is taken while nobody knows what it shows",
        outcomes.barred, "if delivery.unknown_since is None:", "if True:",
        found_by=96,
    ),
    Fault(
        "nobody is told that a message was emptied",
        outcomes._emptied, "if state != State.SENT:", "if True:",
        found_by=24,
    ),
]  # fmt: skip
