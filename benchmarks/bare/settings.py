"""Takes studybot's database, tables and web server alone.

There are no logins, no counting and no middleware.
"""

from studybot.settings import *  # noqa: F403

INSTALLED_APPS = [
    "notices",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "axes",
    "rest_framework",
    "rest_framework_api_key",
    "django_q",
    "benchmarks.bare",
]
AXES_LOCKOUT_CALLABLE = None  # type: ignore[assignment]  # a page of the desk
SILENCED_SYSTEM_CHECKS = ["axes.W002"]  # nobody logs in
MIDDLEWARE = []
TEMPLATES = []
ROOT_URLCONF = "benchmarks.bare.urls"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
