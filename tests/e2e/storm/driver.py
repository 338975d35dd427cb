"""Carries a plan out: lets leaders work, kills, breaks Discord, then waits until all is settled."""

import json
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.stack import Stack, wait_for
from tests.e2e.storm.checks import EXPIRED, Aftermath, differences
from tests.e2e.storm.leaders import Leaders
from tests.e2e.storm.plan import CHANNELS, EndFault, Fault, Gateway, Life, Plan, Step
from tests.e2e.storm.reading import Reader

Json = dict[str, Any]

# Unanswered requests are given up soon, so that a storm holds many of them.
ENVIRONMENT = {"SEND_RATE": "2000", "REQUEST_TIMEOUT": "1", "NONCE_WINDOW": "5"}
# A request waits for its turn up to 30 s after its claim, and NONCE_WINDOW must hold even then.
DISCORDS_NONCE_SECONDS = 40.0
# On a slow machine a storm may take this many times longer; then the rest is left out.
LONGEST_DRAG = 1.5
SETTLE_SECONDS = 120.0
SETTLED = {"sent", "withdrawn", "partly_sent", "failed"}
# A process logs this once it is up; qcluster logs nothing.
UP = re.compile("Booting worker|logged in as|standing by")
NEVER_LOGGED = ("failed in our own code", "Internal Server Error", "IntegrityError")


@dataclass(frozen=True, slots=True)
class StormResult:
    differences: list[str]
    summary: str


