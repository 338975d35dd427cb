"""The manifest by which a phone installs the desk as an app."""

from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

COLOUR = "#5865f2"
_PICTURES = (
    ("icon-192", 192, "any"),
    ("icon-512", 512, "any"),
    ("icon-whole-512", 512, "maskable"),
)


@require_GET
def manifest(_request: HttpRequest) -> JsonResponse:
    """Return the manifest, which browsers request without the session's cookie."""
    name = _("Study notices")
    told: dict[str, object] = {
        "id": reverse("admin:index"),
        "name": name,
        "short_name": name,
        "lang": get_language(),
        "start_url": reverse("admin:index"),
        "scope": reverse("admin:index"),
        "display": "standalone",
        "theme_color": COLOUR,
        "background_color": COLOUR,
        "icons": [
            {
                "src": static(f"notices/{picture}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for picture, size, purpose in _PICTURES
        ],
    }
    return JsonResponse(told, content_type="application/manifest+json")
