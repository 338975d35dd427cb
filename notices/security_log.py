"""Who came in, who did not, and who was given which rights: a line each, in a log of its own.

Values are written as Python writes them, so that no name can end a line or forge one. Neither a
password nor a key is ever among them.
"""

import logging
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_save, pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from notices.client_address import client_address
from notices.models import ApiKey, Study, key_rotated

log = logging.getLogger("studybot.security")

_request: ContextVar[HttpRequest | None] = ContextVar("security_log_request", default=None)
_LONGEST_VALUE = 200


class SecurityLogMiddleware:
    """Keeps the request at hand: what is saved does not know who asked for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)


def note(event: str, who: str | None = None, **what: Any) -> None:
    """`who` is asked of the request unless it is told."""
    request = _request.get()
    told = {"who": who or _who(request), "from": _where(request), **what}
    log.info("%s: %s", event, " ".join(f"{name}={_shown(value)}" for name, value in told.items()))


def _who(request: HttpRequest | None) -> str:
    if request is None:
        return " ".join(["manage.py", *sys.argv[1:2]])
    user = getattr(request, "user", None)
    return user.get_username() if user is not None and user.is_authenticated else "nobody"


def _where(request: HttpRequest | None) -> str:
    return "this machine" if request is None else client_address(request) or "a local socket"


def _shown(value: Any) -> str:
    written = repr(value)
    return written if len(written) <= _LONGEST_VALUE else f"{written[:_LONGEST_VALUE]}…"


# --- logging in ----------------------------------------------------------------------------


@receiver(user_logged_in)
def _note_login(sender: Any, user: Any, **_kwargs: Any) -> None:
    note("login", user.get_username())


@receiver(user_logged_out)
def _note_logout(sender: Any, user: Any, **_kwargs: Any) -> None:
    if user is not None:
        note("logout", user.get_username())


@receiver(user_login_failed)
def _note_failed_login(sender: Any, credentials: Any, request: Any = None, **_kw: Any) -> None:
    # Of those that are locked out the next receiver tells.
    if not getattr(request, "axes_locked_out", False):
        note("login failed", str(credentials.get("username")))


@receiver(user_locked_out)
def _note_lock_out(sender: Any, username: str, **_kwargs: Any) -> None:
    note("locked out", str(username))


# --- rights --------------------------------------------------------------------------------

# By table, what it is worth a line to change.
_RIGHTS: dict[type[Model], tuple[str, ...]] = {
    User: ("username", "is_active", "is_staff", "is_superuser"),
    ApiKey: tuple(
        field.name
        for field in ApiKey._meta.concrete_fields
        if field.name not in {"id", "prefix", "hashed_key", "created", "last_used_at"}
    ),
}
_DEEDS = {"post_add": "added", "post_remove": "removed", "pre_clear": "removed"}
_CALLED = {User: "user", ApiKey: "key"}


def _name(row: Any) -> str:
    return f"{row.name} ({row.prefix})" if isinstance(row, ApiKey) else str(row)


def _rights(row: Any) -> dict[str, Any]:
    return {field: getattr(row, field) for field in _RIGHTS[type(row)]}


@receiver(pre_save, sender=User)
@receiver(pre_save, sender=ApiKey)
def _remember_rights(
    sender: Any, instance: Any, update_fields: Iterable[str] | None, **_kwargs: Any
) -> None:
    """What the database holds: the row in memory may be changed already."""
    asked = _RIGHTS[sender] if update_fields is None else set(_RIGHTS[sender]) & set(update_fields)
    known = sender._default_manager.filter(pk=instance.pk) if asked else None
    instance._rights_before = known and known.values(*_RIGHTS[sender]).first()


@receiver(post_save, sender=User)
@receiver(post_save, sender=ApiKey)
def _note_rights(sender: Any, instance: Any, created: bool, **_kwargs: Any) -> None:
    called, name = _CALLED[sender], _name(instance)
    if created:
        note(f"{called} made", **{called: name}, **_rights(instance))
        return
    before = instance._rights_before or {}
    changed = {
        field: f"{value} -> {getattr(instance, field)}"
        for field, value in before.items()
        if value != getattr(instance, field)
    }
    if changed.get("revoked") == "False -> True":
        note("key revoked", key=name)
    elif changed:
        note("rights changed", **{called: name}, **changed)
    # Set while a new password is saved, but not where an old one is only hashed anew.
    if sender is User and instance._password is not None:
        note("password changed", user=name)


@receiver(key_rotated)
def _note_rotation(sender: Any, old: ApiKey, successor: ApiKey, **_kwargs: Any) -> None:
    note("key rotated", key=_name(old), successor=_name(successor), old_key_ends=old.expiry_date)


@receiver(m2m_changed, sender=Study.leaders.through)
@receiver(m2m_changed, sender=ApiKey.studies.through)
def _note_studies(
    sender: Any, instance: Any, action: str, model: Any, pk_set: set[Any] | None, **_kwargs: Any
) -> None:
    """From either side: a leader's studies may change, and a study's keys."""
    deed = _DEEDS.get(action)
    if deed is None or pk_set == set():
        return
    members = "all" if pk_set is None else _names(model._default_manager.filter(pk__in=pk_set))
    called = "leaders" if sender is Study.leaders.through else "studies of a key"
    told: dict[str, Any] = {"of": _name(instance), deed: members}
    note("rights changed", what=called, **told)


def _names(rows: Iterable[Any]) -> list[str]:
    return [_name(row) for row in rows]
