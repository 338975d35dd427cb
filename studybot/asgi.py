"""Refuses ASGI servers, which read bodies of any length and hold streams back."""

from django.core.exceptions import ImproperlyConfigured

from studybot.starting import CANNOT_BOOT, in_one_sentence

with in_one_sentence(CANNOT_BOOT):
    raise ImproperlyConfigured(
        "under ASGI no body has a bound and no stream of events flows; start it by "
        "gunicorn studybot.wsgi."
    )
