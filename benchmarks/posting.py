"""The load, as a process of its own: notices posted over several kept connections at once."""

import queue
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks import jobs
from benchmarks.frontend import Frontend

Notices = queue.SimpleQueue[tuple[str, str]]


def post_all(port: int, key: str, study: int, notices: Notices) -> list[tuple[float, float]]:
    """Over one connection, as long as there are any; begun and answered of each."""
    frontend = Frontend(port, key)
    times: list[tuple[float, float]] = []
    while True:
        try:
            channel, title = notices.get_nowait()
        except queue.Empty:
            return times
        begun = time.time()
        frontend.post_notice(study, channel, title)
        times.append((begun, time.time()))


def main() -> None:
    job = jobs.job()
    notices = Notices()
    for channel, title in job["notices"]:
        notices.put((channel, title))
    with ThreadPoolExecutor(job["connections"]) as pool:
        posting = [
            pool.submit(post_all, job["port"], job["key"], job["study"], notices)
            for _connection in range(job["connections"])
        ]
    jobs.answer(sorted(times for one in posting for times in one.result()))


if __name__ == "__main__":
    main()
