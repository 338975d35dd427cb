"""Files that somebody uploaded to attach them to notices."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from notices.outside import clock
from notices.tables.change import Actor
from notices.tables.key import ApiKey
from notices.tables.limits import FILE_NAME_LIMIT


class UploadQuerySet(models.QuerySet["Upload"]):
    def of(
        self,
        studies: models.QuerySet[models.Model],
        *,
        user: Actor = None,
        key: ApiKey | None = None,
    ) -> Self:
        """Return the uploads of these studies' notices, and those of the user or the key."""
        holding = Upload.notices.through.objects.filter(
            upload=OuterRef("pk"), notice__study__in=studies
        )
        found = Q(Exists(holding))
        if user is not None:
            found |= Q(created_by=user)
        if key is not None:
            found |= Q(created_with=key)
        return self.filter(found)

    def held_by_none(self) -> Self:
        """Return the uploads that no notice has (by the relation's index)."""
        return self.filter(~Exists(Upload.notices.through.objects.filter(upload=OuterRef("pk"))))


class UploadManager(models.Manager["Upload"]):
    def get_queryset(self) -> UploadQuerySet:
        """Leave out the bytes, which only a few callers need."""
        return UploadQuerySet(self.model, using=self._db).defer("data")


class Upload(models.Model):
    """An uploaded file, which never changes.

    It is in the database, where a bot on another machine can read it and one backup has all.
    """

    # The formats that an embed shows. The file's content has told its type, not its name.
    PICTURE_TYPES: ClassVar[dict[str, str]] = {
        "image/png": "png",
        "image/jpeg": "jpg",
        "image/gif": "gif",
        "image/webp": "webp",
    }

    name = models.CharField(_("name"), max_length=FILE_NAME_LIMIT)
    content_type = models.CharField(_("content type"), max_length=100)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField("SHA-256", max_length=64)
    data = models.BinaryField()
    uploaded_at = models.DateTimeField(_("uploaded"), default=clock.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_with = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL, related_name="+")
    notices = models.ManyToManyField("notices.Notice", related_name="uploads")

    objects = UploadManager.from_queryset(UploadQuerySet)()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="upload_has_a_name"),
            models.CheckConstraint(condition=Q(size__gte=1), name="upload_is_not_empty"),
        ]
        # Pruning.
        indexes = [models.Index(fields=["uploaded_at"], name="upload_by_time")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.content_type in self.PICTURE_TYPES
