"""The settings the tests run with: the project's own, over a database of the tests' own."""

import os

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("BOT_TOKEN", "")

from studybot.settings import *  # noqa: F403
from studybot.settings import DATABASES, SQLITE, VAR_DIR

if SQLITE:
    # A file, since the bot's database thread opens a connection of its own.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / f"test-{os.getpid()}.sqlite3")}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
