"""Our codes for a delivery that cannot be made."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ErrorCode(models.IntegerChoices):
    """Our own error codes; Discord's codes and HTTP's statuses are all above 99."""

    EXPIRED = 1, _("expired")
    NO_ANSWER = 2, _("no answer")
    NOT_READABLE = 3, _("history not readable")
    LEFT = 4, _("left as it is")
    FILE_GONE = 5, _("file no longer kept")
    CHANNEL_TAKEN = 6, _("channel no longer the study's")
    SERVER_AWAY = 7, _("server out of reach")
    UNSENDABLE = 8, _("cannot be sent")
    NOT_FROM_DISCORD = 9, _("not Discord's answer")
    MESSAGE_EMPTIED = 11, _("embed removed in Discord")
    TIMED_OUT = 12, _("bot timed out")
    A_SERVER = 13, _("a server's id")
    A_ROLE = 14, _("a role's id")
    CHANNEL_DELETED = 10003, _("channel deleted in Discord")
    MESSAGE_DELETED = 10008, _("message deleted in Discord")
