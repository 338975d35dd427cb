"""The app: models are known, so the hooks can be hung."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "notices"
    verbose_name = _("Study notices")

    def ready(self) -> None:
        from notices import queue_gate, schedules, security_log, signals  # noqa: F401

        queue_gate.install()
        post_migrate.connect(schedules.keep, sender=self)
