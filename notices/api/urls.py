"""The addresses that frontends post to."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
