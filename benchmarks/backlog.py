"""Makes due deliveries, as web and qcluster would have made of so many notices.

Run inside Django: `manage.py shell -c "from benchmarks import backlog; backlog.lay(…)"`.
"""

from django.db import connection, transaction
from django.utils import timezone

from benchmarks.frontend import TEXT
from notices.delivery.wake import wake
from notices.models import Channel, Delivery, Notice, Study

# A statement has at most 65,535 parameters in PostgreSQL.
AT_ONCE = 1000


def lay(deliveries: int, channels: int, channels_each: int, label: str) -> None:
    """Make notices to `channels_each` of the channels. The bot sees them all at the same moment."""
    used = list(Channel.objects.filter(studies__isnull=False).order_by("pk")[:channels])
    now = timezone.now()
    with transaction.atomic():
        notices = Notice.objects.bulk_create((
            Notice(
                study=Study.objects.get(), title=f"{label} {number}", content=TEXT, publish_at=now,
                fanned_out_revision=1, status=Notice.Status.QUEUED,
            )
            for number in range(deliveries // channels_each)
        ), batch_size=AT_ONCE)  # fmt: skip
        pairs = [
            (notice, used[(number * channels_each + place) % len(used)])
            for number, notice in enumerate(notices)
            for place in range(channels_each)
        ]
        chosen = Notice.channels.through
        chosen.objects.bulk_create(
            (chosen(notice=one, channel=other) for one, other in pairs), batch_size=AT_ONCE
        )
        Delivery.objects.bulk_create(
            (Delivery(notice=one, channel=other, wanted=1, due_at=now) for one, other in pairs),
            batch_size=AT_ONCE,
        )
        wake()


def analyze() -> None:
    """Do what PostgreSQL's autovacuum does within a minute of the first notices."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
