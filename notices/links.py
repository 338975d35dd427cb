"""Cleaning and checking links, as Discord refuses a whole message for a link it does not take."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from notices.tables.limits import http_url

# Invisible characters that come along when a link is copied from a messenger or a web page.
_BROUGHT_ALONG = "\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\u2066\u2069\ufeff"


def bare(text: str) -> str:
    """Remove blanks and invisible characters around a link, which would change its target."""
    return text.strip().strip(_BROUGHT_ALONG).strip()


def is_public_link(text: str) -> bool:
    try:
        http_url(text)
        parts = urlsplit(text)
        _ = parts.port
    except (ValidationError, ValueError):
        return False
    # Discord refuses a host without a dot, such as localhost.
    return "@" not in parts.netloc and ("." in parts.netloc or ":" in (parts.hostname or ""))


def with_scheme(text: str) -> str | None:
    """Complete an address without a scheme (www.example.com/page); return None for any other."""
    whole = f"https://{text.removeprefix('//')}"
    return whole if "://" not in text and is_public_link(whole) else None
