"""The history of a notice: who did what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notices.outside import clock
from notices.tables import notice_fields
from notices.tables.key import ApiKey

# A request's user as Django types it. What takes one is called for logged-in users alone.
AnyUser = User | AnonymousUser
# A person or a frontend's key; None if it is not known.
Actor = AnyUser | ApiKey | None


class ChangeManager(models.Manager["Change"]):
    @contextmanager
    def recording(
        self, notice_ids: Iterable[int], fields: Collection[str] | None = None, *, by: Actor = None
    ) -> Iterator[None]:
        """Record what the block changes, by comparing the database's values before and after.

        `fields` names what the block may change; None stands for all fields and the channels.
        """
        with transaction.atomic():
            before = _written(list(notice_ids), fields)
            yield
            after = _written(list(before), fields)
            self.bulk_create(
                Change(
                    notice_id=pk, deed=Change.Deed.CHANGED, differences=differences,
                    revision=row.revision, **_actor(by),
                )
                for pk, row in after.items()
                if (differences := row.differences_from(before[pk]))
            )  # fmt: skip

    def did(self, deed: str, notice: Any, by: Actor, channel_ids: Collection[int] = ()) -> None:
        self.create(
            notice=notice, deed=deed, revision=notice.revision, channel_ids=list(channel_ids),
            **_actor(by),
        )  # fmt: skip


class Change(models.Model):
    """A deed to a notice, written in its transaction and never edited.

    `differences` holds old and new values as JSON, `{"title": ["7주차", "8주차"]}`, and channels
    as ids. A change by a command or in bulk has neither `user` nor `key`.
    """

    class Deed(models.TextChoices):
        CHANGED = "changed"
        WITHDRAWN = "withdrawn"
        SENT_AGAIN = "sent_again"
        LOOKED_AGAIN = "looked_again"
        LEFT = "left"

    FIELDS = frozenset(notice_fields.RECORDED)

    notice = models.ForeignKey(
        "notices.Notice", on_delete=models.CASCADE, related_name="changes", verbose_name=_("notice")
    )
    at = models.DateTimeField(default=clock.now)
    deed = models.CharField(max_length=12, choices=Deed)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    key = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL, related_name="+")
    revision = models.PositiveIntegerField()
    differences = models.JSONField(default=dict)
    channel_ids = models.JSONField(default=list)

    objects = ChangeManager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    deed__in=["changed", "withdrawn", "sent_again", "looked_again", "left"]
                ),
                name="change_deed_is_known",
            ),
            models.CheckConstraint(
                condition=Q(user=None) | Q(key=None), name="change_has_one_author"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deed} {self.at:%Y-%m-%d %H:%M:%S}"


def _actor(by: Actor) -> dict[str, Any]:
    return {"key" if isinstance(by, ApiKey) else "user": by}


class _Written(NamedTuple):
    """A notice's recorded fields, as JSON values."""

    revision: int
    values: dict[str, object]

    def differences_from(self, before: _Written) -> dict[str, list[object]]:
        return {
            name: [before.values[name], value]
            for name, value in self.values.items()
            if before.values[name] != value
        }


def _written(notice_ids: Collection[int], fields: Collection[str] | None) -> dict[int, _Written]:
    """Lock the notices, and return their recorded fields by id."""
    names = sorted(Change.FIELDS if fields is None else fields)
    notices: Any = apps.get_model("notices", "Notice")
    rows = notices.objects.select_for_update().order_by("pk")  # the order of all locks
    locked = rows.only("revision", *names).in_bulk(notice_ids)
    found = {
        pk: _Written(notice.revision, {name: _plain(getattr(notice, name)) for name in names})
        for pk, notice in locked.items()
    }
    if fields is None:
        for pk, notice in locked.items():
            ids = notice.channels.order_by("pk").values_list("pk", flat=True)
            found[pk].values["channels"] = list(ids)
    return found


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
