"""Configures studybot from the environment.

docs/operations.md explains every variable; the safe value is the default.
"""

import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from studybot import addresses, environment, logs, loopback, near_names, prefix, private_files
from studybot.theme import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
private_files.own(VAR_DIR)
environment.load_dotenv(BASE_DIR / ".env")

DEBUG = environment.flag("DEBUG")
SECRET_KEY = environment.secret_key("SECRET_KEY", VAR_DIR)
# Unset means this machine alone.
ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS") or loopback.HOSTS
CSRF_TRUSTED_ORIGINS = [
    f"https://{'*' if host.startswith('.') else ''}{host}" for host in ALLOWED_HOSTS
]
# Where people reach the web: links begin with it that are made where no browser asks.
PUBLIC_URL = environment.origin("PUBLIC_URL")
# Who answers for what is kept, on the page that says it.
OPERATOR_NAME = environment.text("OPERATOR_NAME")
TIME_ZONE = environment.time_zone("TIME_ZONE", "Asia/Seoul")
LOG_LEVEL = environment.choice(
    "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
)

# --- the bot -------------------------------------------------------------------------------
BOT_TOKEN = environment.token("BOT_TOKEN")
BOT_API_HOST = environment.host("BOT_API_HOST", "127.0.0.1")
BOT_API_PORT = environment.whole("BOT_API_PORT", 8000, least=1, most=65535)
DISCORD_API_URL = addresses.site("DISCORD_API_URL", "https://discord.com/api/v10")
# Links to messages lead people there.
DISCORD_APP_URL = addresses.site("DISCORD_APP_URL", "https://discord.com")
# Whoever leads a study may log in by her Discord account, if both are set.
DISCORD_CLIENT_ID = environment.application("DISCORD_CLIENT_ID")
DISCORD_CLIENT_SECRET = environment.secret("DISCORD_CLIENT_SECRET")
environment.refuse_one_without_the_other("DISCORD_CLIENT_ID", "DISCORD_CLIENT_SECRET")
DISCORD_OAUTH_URL = addresses.site("DISCORD_OAUTH_URL", "https://discord.com")
MAX_SEND_RETRIES = environment.whole("MAX_SEND_RETRIES", 5, least=0, most=100)
NONCE_WINDOW = environment.number("NONCE_WINDOW", 60, least=1, most=120)
SEND_RATE = environment.number("SEND_RATE", 48, least=1, most=100_000)
REQUEST_TIMEOUT = environment.number("REQUEST_TIMEOUT", 15, least=0.1, most=300)
# With so many people a leader confirms a ping first.
LARGE_PING = environment.whole("LARGE_PING", 50, least=1, most=100_000)
# In MiB, for each file that a leader attaches. Discord takes 20, more on a boosted server, and
# never more than 25 with a whole message.
UPLOAD_LIMIT_MB = environment.whole("UPLOAD_LIMIT_MB", 10, least=1, most=24)
# The number of web processes that gunicorn starts.
WEB_CONCURRENCY = environment.whole("WEB_CONCURRENCY", 1, least=1, most=256)
# The most that one key or account, and one study, may keep here.
UPLOADS_WAITING = environment.whole("UPLOADS_WAITING", 50, least=1, most=100_000)
UPLOADS_MB_PER_DAY = environment.whole("UPLOADS_MB_PER_DAY", 100, least=1, most=1_000_000)
UPLOADS_MB_PER_STUDY = environment.whole("UPLOADS_MB_PER_STUDY", 2000, least=1, most=10_000_000)
NOTICES_WAITING = environment.whole("NOTICES_WAITING", 1000, least=1, most=1_000_000)
NOTICES_QUEUED = environment.whole("NOTICES_QUEUED", 100_000, least=1, most=10_000_000)
KEPT_ANSWERS = environment.whole("KEPT_ANSWERS", 10_000, least=1, most=1_000_000)
KEPT_ANSWERS_MB = environment.whole("KEPT_ANSWERS_MB", 50, least=1, most=100_000)
CALLBACKS_PER_KEY = environment.whole("CALLBACKS_PER_KEY", 10, least=0, most=1000)
# The days for which the history is kept; 0 is for ever.
KEEP_ATTEMPTS_DAYS = environment.whole("KEEP_ATTEMPTS_DAYS", 90, least=0, most=36_500)
KEEP_DELIVERIES_DAYS = environment.whole("KEEP_DELIVERIES_DAYS", 365, least=0, most=36_500)

