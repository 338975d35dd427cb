"""The addresses that frontends post to; each with or without its last slash."""

from django.urls import re_path

from notices.api import views

_NOTICE = r"^api/v1/notices/(?P<pk>[1-9][0-9]{0,17})"

urlpatterns = [
    re_path(r"^notice/?$", views.FirstFrontendNotice.as_view()),
    re_path(r"^api/v1/notices/?$", views.NoticeList.as_view()),
    re_path(rf"{_NOTICE}/?$", views.OneNotice.as_view()),
    re_path(rf"{_NOTICE}/withdraw/?$", views.Withdrawal.as_view()),
    re_path(rf"{_NOTICE}/send-again/?$", views.SendingAgain.as_view()),
    re_path(r"^api/v1/studies/?$", views.StudyList.as_view()),
]
