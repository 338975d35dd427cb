"""Starts the web process for WSGI servers."""

import os

from django.core.wsgi import get_wsgi_application

from studybot.starting import CANNOT_BOOT, in_one_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studybot.settings")
with in_one_sentence(CANNOT_BOOT):
    application = get_wsgi_application()
