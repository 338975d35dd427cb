"""The settings the tests run with: the project's own, over a database of the tests' own."""

import os

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("BOT_TOKEN", "")
# The login by Discord is offered; nobody answers there, but where a test starts a Discord.
os.environ["DISCORD_CLIENT_ID"] = "1129780411883352070"
os.environ["DISCORD_CLIENT_SECRET"] = "an-applications-secret"
os.environ["DISCORD_OAUTH_URL"] = "http://127.0.0.1:9"

from studybot.settings import *  # noqa: F403
from studybot.settings import DATABASES, Q_CLUSTER, SQLITE, VAR_DIR

if SQLITE:
    # A file, since the bot's database thread opens a connection of its own.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / f"test-{os.getpid()}.sqlite3")}

# Redis is shared by all who test side by side, and what waits in a queue is counted.
Q_CLUSTER["name"] = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# WhiteNoise would look at every static file for each browser that a test makes, or warn that none
# is collected.
WHITENOISE_AUTOREFRESH = True
