"""Says which admin site is the project's."""

from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    default_site = "notices.desk.site.Desk"
