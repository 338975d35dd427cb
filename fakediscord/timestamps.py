"""Writes moments as Discord does."""

from datetime import UTC, datetime


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def is_past(moment: str | None) -> bool:
    return moment is None or datetime.fromisoformat(moment) <= datetime.now(UTC)
