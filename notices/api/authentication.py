"""Tells who sent a request, a frontend by its key or a leader by her session, and her rights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework_api_key.permissions import KeyParser

from notices.models import ApiKey, Right, Study, StudyQuerySet
from notices.outside import clock
from notices.people import rights

_PREFIX_LENGTH = 8  # The desk shows this much of a key; the rest is secret.


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request. Requests are counted, and answers kept for repeats, by its name."""

    name: str
    has_every_study: bool
    actor: ApiKey | User
    read_only: bool = False
    may_ping: bool = True
    may_see_people: bool = True
    session_key: str = ""

    @classmethod
    def with_key(cls, key: ApiKey) -> Caller:
        return cls(
            f"key {key.prefix}",
            key.all_studies,
            key,
            read_only=key.read_only,
            may_ping=key.may_ping,
            may_see_people=key.may_see_people,
        )

    @classmethod
    def logged_in(cls, user: User, session_key: str) -> Caller:
        return cls(f"user {user.pk}", user.is_superuser, user, session_key=session_key)

    def renewed(self) -> Caller | None:
        """The same caller with the rights of this moment; null where it may ask nothing more."""
        if isinstance(self.actor, ApiKey):
            key = ApiKey.objects.filter(pk=self.actor.pk).first()
            return Caller.with_key(key) if key and key.is_usable else None
        user = _logged_in_by(self.session_key)
        return Caller.logged_in(user, self.session_key) if user else None

    @property
    def studies(self) -> StudyQuerySet:
        if isinstance(self.actor, ApiKey):
            return Study.objects.open_to(self.actor)
        return Study.objects.allowing(Right.SEE, self.actor)

    def has_right(self, right: Right) -> bool:
        """Return whether it may do this in any study. A key's own limits are checked elsewhere."""
        return not isinstance(self.actor, User) or rights.may_somewhere(self.actor, right)

    def may_with_people(self, right: Right, study: Study) -> bool:
        """Return whether the caller, who sees the study, may also do this with its people."""
        if isinstance(self.actor, ApiKey):
            return self.may_see_people
        return rights.may(self.actor, right, study.pk)

    @property
    def key(self) -> ApiKey | None:
        return self.actor if isinstance(self.actor, ApiKey) else None

    @property
    def user(self) -> User | None:
        return self.actor if isinstance(self.actor, User) else None

    @property
    def is_site_admin(self) -> bool:
        return isinstance(self.actor, User) and self.has_every_study

    @property
    def authorship(self) -> dict[str, ApiKey | User]:
        """The field of a new notice that names the caller."""
        return {"created_by" if isinstance(self.actor, User) else "created_with": self.actor}


def caller_of(request: Request) -> Caller:
    """Return the sender of a request that MayAsk let in."""
    if not isinstance(request.auth, Caller):
        raise NotAuthenticated
    return request.auth


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller] | None:
        sent = KeyParser().get(request)
        if not sent:
            return None
        key = _usable_key(sent)
        if key is None:
            raise AuthenticationFailed(_why_no_key(sent))
        key.note_use(clock.now())
        return AnonymousUser(), Caller.with_key(key)

    def authenticate_header(self, request: Request) -> str:
        return 'ApiKey realm="studybot", header="X-API-Key"'


class LoginAuthentication(SessionAuthentication):
    """The admin's own login, for pages on the same site; what changes something needs its token."""

    def authenticate(self, request: Request) -> tuple[Any, Caller] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        user, _auth = found
        return user, Caller.logged_in(user, request._request.session.session_key or "")


def _logged_in_by(session_key: str) -> User | None:
    """Read anew, as for a request that comes now: a log-out, a new password and an account that
    was switched off end the session."""
    asking = HttpRequest()
    asking.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(asking)
    return user if isinstance(user, User) else None


class MayAsk(BasePermission):
    """A key that only reads writes nothing. A login without a study has no business here."""

    def has_permission(self, request: Request, view: object) -> bool:
        if not isinstance(request.auth, Caller):
            raise NotAuthenticated(_why_nobody(request))
        caller = request.auth
        if caller.read_only and request.method not in SAFE_METHODS:
            raise PermissionDenied(
                _("This key only reads; ask a site admin for one that may write.")
            )
        if isinstance(caller.actor, User) and not (
            caller.has_every_study or caller.studies.exists()
        ):
            raise PermissionDenied(
                _("The account %(name)s leads no study. Ask a site admin to make it a leader.")
                % {"name": caller.actor.get_username()}
            )
        return True


def _why_nobody(request: Request) -> str:
    if "X-API-Key" in request.headers:
        return _("The header X-API-Key is empty; put the key that a site admin made into it.")
    if "Authorization" in request.headers:
        return _("A key is sent in the header X-API-Key, alone, and not in Authorization.")
    return _(
        "The header X-API-Key is missing; put the key that a site admin made into it, "
        "or log in at /admin/."
    )


def _why_no_key(sent: str) -> str:
    """Never with the secret part of what was sent."""
    if re.fullmatch(r"""\s*["'`“”‘’].*""", sent):
        return _("The key in X-API-Key stands in quotes; send it without.")
    if named := re.match(r"\s*(Bearer|Api-Key|Token|X-API-Key)\b", sent, re.IGNORECASE):
        told = _('"%(word)s" stands before the key in X-API-Key; send the key alone.')
        return told % {"word": named[1]}
    if not re.fullmatch(r"[A-Za-z0-9.]*", sent):
        return _("The key in X-API-Key holds a blank or a sign that no key has; copy it again.")
    if "." not in sent:
        return _("What X-API-Key holds is no whole key: that has a dot within; copy all of it.")
    told = _(
        "The key %(key)s… in X-API-Key is unknown, revoked or expired; "
        "ask a site admin for a new one."
    )
    return told % {"key": sent.partition(".")[0][:_PREFIX_LENGTH]}


def _usable_key(sent: str) -> ApiKey | None:
    # PostgreSQL fails on a NUL, which no key holds.
    if not sent.isprintable():
        return None
    try:
        key = ApiKey.objects.get_from_key(sent)
    except ApiKey.DoesNotExist:
        return None
    return key if key.is_usable else None
