"""Runs storms: `make simulate ARGS="--seeds 20000"`; see docs/decisions/0031."""

import argparse
import gc
import logging
import os
import sys
import time
from datetime import UTC, datetime
from multiprocessing import get_context

import django

# Python forgets what a storm has left behind only now and then, which is faster.
FORGETS_EVERY = 25


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many storms (1,000)")
    parser.add_argument(
        "--begin", type=int, default=_of_today(), help="the first seed; by default the day's date"
    )
    parser.add_argument("--seed", type=int, help="only this one, with its story")
    parser.add_argument("--full", action="store_true", help="ten minutes and 20 channels each")
    parser.add_argument("--whole", action="store_true", help="tell the story without shrinking it")
    options = parser.parse_args()
    _set_up()
    if options.seed is not None:
        return _tell(options.seed, full=options.full, whole=options.whole)
    return _run(options.begin, options.seeds, full=options.full)


def _of_today() -> int:
    return int(f"{datetime.now(UTC):%Y%m%d}") * 100_000


def _set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    django.setup()
    logging.disable(logging.CRITICAL)


def _run(begin: int, count: int, *, full: bool) -> int:
    from tests.simulation.database import database

    with database():
        pass  # the tables are made once, before the processes part
    gc.freeze()
    broken: list[int] = []
    begun = time.monotonic()
    with get_context("fork").Pool() as pool:
        work = ((seed, full) for seed in range(begin, begin + count))
        for done, (seed, told) in enumerate(pool.imap_unordered(_storm, work, chunksize=5), 1):
            if told:
                broken.append(seed)
                print(told, flush=True)
            if done % 100 == 0:
                print(f"{done} storms, {time.monotonic() - begun:.0f} s", flush=True)
    for seed in broken[:3]:
        _tell(seed, full=full, whole=False)
    print(f"{count} storms from seed {begin} on: {len(broken)} broke a promise")
    return 1 if broken else 0


def _storm(work: tuple[int, bool]) -> tuple[int, str]:
    from tests.simulation.storm import DENSE, FULL, Storm

    seed, full = work
    gc.disable()
    if seed % FORGETS_EVERY == 0:
        gc.collect()
    try:
        Storm(seed, FULL if full else DENSE).run()
    except Exception as error:
        return seed, str(error) or repr(error)
    return seed, ""


def _tell(seed: int, *, full: bool, whole: bool) -> int:
    from tests.simulation.shrinking import failure, shrunk
    from tests.simulation.storm import DENSE, FULL, Storm

    size = FULL if full else DENSE
    storm = Storm(seed, size)
    told = failure(storm)
    if told and not whole:
        storm = shrunk(seed, size)
    print("\n".join(storm.world.story))
    print(f"seed {seed}: {storm.world.error or 'every promise was kept'}")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
