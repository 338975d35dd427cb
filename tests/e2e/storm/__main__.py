"""`make soak`: storms one after the other, each with a seed of its own, until time is up."""

import argparse
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.e2e.stack import Stack
from tests.e2e.storm.driver import ENVIRONMENT, Storm, StormResult, logs
from tests.e2e.storm.plan import make_plan
from tests.fakediscord_driver import FakeDiscordProcess

LOG_TAIL = 3000
SOAK_MINUTES = 5.0


def storm(seed: int, *, seconds: float, notices: int, folder: Path) -> bool:
    """Run one in an empty folder and say what came of it; whether all is as it was wanted."""
    options = f"--seed {seed} --seconds {seconds:g} --notices {notices}"
    print(f"storm: {options}", flush=True)
    outcome = _outcome(seed, seconds, notices, folder)
    print(outcome.summary, flush=True)
    if not outcome.differences:
        return True
    for difference, times in Counter(outcome.differences).items():
        print(f"  {difference}" + (f" (seen {times} times)" if times > 1 else ""))
    for log in logs(folder):
        tail = log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]
        print(f"--- the end of {log.name}:\n{tail}")
    print(f"storm {seed}: {len(outcome.differences)} differences. All that is known: {folder}")
    print(f'Replay it: make soak ARGS="{options}"', flush=True)
    return False


def _outcome(seed: int, seconds: float, notices: int, folder: Path) -> StormResult:
    with FakeDiscordProcess() as discord:
        stack = Stack(folder, discord, **ENVIRONMENT)
        try:
            plan = make_plan(
                seed, seconds=seconds, notices=notices, has_standby=stack.is_on_postgres
            )
            return Storm(stack, plan).run()
        except Exception:
            return StormResult([traceback.format_exc()], "the storm came to no end")
        finally:
            stack.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first storm's; each further one has 1 more")
    parser.add_argument(
        "--minutes", type=float, help=f"{SOAK_MINUTES:g}, or with a --seed that one storm"
    )
    parser.add_argument("--seconds", type=float, default=120, help="how long each one rages")
    parser.add_argument("--notices", type=int, default=600, help="how many are posted in each")
    options = parser.parse_args()
    minutes = options.minutes or (SOAK_MINUTES if options.seed is None else 0)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    until = time.monotonic() + minutes * 60
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"storm-{seed}-"))
        if not storm(seed, seconds=options.seconds, notices=options.notices, folder=folder):
            return 1
        shutil.rmtree(folder)
        seed += 1
        if time.monotonic() > until:
            return 0


if __name__ == "__main__":
    sys.exit(main())
