"""The task queue's own pages, in the desk's looks."""

from django.contrib import admin
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success

from notices.desk.rights import ModelAdmin

PAGES = ((Schedule, ScheduleAdmin), (Success, TaskAdmin), (Failure, FailAdmin), (OrmQ, QueueAdmin))

for _model, _page in PAGES:
    # The queue in the database has a page only where it is the broker.
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
        admin.site.register(_model, type(_page.__name__, (_page, ModelAdmin), {}))