# --- storage -------------------------------------------------------------------------------
# Whether there is a PgBouncer in front, and what it pools.
DATABASE_POOLER = environment.choice("DATABASE_POOLER", "NONE", ("NONE", "SESSION", "TRANSACTION"))
_database = addresses.database("DATABASE_URL", VAR_DIR / "studybot.sqlite3", BASE_DIR)
# None keeps a connection for the life of its thread or process: opening one costs more than a
# notice.
_database["CONN_MAX_AGE"] = None
_database["CONN_HEALTH_CHECKS"] = True
SQLITE = _database["ENGINE"].endswith("sqlite3")
if SQLITE:
    private_files.refuse_unwritable(
        Path(_database["NAME"]).parent,
        "the database is a file there",
        "Give this user the right to (chown), or set DATABASE_URL.",
    )
    # Without IMMEDIATE, web, queue and bot would get "database is locked" from each other.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
else:
    # These notice a dead network within seconds, and free the rows of a process that hangs or is
    # cut off. DATABASE_URL may set others.
    _options = _database.get("OPTIONS", {})
    _database["OPTIONS"] = {
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        # The same few statements run all day, so PostgreSQL plans them once. With pooled
        # transactions the next may meet a session without the plan.
        "server_side_binding": True,
        "prepare_threshold": None if DATABASE_POOLER == "TRANSACTION" else 3,
        **_options,
    }
    _database["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLER == "TRANSACTION"
    if DATABASE_POOLER == "NONE":  # a pooler refuses options that a session begins with
        _database["OPTIONS"]["options"] = (
            "-c idle_in_transaction_session_timeout=10s -c tcp_user_timeout=10s "
            "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 "
            # If both set the same option, the later wins.
            f"{_options.get('options', '')}"
        ).strip()
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = addresses.redis("REDIS_URL")
# A Redis that hangs must not hold up the web for long. Limits in REDIS_URL come first and win. The
# queue's own read waits a second for a task.
_redis_limits = "socket_connect_timeout=1&socket_timeout=3"
_redis_url = f"{REDIS_URL}{'&' if '?' in REDIS_URL else '?'}{_redis_limits}"

Q_CLUSTER: dict[str, Any] = {
    "name": environment.text("Q_CLUSTER_NAME", "studybot"),
    "workers": environment.whole("Q_WORKERS", 1, least=1, most=64),
    "timeout": 60,
    "queue_limit": 4,
    "bulk": 1,
    "retry": 60 * (4 + 2) + 60,
    "max_attempts": 5,
    # A new worker costs half a second without work, and our tasks leave nothing behind.
    "recycle": 10_000,
    "save_limit": -1,
    "catch_up": False,
    "label": "django-q2",
    # Each poll costs. On SQLite the bot hears of a notice before any poll would find it.
    **({"redis": _redis_url} if REDIS_URL else {"orm": "default", "poll": 0.2 if SQLITE else 0.05}),
}

# Redis counts each caller's requests; without it every web process counts alone, and so it does if
# Redis does not answer at once.
_counter_limits = "socket_connect_timeout=0.3&socket_timeout=0.3"
COUNTER_URL = f"{REDIS_URL}{'&' if '?' in REDIS_URL else '?'}{_counter_limits}" if REDIS_URL else ""
CACHES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

# --- the web -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "notices",
    # Unfold's default would replace the desk by a site of its own.
    "unfold.apps.BasicAppConfig",
    "studybot.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "studybot.static_files.StaticFiles",
    "rest_framework",
    "rest_framework_api_key",
    "corsheaders",
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "axes",
    # Without "allauth" itself, which has its pages: none of them is served here.
    "allauth.account",
    "allauth.socialaccount",
]
MIDDLEWARE = [
    "notices.security.security_log.SecurityLogMiddleware",
    "notices.web.incoming.Incoming",
    "django.middleware.security.SecurityMiddleware",
    "studybot.prefix.RefusePathPrefix",
    "notices.monitoring.probes.Probes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "studybot.compression.DeskGZipMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "notices.web.content_policy.PagePolicyMiddleware",
    "notices.web.bodies.BoundedBodies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "notices.security.login_life.LoginLife",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "notices.security.hashing.TooManyPasswordsMiddleware",
    "axes.middleware.AxesMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "studybot.urls"
WSGI_APPLICATION = "studybot.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "notices.security.passwords.NameInPasswordValidator"}]

PASSWORD_HASHERS = ["notices.security.hashing.BoundedHasher"]
# Wrong passwords are counted by name and address together. By address alone, one guesser would lock
# out all who share it; by name alone, anybody could lock out a leader.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "notices.security.client_address.counted_address"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# Tries during a lock-out are not written: they would cost, and prolong it without end.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "notices.desk.site.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Of allauth there is the exchange with Discord alone. It makes no account, and asks for no mail.
ACCOUNT_ADAPTER = "notices.desk.discord_login.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "notices.desk.discord_login.SocialAccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*"]
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
# A thread of the web waits for the answer.
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5

LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", "한국어"), ("en", "English")]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["notices.formats"]

# This is for whoever logs in at the login page's own address.
LOGIN_REDIRECT_URL = "admin:index"

STATIC_URL = "static/"
STATIC_ROOT = environment.folder("STATIC_ROOT", VAR_DIR / "static")
with suppress(OSError):
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# No form of ours has a file in it, but the one that BoundedBodies knows. Django would write one to
# the disk before it knows who sent it.
FILE_UPLOAD_HANDLERS = ["notices.web.bodies.NoFiles"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# A form has a box for each channel of a study. A server may have 500 and 1,000 open threads, and a
# study may be on several.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4_000
# Django ignores the umask for collected files.
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
# Serves files from their sources: in development, in tests, and if they are not collected.
WHITENOISE_USE_FINDERS = True
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "studybot.static_files.CollectedStorage"
    },
}

