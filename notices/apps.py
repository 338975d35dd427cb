"""The Django app; it connects the signals once the models are loaded."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "notices"
    verbose_name = _("Study notices")

    def ready(self) -> None:
        from notices import queue_gate, signals  # noqa: F401
        from notices.callbacks import telling  # noqa: F401
        from notices.security import login_life, security_log  # noqa: F401
        from notices.upkeep import schedules

        queue_gate.install()
        post_migrate.connect(schedules.keep, sender=self)
