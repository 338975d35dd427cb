"""The web process for ASGI servers."""

import os

from django.core.asgi import get_asgi_application

from studybot.starting import CANNOT_BOOT, in_one_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studybot.settings")
with in_one_sentence(CANNOT_BOOT):
    application = get_asgi_application()
