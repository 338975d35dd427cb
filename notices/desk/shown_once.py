"""Links that the desk shows once: they wait in her session for the page that shows them."""

from django.db.models import Model
from django.http import HttpRequest


def keep(request: HttpRequest, about: Model, link: str) -> None:
    request.session[_name(about)] = link
    # In the transaction of what was made: a second click is led to the page as soon as that is
    # committed, and finds the link there.
    request.session.save()


def take(request: HttpRequest, about: Model) -> str:
    """Return the link, which is then known to nobody any more; "" if it was shown already."""
    link: str = request.session.pop(_name(about), "")
    return link


def _name(about: Model) -> str:
    return f"link-of-{about._meta.model_name}-{about.pk}"
