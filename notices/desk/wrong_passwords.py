"""What somebody is told who has tried too many passwords."""

from django.conf import settings
from django.utils.translation import gettext


def locked_out_words() -> str:
    return gettext(
        "Too many wrong passwords for this name. Try again in %(minutes)s minutes, or ask a site "
        "admin for a new password."
    ) % {"minutes": int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)}
