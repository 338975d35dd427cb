"""Takes passwords, keys, tokens and cookies out of error pages and reports.

Django cleanses settings by name but looks into no address. With DEBUG it cleanses no variables,
cookies or posted values.
"""

import os
import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any
from urllib.parse import quote, unquote

from django.conf import settings
from django.http import HttpRequest
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

_STARS = SafeExceptionReporterFilter.cleansed_substitute
# user:password@ of any address inside a value.
_USERINFO = re.compile(r"(?<=://)[^\s/?#'\"@]*:[^\s'\"]*@")
# Hiding shorter secrets would turn ordinary words into stars.
_LEAST_LETTERS = 6


class Filter(SafeExceptionReporterFilter):
    hidden_settings = re.compile(
        r"API_?KEY|AUTH|TOKEN|SECRET|PASS|SIGNATURE|COOKIE|CREDENTIAL|SESSION|_KEY|KEY$|"
        r"URL$|DSN|DATABASES|CACHES|CLUSTER|BROKER|REDIS",
        re.IGNORECASE,
    )
    # These addresses hold no password, and say much about an error.
    shown_settings = frozenset(
        {"STATIC_URL", "MEDIA_URL", "LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL",
         "DISCORD_API_URL", "DISCORD_APP_URL", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME"}
    )  # fmt: skip

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        return value if key in self.shown_settings else super().cleanse_setting(key, value)

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, str]:
        return dict.fromkeys(getattr(request, "COOKIES", {}), _STARS)

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        posted = super().get_post_parameters(request)
        return {name: self.cleanse_setting(name, value) for name, value in posted.items()}

    def get_cleansed_multivaluedict(self, request: HttpRequest, multivaluedict: Any) -> Any:
        copied = multivaluedict.copy()
        for name in copied:
            if self.hidden_settings.search(name):
                copied[name] = _STARS
        return copied

    def get_traceback_frame_variables(
        self, request: HttpRequest, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        found = super().get_traceback_frame_variables(request, tb_frame)
        return {name: self.cleanse_setting(name, value) for name, value in found}.items()


class Reporter(ExceptionReporter):
    """Cleanses the finished report too, because any variable's text may hold a secret."""

    def get_traceback_html(self) -> SafeString:
        return without_secrets(super().get_traceback_html())

    def get_traceback_text(self) -> SafeString:
        return without_secrets(super().get_traceback_text())


def without_secrets(report: str) -> SafeString:
    for secret in sorted(_secrets(), key=len, reverse=True):
        report = report.replace(secret, _STARS)
    return mark_safe(_USERINFO.sub(f"{_STARS}@", report))  # noqa: S308 - as safe as it was


def _secrets() -> set[str]:
    """Return this installation's secrets: as they are, in an address and in HTML."""
    found = {str(settings.SECRET_KEY), str(settings.BOT_TOKEN)}
    found |= {str(database.get("PASSWORD") or "") for database in settings.DATABASES.values()}
    for name in ("DATABASE_URL", "REDIS_URL"):
        userinfo = os.environ.get(name, "").partition("://")[2].rpartition("@")[0]
        password = userinfo.partition(":")[2]
        found |= {password, unquote(password)}
    found |= {quote(secret, safe="") for secret in found}
    found |= {str(escape(secret)) for secret in found}
    return {secret for secret in found if len(secret) >= _LEAST_LETTERS}
