"""studybot's database, tables and web server, and nothing else of it: nobody is asked who he is,
nothing is counted, there is no middleware."""

from studybot.settings import *  # noqa: F403

INSTALLED_APPS = [
    "notices",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework_api_key",
    "django_q",
    "benchmarks.bare",
]
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
