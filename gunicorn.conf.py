"""Runs the web as one process with a few threads, which is enough for a small machine."""

import os
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from studybot.starting import CANNOT_BOOT, in_one_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studybot.settings")
with in_one_sentence(CANNOT_BOOT):
    workers = settings.WEB_CONCURRENCY

_host = f"[{settings.BOT_API_HOST}]" if ":" in settings.BOT_API_HOST else settings.BOT_API_HOST
bind = f"{_host}:{settings.BOT_API_PORT}"
worker_class = "gthread"
# Each open stream of events holds a thread, so those come on top of the four.
threads = 4 + settings.EVENT_STREAMS
graceful_timeout = 5
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    # These are imported here because the apps are not ready before.
    from notices.people import first_admin
    from studybot.static_files import warn_of_uncollected

    warn_of_uncollected()
    # The web starts all the same without its database, and says so at /readyz.
    if worker.age == 1:
        with suppress(DatabaseError):
            first_admin.say()
