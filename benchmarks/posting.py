"""Posts notices over several kept connections at once, as a process of its own."""

import http.client
import queue
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks import jobs
from benchmarks.frontend import Frontend

Notices = queue.SimpleQueue[tuple[str, str]]
Posted = tuple[float, float, str]


def post_all(port: int, key: str, study: int, notices: Notices) -> list[Posted]:
    """Post over one connection until none are left; return each begin, end and error."""
    frontend = Frontend(port, key)
    posted: list[Posted] = []
    while True:
        try:
            channel, title = notices.get_nowait()
        except queue.Empty:
            return posted
        begun, error = time.time(), ""
        try:
            frontend.post_notice(study, channel, title)
        except (RuntimeError, OSError, http.client.HTTPException) as refused:
            frontend, error = Frontend(port, key), str(refused)
        posted.append((begun, time.time(), error))


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
    posted = sorted(one for some in posting for one in some.result())
    jobs.answer(
        {
            "times": [(begun, ended) for begun, ended, error in posted if not error],
            "errors": [error for _begun, _ended, error in posted if error],
        }
    )


if __name__ == "__main__":
    main()