# Only a proxy that sets this header itself makes it safe, since anybody else could forge it.
BEHIND_TLS_PROXY = environment.flag("BEHIND_TLS_PROXY")
# Some browsers keep no Secure cookie over plain HTTP, even on this machine.
_is_for_this_machine = not BEHIND_TLS_PROXY and all(
    loopback.is_loopback(host) for host in (BOT_API_HOST, *ALLOWED_HOSTS)
)
SESSION_COOKIE_SECURE = not _is_for_this_machine
CSRF_COOKIE_SECURE = not _is_for_this_machine
LANGUAGE_COOKIE_SECURE = not _is_for_this_machine
# The CSRF cookie is not HttpOnly, because a frontend's page on the same site reads it.
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
# The first counts from the login, the second from the last request.
SESSION_HOURS = environment.number("SESSION_HOURS", 168, least=0.1, most=8760)
SESSION_IDLE_HOURS = environment.number("SESSION_IDLE_HOURS", 24, least=0.1, most=8760)
SESSION_COOKIE_AGE = int(SESSION_HOURS * 3600)
# Cookies must not hold a key that is shown once.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_SSL_REDIRECT = BEHIND_TLS_PROXY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
# Machines beside the web process ask these without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 60 * 60 * 24 * 365
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_HSTS_PRELOAD = not DEBUG
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "notices.desk.csrf.refused"
# A browser runs only our script files, and no script inside what somebody wrote.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Unfold's Alpine makes functions of its attributes. Its build that does not cannot read
        # them all.
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        # A notice's picture may be anywhere.
        "img-src": [SELF, "data:", "http:", "https:"],
        "form-action": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
