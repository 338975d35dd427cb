"""Sentences that say beforehand what a save, or a withdrawal, will do in each channel."""

from collections.abc import Collection

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notices.models import Channel, Delivery, ErrorCode, Notice

State = Delivery.State

CHANGES = _("Changes the message in %(channels)s.")
SENDS = _("Sends it to %(channels)s.")
TRIES_AGAIN = _("If you change what is shown: tries again in %(channels)s, where it failed.")
LOOKS_AND_CHANGES = _("Looks first whether it is shown in %(channels)s; then changes or sends it.")
LEAVES_DELETED = _(
    "Sends nothing to %(channels)s, where somebody deleted the message. “Try again” posts it again."
)
REMOVES = _("Removes the message from %(channels)s.")
LOOKS_AND_REMOVES = _("Looks first whether it is shown in %(channels)s; then removes it.")
NOT_ALLOWED = _("Sends nothing to %(channels)s, which the study no longer has.")
NOT_SENT = _("Not shown in %(channels)s: it will not be sent there.")

ANOTHERS = _("channels of another study")

IN_THIS_ORDER = (
    CHANGES,
    SENDS,
    TRIES_AGAIN,
    LOOKS_AND_CHANGES,
    LEAVES_DELETED,
    REMOVES,
    LOOKS_AND_REMOVES,
    NOT_ALLOWED,
    NOT_SENT,
)


def of_saving(
    notice: Notice, picked: Collection[Channel], foreign: Collection[int] = ()
) -> list[str]:
    """Say what a save of the published notice does if these channels are picked.

    The foreign channels are not named.
    """
    deliveries = {delivery.channel: delivery for delivery in notice.deliveries.all()}
    allowed = set(notice.allowed_channels()) if picked else set()
    named: dict[Promise, list[str]] = {}
    for channel in sorted({*deliveries, *notice.channels.all(), *picked}, key=str):
        if channel in picked and channel not in allowed:
            effect: Promise | None = NOT_ALLOWED
        else:
            effect = _effect(deliveries.get(channel), is_picked=channel in picked)
        if effect is not None:
            name = str(ANOTHERS if channel.pk in foreign else channel)
            named.setdefault(effect, []).append(name)
    return [
        str(effect) % {"channels": ", ".join(dict.fromkeys(named[effect]))}
        for effect in IN_THIS_ORDER
        if effect in named
    ]


def of_withdrawing(notice: Notice, foreign: Collection[int] = ()) -> list[str]:
    """Say what a withdrawal does: the same as a save with no channel picked."""
    return of_saving(notice, (), foreign)


def _effect(delivery: Delivery | None, *, is_picked: bool) -> Promise | None:
    """Return what happens in one channel; the cases are those of `outcomes.wish`."""
    if delivery is None:
        return SENDS if is_picked else NOT_SENT
    if delivery.shown is not None or delivery.state == State.SENDING:
        return CHANGES if is_picked else REMOVES
    if delivery.unknown_since is not None:
        return LOOKS_AND_CHANGES if is_picked else LOOKS_AND_REMOVES
    if not is_picked:
        return None if delivery.state == State.WITHDRAWN else NOT_SENT
    if delivery.state != State.FAILED:
        return SENDS
    return LEAVES_DELETED if delivery.error_code == ErrorCode.MESSAGE_DELETED else TRIES_AGAIN
