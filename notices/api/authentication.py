"""Who asks: a frontend, known by its key alone."""

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework_api_key.permissions import KeyParser

from notices.models import ApiKey

_PREFIX_LENGTH = 8  # What the admin shows of a key; the rest is secret.


def key_of(request: Request) -> ApiKey:
    """The key behind a request that HasApiKey let in."""
    if not isinstance(request.auth, ApiKey):
        raise NotAuthenticated
    return request.auth


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey]:
        sent = KeyParser().get(request)
        if not sent:
            raise NotAuthenticated(
                _("The header X-API-Key is missing; put the key that a site admin made into it.")
            )
        key = _usable_key(sent)
        if key is None:
            raise AuthenticationFailed(
                _(
                    "The key %(key)s… in X-API-Key is unknown, revoked or expired; "
                    "ask a site admin for a new one."
                )
                % {"key": sent.partition(".")[0][:_PREFIX_LENGTH]}
            )
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'ApiKey realm="studybot", header="X-API-Key"'


class HasApiKey(BasePermission):
    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(request.auth, ApiKey)


def _usable_key(sent: str) -> ApiKey | None:
    # PostgreSQL fails on a NUL, which no key holds.
    if not sent.isprintable():
        return None
    try:
        key = ApiKey.objects.get_from_key(sent)
    except ApiKey.DoesNotExist:
        return None
    return key if isinstance(key, ApiKey) and not key.has_expired else None
