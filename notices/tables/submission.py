"""The desk's forms that were sent, so that each creates its object once."""

from datetime import timedelta

from django.conf import settings
from django.db import models

from notices.outside import clock


class Submission(models.Model):
    """A form of the desk that created something; if it is sent again, it redirects there.

    It is written in the transaction of what the form created.
    """

    # A form that is opened is hardly ever sent later.
    KEPT = timedelta(days=30)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # The random name of the page with the form (`desk/once.py`).
    writing = models.CharField(max_length=16)
    # A hash of all fields: if it differs, the form was changed before it was sent again.
    digest = models.CharField(max_length=32)
    # The address of what was created; empty only within the transaction.
    led_to = models.TextField(blank=True)
    submitted_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "writing"], name="submission_once_per_page"),
        ]
        # Pruning.
        indexes = [models.Index(fields=["submitted_at"], name="submission_by_time")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.writing}"