class Storm:
    """`run` it once, over a stack that nobody else uses."""

    def __init__(self, stack: Stack, plan: Plan) -> None:
        self._stack = stack
        self._plan = plan
        self._faults: dict[int, int] = {}
        self._is_over = threading.Event()
        self._counts: Counter[str] = Counter()
        self._hits: Counter[str] = Counter()
        self._complaints: list[str] = []
        channels = self._make_channels()
        self._leaders = Leaders(stack, channels, self._is_over)
        self._reader = Reader(stack, channels, self._leaders)

    def _make_channels(self) -> list[str]:
        discord = self._stack.discord
        discord.lift_limits()
        discord.settings(nonce_window=DISCORDS_NONCE_SECONDS)
        channels = self._stack.text_channels()
        guild = discord.state()["guilds"][0]["id"]
        while len(channels) < CHANNELS:
            channels.append(discord.add_channel(guild, f"폭풍-{len(channels)}")["id"])
        return channels[:CHANNELS]

    def run(self) -> StormResult:
        self._stack.start(*self._plan.lives)
        self._rage()
        self._clear()
        self._settle()
        notices = self._reader.notices()
        for process in self._plan.lives:
            self._stack.stop(process)
        after = self._aftermath(notices)
        (self._stack.folder / "aftermath.json").write_text(after.as_json(), encoding="utf-8")
        complaints = [*self._complaints, *self._leaders.complaints, *self._reader.complaints]
        complaints += self._logged()
        return StormResult(complaints + differences(after), self._summary(after))

    # --- the storm itself ------------------------------------------------------------------

    def _rage(self) -> None:
        """Until the last script is played; whoever lives then lives on."""
        begin = time.monotonic()
        plan = self._plan
        with ThreadPoolExecutor(len(plan.scripts) + len(plan.lives) + 1) as threads:
            besides = [threads.submit(self._live, *life) for life in plan.lives.items()]
            besides.append(threads.submit(self._reader.read_along, self._is_over))
            playing = [threads.submit(self._play, script, begin) for script in plan.scripts]
            try:
                for played in playing:
                    played.result()
            finally:
                self._is_over.set()
            for done in besides:
                done.result()

    def _play(self, script: list[Step], begin: float) -> None:
        end = begin + self._plan.seconds * LONGEST_DRAG
        for step in script:
            if self._is_over.wait(max(0.0, begin + step.at - time.monotonic())):
                return  # another script has failed
            if time.monotonic() > end:
                self._counts["left out"] += 1
                continue
            self._counts[type(step).__name__] += 1
            self._do(step)

    def _do(self, step: Step) -> None:
        match step:
            case Fault():
                self._faults[step.number] = self._stack.discord.fault(**step.order)
            case EndFault():
                self._end_fault(step.number)
            case Gateway():
                self._stack.discord.gateway(**step.order)
            case _:
                self._leaders.do(step)

    def _end_fault(self, number: int) -> None:
        fault_id = self._faults.pop(number)
        (fault,) = [fault for fault in self._stack.discord.faults() if fault["id"] == fault_id]
        self._hits[str(fault.get("status", fault["kind"]))] += fault["hits"]
        self._stack.discord.clear_faults(fault_id)

    def _live(self, process: str, lives: list[Life]) -> None:
        times_up = 0
        for life in lives:
            while not self._is_born(process, life, times_up):
                if self._is_over.wait(0.05):
                    return
            if self._is_over.wait(life.seconds):
                return
            times_up = self._times_up(process)
            self._kill(process, life)
            if self._is_over.wait(life.seconds_dead):
                return
            self._revive(process)

    def _is_born(self, process: str, life: Life, times_up: int) -> bool:
        is_silent = process == "qcluster"
        return is_silent or life.from_its_start or self._times_up(process) > times_up

    def _times_up(self, process: str) -> int:
        return len(UP.findall(self._stack.log(process)))

    def _kill(self, process: str, life: Life) -> None:
        self._counts["kills"] += 1
        if not self._stack.is_running(process):
            # qcluster's main process ends, and says so, where its sentinel was killed.
            if process != "qcluster":
                self._complaints.append(f"{process} had ended by itself")
        elif life.victim is not None:
            self._stack.kill_child(process, life.victim)
        else:
            if process == "web":
                self._stack.kill_child(process, 0)  # else it would end what it is at
            self._stack.kill(process)

    def _revive(self, process: str) -> None:
        if not self._stack.is_running(process):
            self._stack.start(process)

    # --- afterwards ------------------------------------------------------------------------

    def _clear(self) -> None:
        discord = self._stack.discord
        discord.clear_faults()
        for action in ("accept", "unmute_echo", "unsilence"):
            discord.gateway(action)
        for process in self._plan.lives:
            self._revive(process)

    def _settle(self) -> None:
        begin = time.monotonic()
        try:
            wait_for(self._is_settled, "every notice is settled", SETTLE_SECONDS)
        except AssertionError as error:
            # A difference too; the others are still looked for.
            self._complaints.append(str(error))
        self._counts["seconds to settle"] = round(time.monotonic() - begin)

    def _is_settled(self) -> bool:
        """As leaders do, send again what has failed meanwhile."""
        notices = self._reader.notices()
        failed = [notice for notice in notices if _can_be_sent_again(notice)]
        for notice in failed:
            path = f"/api/v1/notices/{notice['id']}/send-again/"
            status, _body = self._stack.ask("POST", path, {}, key=self._leaders.key)
            self._counts["sent again at the end"] += status == 200
        return not failed and all(notice["status"] in SETTLED for notice in notices)

    def _aftermath(self, notices: list[Json]) -> Aftermath:
        rows = json.loads(self._stack.manage("dumpdata", "notices.delivery", "notices.attempt"))
        deliveries = [row for row in rows if row["model"] == "notices.delivery"]
        return Aftermath(
            books=self._leaders.books,
            notices=notices,
            shown=self._reader.shown(),
            chronicle=self._stack.discord.chronicle(),
            deliveries={row["pk"]: row["fields"] for row in deliveries},
            attempts=[row["fields"] for row in rows if row["model"] == "notices.attempt"],
        )

    def _logged(self) -> list[str]:
        return [
            f"{log.name}: {line}"
            for log in logs(self._stack.folder)
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
            if any(words in line for words in NEVER_LOGGED)
        ]

    def _summary(self, after: Aftermath) -> str:
        made = sum(event["event"] == "MESSAGE_CREATE" for event in after.chronicle)
        ended = Counter(f"{one['action']} {one['outcome']}" for one in after.attempts)
        counts = self._counts + self._leaders.counts + self._reader.counts
        return (
            f"{len(after.notices)} notices, {made} messages; {_told(counts)};\n"
            f"attempts: {_told(ended)};\nfaults struck: {_told(self._hits)}"
        )


def logs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.log"))


def _can_be_sent_again(notice: Json) -> bool:
    return any(
        delivery["state"] == "failed" and delivery["error"]["code"] != EXPIRED
        for delivery in notice["deliveries"]
    )


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count)
