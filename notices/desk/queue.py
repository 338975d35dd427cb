"""django-q2's pages of the task queue, made read-only.

Qcluster runs whatever a row names, and its environment holds the bot's token.
"""

from django.contrib import admin
from django.http import HttpRequest
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success

from notices.desk.rights import ModelAdmin, ReadOnly

PAGES = ((Schedule, ScheduleAdmin), (Success, TaskAdmin), (Failure, FailAdmin), (OrmQ, QueueAdmin))


class ReadOnlyPage(ReadOnly):
    def get_actions(self, request: HttpRequest) -> dict[str, object]:
        """Offer none: django-q2's action would queue a task a second time."""
        return {}


for _model, _page in PAGES:
    # django-q2 registers the page of OrmQ only if the database is the broker.
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
        admin.site.register(_model, type(_page.__name__, (ReadOnlyPage, _page, ModelAdmin), {}))
