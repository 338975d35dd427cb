"""Previews a notice: how it would look in Discord, and what would go wrong there."""

from typing import Any

from rest_framework import serializers

from notices.advice.channel import troubles
from notices.advice.reach import reach_of
from notices.api.forms import NewNoticeForm
from notices.api.representations import DiscordId
from notices.delivery import message
from notices.models import REFERENCE_LENGTH, Channel, Delivery, Notice

# It stands for the delivery's own number in the footer.
_NUMBER = "X" * REFERENCE_LENGTH


class ChannelForeseen(serializers.Serializer[Any]):
    channel_id = DiscordId()
    channel_name = serializers.CharField()
    problems = serializers.ListField(
        child=serializers.CharField(),
        help_text="Why the notice would not be shown here, or not be kept true.",
    )


class PingForeseen(serializers.Serializer[Any]):
    who = serializers.CharField(allow_blank=True, help_text="As people read it; empty: nobody.")
    people = serializers.IntegerField(allow_null=True, help_text="Null where nobody knows.")
    is_most = serializers.BooleanField(help_text="`people` are at most so many.")
    problems = serializers.ListField(
        source="silences",
        child=serializers.CharField(),
        help_text="Where it would ping nobody after all, and why.",
    )


class Preview(serializers.Serializer[Any]):
    """The notice as it would be shown. It is refused in the same words as the POST would be."""

    message = serializers.DictField(
        help_text="Discord's own JSON: `content`, `embeds`, `allowed_mentions`."
    )
    pings = PingForeseen()
    channels = ChannelForeseen(many=True)


def foresee(form: NewNoticeForm) -> dict[str, Any]:
    """Return what would become of the notice that the checked form would make."""
    written = {**form.validated_data}
    channels: list[Channel] = written.pop("channels")
    notice = Notice(**written)
    built = message.build(Delivery(notice=notice, nonce=_NUMBER))
    return {
        "message": {name: built[name] for name in ("content", "embeds", "allowed_mentions")},
        "pings": PingForeseen(reach_of(notice.ping, notice.study, channels)).data,
        "channels": [
            {
                "channel_id": str(channel.pk),
                "channel_name": channel.name,
                "problems": troubles(channel, files=bool(notice.attachments)),
            }
            for channel in channels
        ],
    }
