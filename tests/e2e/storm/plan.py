"""Plans a storm's deeds and their moments, all decided by one number."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.e2e.storm.books import title

LEADERS = 3
CHANNELS = 12

# A storm this long has a night: an outage that outlasts the nonces of what was lost before it.
NIGHT_FROM_SECONDS = 100.0
NIGHT_SECONDS = 45.0

Order = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`at` counts the seconds since the storm's begin."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(Step):
    """`channels` are indices; `starts_in` and `ends_in` are seconds from the posting on."""

    notice: int
    title: str
    content: str
    channels: tuple[int, ...]
    by_first_frontend: bool = False
    starts_in: float | None = None
    ends_in: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Step):
    notice: int
    title: str | None = None
    content: str | None = None
    channels: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(Step):
    notice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAgain(Step):
    notice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderate(Step):
    """A moderator deletes the notice's message in Discord, if one is there."""

    notice: int
    channel: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(Step):
    number: int
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class EndFault(Step):
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway(Step):
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The seconds until a process is killed, from its start or from the moment when it is up.

    `victim` is a number to choose one of its children by, and that one is killed instead.
    """

    from_its_start: bool
    seconds: float
    victim: int | None
    seconds_dead: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Scripts run side by side, the steps of each one after the other; so do the lives."""

    seconds: float
    scripts: list[list[Step]]
    lives: dict[str, list[Life]]


def make_plan(seed: int, *, seconds: float, notices: int, has_standby: bool) -> Plan:
    """Each part has its own random numbers: what one draws changes nothing for the others."""
    scripts = [
        _leader(Random(f"{seed} leader {leader}"), range(leader, notices, LEADERS), seconds)
        for leader in range(LEADERS)
    ]
    scripts.append(_weather(Random(f"{seed} weather"), seconds))
    scripts.append(_gateway(Random(f"{seed} gateway"), seconds))
    for script in scripts:
        script.sort(key=lambda step: step.at)
    lives = {
        process: [_life(Random(f"{seed} {process} {n}"), process) for n in range(int(seconds))]
        for process in _SPANS
        if process != "standby" or has_standby
    }
    return Plan(seconds, scripts, lives)


# --- leaders -------------------------------------------------------------------------------


def _leader(random: Random, numbers: range, seconds: float) -> list[Step]:
    script: list[Step] = []
    for number in numbers:
        begin = random.uniform(0, seconds * 0.8)
        post = _post(random, number, begin)
        script += [post, *_afterthoughts(random, post, seconds)]
    return script


def _post(random: Random, number: int, at: float) -> Post:
    by_first_frontend = random.random() < 0.3
    count = 1 if by_first_frontend else random.choice((1, 1, 2, 3, CHANNELS))
    later = not by_first_frontend and random.random() < 0.1
    ends = not by_first_frontend and random.random() < 0.1
    return Post(
        at=at,
        notice=number,
        title=title(number, 1),
        content=_words(random),
        channels=tuple(sorted(random.sample(range(CHANNELS), count))),
        by_first_frontend=by_first_frontend,
        starts_in=random.uniform(0.5, 5) if later else None,
        ends_in=random.uniform(6, 12) if ends else None,
    )


def _afterthoughts(random: Random, post: Post, seconds: float) -> Iterator[Step]:
    """A leader's changes of a notice that is shown or on its way."""
    at = post.at
    for edition in range(2, 2 + random.choice((0, 0, 1, 1, 2, 4))):
        at += random.expovariate(1 / 2.0)
        if at < seconds:
            yield _edit(random, post, edition, at)
    at += random.expovariate(1 / 2.0)
    last = random.random()
    if at < seconds and last < 0.25:
        yield Withdraw(at=at, notice=post.notice)
    elif at < seconds and last < 0.4:
        yield SendAgain(at=at, notice=post.notice)
    elif at < seconds and last < 0.5:
        yield Moderate(at=at, notice=post.notice, channel=random.choice(post.channels))


def _edit(random: Random, post: Post, edition: int, at: float) -> Edit:
    kind = random.random()
    if kind < 0.15 and not post.by_first_frontend:
        count = random.randint(1, 4)
        channels = tuple(sorted(random.sample(range(CHANNELS), count)))
        return Edit(at=at, notice=post.notice, channels=channels)
    if kind < 0.5:
        return Edit(at=at, notice=post.notice, content=_words(random))
    return Edit(at=at, notice=post.notice, title=title(post.notice, edition))


def _words(random: Random) -> str:
    """As long as Discord lets it be, now and then."""
    words = f"{random.randrange(10**9)} 화요일 20시, **강의실**에서"
    return words * (80 if random.random() < 0.05 else 1)


# --- processes -----------------------------------------------------------------------------

# From the shortest to the longest life, in seconds.
_SPANS = {"web": (3, 10), "qcluster": (3, 10), "runbot": (0.2, 8), "standby": (0.2, 8)}
_LONGEST_DEATH_SECONDS = 1.5


