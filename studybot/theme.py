"""Configures the desk's theme, django-unfold: names, icons, scripts, colours."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Study notices"),
    "SITE_HEADER": _("Study notices"),
    "SITE_SYMBOL": "campaign",
    # The desk's front page leads back to the desk, and not to a site of its own.
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "sizes": "any",
            "href": lambda request: static("notices/icon.svg"),
        },
        {"rel": "apple-touch-icon", "href": lambda request: static("notices/icon-whole-180.png")},
        {"rel": "manifest", "href": reverse_lazy("admin:manifest")},
    ],
    "STYLES": [lambda request: static("notices/desk.css")],
    "SCRIPTS": [
        lambda request: static("notices/icons.js"),
        lambda request: static("notices/once.js"),
        lambda request: static("notices/errors.js"),
        lambda request: static("notices/zones.js"),
    ],
    "SIDEBAR": {"navigation": "notices.desk.navigation.menu"},
    "LOGIN": {"form": "notices.desk.site.DeskLoginForm"},
    "COLORS": {
        "primary": {
            "50": "#eef0ff",
            "100": "#e0e3ff",
            "200": "#c6cbfd",
            "300": "#a3aafa",
            "400": "#7f87f5",
            "500": "#5865f2",
            "600": "#4752c4",
            "700": "#3c45a5",
            "800": "#323a87",
            "900": "#2b3270",
            "950": "#1a1e45",
        },
    },
}
