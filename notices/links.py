"""Addresses as people write them, and as Discord takes them: one it refuses costs the notice."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from notices.models import http_url


def is_public_link(text: str) -> bool:
    try:
        http_url(text)
        parts = urlsplit(text)
    except (ValidationError, ValueError):
        return False
    # Discord refuses a host without a dot, such as localhost.
    return "@" not in parts.netloc and ("." in parts.netloc or ":" in (parts.hostname or ""))


def with_scheme(text: str) -> str | None:
    """The whole address of one as people write it (www.example.com/page); null of any other."""
    whole = f"https://{text.removeprefix('//')}"
    return whole if "://" not in text and is_public_link(whole) else None
