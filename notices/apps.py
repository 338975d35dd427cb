"""The app: models are known, so the hooks can be hung."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "notices"
    verbose_name = _("Study notices")

    def ready(self) -> None:
        from notices import (  # noqa: F401
            login_life,
            queue_gate,
            schedules,
            security_log,
            signals,
        )

        queue_gate.install()
        post_migrate.connect(schedules.keep, sender=self)