def _life(random: Random, process: str) -> Life:
    has_children = process in ("web", "qcluster")
    return Life(
        from_its_start=random.random() < 0.15,
        seconds=random.uniform(*_SPANS[process]),
        victim=random.randrange(100) if has_children and random.random() < 0.5 else None,
        seconds_dead=random.uniform(0, _LONGEST_DEATH_SECONDS),
    )


# --- Discord -------------------------------------------------------------------------------

_CREATE: Order = {"method": "POST", "path": "/messages$"}
_EDIT: Order = {"method": "PATCH", "path": "/messages/"}
_DELETE: Order = {"method": "DELETE", "path": "/messages/"}
_READ: Order = {"method": "GET", "path": "/messages$"}
_ANY_MESSAGE: Order = {"path": "/messages"}
_EVERYTHING: Order = {}


def _weather(random: Random, seconds: float) -> list[Step]:
    fronts = list(_fronts(random, seconds))
    if seconds >= NIGHT_FROM_SECONDS:
        dusk = random.uniform(0.2, 0.4) * seconds
        fronts.append((dusk, 4.0, {**_CREATE, "kind": "lost_reply", "probability": 0.7}))
        fronts.append((dusk + 3, NIGHT_SECONDS, {**_EVERYTHING, "kind": "status", "status": 503}))
    script: list[Step] = []
    for number, (at, lasts, order) in enumerate(fronts):
        script += [Fault(at=at, number=number, order=order), EndFault(at=at + lasts, number=number)]
    return script


def _fronts(random: Random, seconds: float) -> Iterator[tuple[float, float, Order]]:
    """Yield the beginning of each fault, its length and its order."""
    at = random.uniform(0, 1)
    while at < seconds:
        order = random.choice(_FAULTS)(random) | {"seed": random.randrange(10**6)}
        yield at, random.uniform(0.5, 4), order
        at += random.uniform(0.2, 2)


def _lost(random: Random) -> Order:
    """It was done, and the bot does not hear of it."""
    where = random.choice((_CREATE, _CREATE, _CREATE, _EDIT, _DELETE, _ANY_MESSAGE))
    kind = random.choice(
        (
            {"kind": "lost_reply"},
            {"kind": "truncate"},
            {"kind": "reset", "after": True},
            {"kind": "hang", "after": True, "seconds": 4},
            {"kind": "status", "status": random.choice((500, 502, 503)), "after": True},
        )
    )
    return {**where, **kind, "probability": random.uniform(0.2, 1)}


def _not_done(random: Random) -> Order:
    where = random.choice((_CREATE, _EDIT, _DELETE, _READ, _ANY_MESSAGE))
    kind = random.choice(
        (
            {"kind": "reset"},
            {"kind": "hang", "seconds": 4},
            {"kind": "status", "status": random.choice((500, 502, 503, 504))},
        )
    )
    return {**where, **kind, "probability": random.uniform(0.1, 0.8)}


def _limited(random: Random) -> Order:
    return {
        **random.choice((_CREATE, _EDIT, _ANY_MESSAGE)),
        "kind": "status",
        "status": 429,
        "retry_after": random.uniform(0.1, 1.5),
        "scope": random.choice(("user", "global", "shared")),
        "via": random.random() < 0.7,
        "json": random.random() < 0.8,
        "probability": random.uniform(0.1, 0.5),
    }


def _refused(random: Random) -> Order:
    """A permission was taken away for a moment."""
    where = random.choice((_CREATE, _CREATE, _EDIT, _DELETE))
    code = random.choice((50001, 50013))
    refusal = {"kind": "status", "status": 403, "code": code}
    return {**where, **refusal, "probability": random.uniform(0.05, 0.3)}


def _late(random: Random) -> Order:
    """A create takes effect after the bot has stopped waiting for it."""
    seconds = random.uniform(0.2, 3)
    return {**_CREATE, "kind": "delay", "seconds": seconds, "probability": random.uniform(0.1, 0.6)}


def _outage(random: Random) -> Order:
    kind = random.choice(
        ({"kind": "status", "status": 503}, {"kind": "reset"}, {"kind": "hang", "seconds": 4})
    )
    return {**_EVERYTHING, **kind}


_FAULTS: list[Callable[[Random], Order]] = [
    _lost, _lost, _lost, _not_done, _not_done, _limited, _refused, _late, _outage,
]  # fmt: skip


_BLOWS: list[tuple[str, str | None]] = [
    ("drop", None),
    ("close", None),
    ("reconnect", None),
    ("invalid_session", None),
    ("refuse", "accept"),
    # An echo settles most lost answers, so it is often left out.
    *[("mute_echo", "unmute_echo")] * 5,
    ("silence", "unsilence"),
]


def _gateway(random: Random, seconds: float) -> list[Step]:
    script: list[Step] = []
    at = random.uniform(0, 5)
    while at < seconds:
        action, end = random.choice(_BLOWS)
        script.append(Gateway(at=at, order={"action": action}))
        if end is not None:
            at += random.uniform(0.5, 5)
            script.append(Gateway(at=at, order={"action": end}))
        at += random.uniform(0.5, 5)
    return script
