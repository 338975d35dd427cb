"""Runs the bot's engine over the database of DATABASE_URL until nothing is left to do.

Prints, as JSON, what became of each notice by its title, how many messages each channel shows, and
who has which role.
"""

import json
from datetime import timedelta
from itertools import count

import django
from django.utils import timezone

django.setup()

from notices.delivery.fan_out import oldest_waiting  # noqa: E402
from notices.models import Delivery, Notice, StudyRole  # noqa: E402
from tests.engine_driver import run_until  # noqa: E402
from tests.fake_transport import FakeTransport  # noqa: E402

# Its answer was lost: Discord has the message, and the database does not know it.
LOST = "unknown"
LOST_MESSAGE_ID = 8_000_000_000
FIRST_NEW_MESSAGE_ID = 10_000_000_000


def discord_as_it_was() -> FakeTransport:
    """With the messages that the database knows, and the one whose answer was lost."""
    discord = FakeTransport(_ids=count(FIRST_NEW_MESSAGE_ID))
    for delivery in Delivery.objects.exclude(message_id=None):
        shown = discord.shown.setdefault(delivery.channel_id, {})
        shown[delivery.message_id or 0] = delivery.shown or 0
    lost = Delivery.objects.get(notice__title=LOST)
    discord.shown[lost.channel_id][LOST_MESSAGE_ID] = 1
    discord.by_nonce[lost.nonce] = LOST_MESSAGE_ID
    return discord


def is_settled() -> bool:
    now = timezone.now()
    is_due = Delivery.objects.filter(due_at__lt=now + timedelta(days=1)).exists()
    return not is_due and oldest_waiting(now) is None


def main() -> None:
    discord = discord_as_it_was()
    run_until(is_settled, discord, patience=60)
    found = {
        notice.title: [notice.status, sorted(notice.deliveries.values_list("state", flat=True))]
        for notice in Notice.objects.all()
    }
    roles = list(StudyRole.objects.values_list("study__name", "user__username", "role"))
    shown = {str(channel): len(messages) for channel, messages in discord.shown.items()}
    print(json.dumps({"notices": found, "shown": shown, "roles": roles}))


main()
