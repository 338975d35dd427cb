"""The settings the tests run with: the project's own, over a database of the tests' own."""

import os

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("BOT_TOKEN", "")

from studybot.settings import *  # noqa: F403
from studybot.settings import DATABASES, Q_CLUSTER, SQLITE, VAR_DIR

if SQLITE:
    # A file, since the bot's database thread opens a connection of its own.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / f"test-{os.getpid()}.sqlite3")}

# Redis is shared by all who test side by side, and what waits in a queue is counted.
Q_CLUSTER["name"] = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"

# The login by Discord is offered. Nobody answers there, but where a test starts a Discord; of the
# processes that tests start, only those offer it that are told to.
DISCORD_CLIENT_ID, DISCORD_CLIENT_SECRET = "1129780411883352070", "an-applications-secret"
DISCORD_OAUTH_URL = "http://127.0.0.1:9"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# WhiteNoise would look at every static file for each browser that a test makes, or warn that none
# is collected.
WHITENOISE_AUTOREFRESH = True
