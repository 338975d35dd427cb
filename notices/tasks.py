"""The django-q2 tasks: they take ids, may run twice, and say the same thing each time."""

from notices import ledger


def fan_out_notice(notice_id: int) -> bool:
    """Make the deliveries of a notice say what its leader wants."""
    return ledger.fan_out(notice_id)
