"""The leaders' desk: importing this package registers every part of it."""

from notices.admin import channel, history, key, notice, study, user

__all__ = ["channel", "history", "key", "notice", "study", "user"]
