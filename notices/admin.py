"""What Django looks for: importing it puts every page of the leaders' desk into the admin."""

from notices.desk import callbacks, channel, history, key, notice, queue, study, user

__all__ = ["callbacks", "channel", "history", "key", "notice", "queue", "study", "user"]
