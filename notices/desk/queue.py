"""The task queue's own pages, in the desk's looks: read, and changed by nobody.

A row that a person could write here would be run by qcluster, beside the bot's token.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success

from notices.desk.rights import ModelAdmin, ReadOnly

PAGES = ((Schedule, ScheduleAdmin), (Success, TaskAdmin), (Failure, FailAdmin), (OrmQ, QueueAdmin))


class ReadOnlyPage(ReadOnly):
    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None: django-q2's own queues a task a second time."""
        return {}


for _model, _page in PAGES:
    # The queue in the database has a page only where it is the broker.
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
        admin.site.register(_model, type(_page.__name__, (ReadOnlyPage, _page, ModelAdmin), {}))
