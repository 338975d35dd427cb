"""The row that a POST leaves."""

from typing import ClassVar

from django.db import models


class Posted(models.Model):
    channel_id = models.BigIntegerField()
    title = models.CharField(max_length=256)
    study_id = models.BigIntegerField()
    content = models.TextField()
    author = models.CharField(max_length=256, blank=True)
    url = models.CharField(max_length=2048, blank=True)

    objects: ClassVar[models.Manager["Posted"]] = models.Manager()

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return self.title
