"""The page that says what is kept about readers, why, for how long, and how to have it deleted."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """It asks for no login and needs no database."""
    return render(request, "privacy.html", {"operator": settings.OPERATOR_NAME})