DEFAULT_EXCEPTION_REPORTER_FILTER = "studybot.error_reports.Filter"
DEFAULT_EXCEPTION_REPORTER = "studybot.error_reports.Reporter"

# --- mail ----------------------------------------------------------------------------------
# It brings links to choose a new password; without it, site admins make them.
_mail = addresses.mail("EMAIL_URL")
if SENDS_MAIL := bool(_mail):
    locals().update(_mail)
    DEFAULT_FROM_EMAIL = environment.sender("EMAIL_FROM", _mail["EMAIL_HOST_USER"])
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60

# --- the API -------------------------------------------------------------------------------
# It stops a runaway frontend: a small machine cannot answer so many for long.
API_RATE = environment.rate("API_RATE", "30000/minute")
# Open streams in one web process (each holds a thread), and for how long.
EVENT_STREAMS = environment.whole("EVENT_STREAMS", 4, least=0, most=200)
EVENT_STREAMS_PER_CALLER = environment.whole(
    "EVENT_STREAMS_PER_CALLER", max(EVENT_STREAMS // 2, 1), least=1, most=200
)
EVENT_STREAM_SECONDS = environment.number("EVENT_STREAM_SECONDS", 300, least=0, most=3600)
# Whether callbacks may go to addresses inside this machine's network.
CALLBACK_ALLOW_PRIVATE = environment.flag("CALLBACK_ALLOW_PRIVATE")
API_KEY_CUSTOM_HEADER = "HTTP_X_API_KEY"
REST_FRAMEWORK: dict[str, Any] = {
    # The first names the header that a 401 asks for.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "notices.api.authentication.ApiKeyAuthentication",
        "notices.api.authentication.LoginAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["notices.api.authentication.MayAsk"],
    "DEFAULT_THROTTLE_CLASSES": ["notices.api.rate.CallerRate"],
    "DEFAULT_PARSER_CLASSES": ["notices.api.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "notices.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "notices.api.errors.explain",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "studybot",
    "DESCRIPTION": "Study leaders' notices, shown once in each Discord channel.",
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "SERVERS": [{"url": "/", "description": "The site that serves this description."}],
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "NoticeStatus": "notices.models.Notice.Status",
        "Ping": "notices.models.Notice.Ping",
        "DeliveryState": "notices.models.Delivery.State",
        "ChannelType": "notices.models.Channel.Type",
        "AttemptAction": "notices.models.Attempt.Action",
        "AttemptOutcome": "notices.models.Attempt.Outcome",
        "Language": "notices.models.Study.Language",
        "CallbackEvent": "notices.models.CallbackMessage.Type",
        "InvitationState": "notices.models.Invitation.State",
        "StudyRole": "notices.models.StudyRole.Role",
    },
    # Swagger's files are served by us, not by another site.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
# Pages of other sites may ask with a key, but never with somebody's login.
CORS_ALLOWED_ORIGINS = environment.origins("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/(api/|notice)"
CORS_ALLOW_HEADERS = (
    "accept", "accept-language", "content-type", "idempotency-key", "if-match", "if-none-match",
    "last-event-id", "x-api-key",
)  # fmt: skip
CORS_EXPOSE_HEADERS = (
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
)

LOGGING = logs.logging_at(LOG_LEVEL)

if DEBUG:
    loopback.refuse_debug_for_others(
        listens_at=BOT_API_HOST,
        hosts=ALLOWED_HOSTS,
        behind_proxy=BEHIND_TLS_PROXY,
        discord=DISCORD_API_URL if BOT_TOKEN else None,
    )
prefix.refuse_at_start()
near_names.warn(os.environ, environment.known)
