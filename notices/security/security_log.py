"""The security log: logins, failed logins and changes of rights, a line for each.

Values are written by repr(), so that no name can forge a line. It never has a password or a key.
"""

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from notices.models import ApiKey, StudyRole
from notices.security.client_address import client_address
from notices.tables.key import key_rotated

log = logging.getLogger("studybot.security")

_request: ContextVar[HttpRequest | None] = ContextVar("security_log_request", default=None)
_LONGEST_VALUE = 200


class SecurityLogMiddleware:
    """Keeps the request in a context variable, as signals of models do not know who asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)


def current_request() -> HttpRequest | None:
    """Return the current request, or None in a command."""
    return _request.get()


def note(event: str, who: str | None = None, **what: object) -> None:
    """Write a line to the log; `who` is the request's user unless it is given."""
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


def _shown(value: object) -> str:
    written = repr(value)
    return written if len(written) <= _LONGEST_VALUE else f"{written[:_LONGEST_VALUE]}…"


# --- logging in ----------------------------------------------------------------------------


@receiver(user_logged_in)
def _note_login(sender: object, user: User, **_kwargs: object) -> None:
    note("login", user.get_username())


@receiver(user_logged_out)
def _note_logout(sender: object, user: User | None, **_kwargs: object) -> None:
    if user is not None:
        note("logout", user.get_username())


@receiver(user_login_failed)
def _note_failed_login(
    sender: object,
    credentials: Mapping[str, object],
    request: HttpRequest | None = None,
    **_kwargs: object,
) -> None:
    # The next receiver notes those that are locked out.
    if not getattr(request, "axes_locked_out", False):
        note("login failed", str(credentials.get("username")))


@receiver(user_locked_out)
def _note_lock_out(sender: object, username: str, **_kwargs: object) -> None:
    note("locked out", str(username))


# --- rights --------------------------------------------------------------------------------

# The fields of each table whose change is noted.
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


def _name(row: Model) -> str:
    return f"{row.name} ({row.prefix})" if isinstance(row, ApiKey) else str(row)


def _rights(row: User | ApiKey) -> dict[str, Any]:
    return {field: getattr(row, field) for field in _RIGHTS[type(row)]}


@receiver(pre_save, sender=User)
@receiver(pre_save, sender=ApiKey)
def _remember_rights(
    sender: type[Model], instance: Any, update_fields: Iterable[str] | None, **_kwargs: object
) -> None:
    """Read the stored rights before a save, as the instance has the new ones already."""
    asked = _RIGHTS[sender] if update_fields is None else set(_RIGHTS[sender]) & set(update_fields)
    known = sender._default_manager.filter(pk=instance.pk) if asked else None
    instance._rights_before = known and known.values(*_RIGHTS[sender]).first()


@receiver(post_save, sender=User)
@receiver(post_save, sender=ApiKey)
def _note_rights(sender: type[Model], instance: Any, created: bool, **_kwargs: object) -> None:
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
    # Django sets _password for a new password, but not when it only rehashes the old one.
    if sender is User and instance._password is not None:
        note("password changed", user=name)


@receiver(key_rotated)
def _note_rotation(sender: object, old: ApiKey, successor: ApiKey, **_kwargs: object) -> None:
    note("key rotated", key=_name(old), successor=_name(successor), old_key_ends=old.expiry_date)


@receiver(m2m_changed, sender=StudyRole)
@receiver(m2m_changed, sender=ApiKey.studies.through)
def _note_studies(
    sender: type[Model],
    instance: Model,
    action: str,
    model: type[Model],
    pk_set: set[int | str] | None,
    **_kwargs: object,
) -> None:
    """Note who has a role in a study, or which studies a key has, changed from either side."""
    deed = _DEEDS.get(action)
    if deed is None or pk_set == set():
        return
    members = "all" if pk_set is None else _names(model._default_manager.filter(pk__in=pk_set))
    called = "roles in a study" if sender is StudyRole else "studies of a key"
    told: dict[str, Any] = {"of": _name(instance), deed: members}
    note("rights changed", what=called, **told)


@receiver(post_save, sender=StudyRole)
@receiver(post_delete, sender=StudyRole)
def _note_role(
    sender: type[Model], instance: StudyRole, created: bool | None = None, **_kwargs: object
) -> None:
    """Note one that was given, changed or taken by itself."""
    deed = {True: "given", False: "changed", None: "taken"}[created]
    note(
        "rights changed", what="role in a study", of=str(instance.study), user=str(instance.user),
        role=instance.role, sees_names=instance.sees_names, deed=deed,
    )  # fmt: skip


def _names(rows: Iterable[Model]) -> list[str]:
    return [_name(row) for row in rows]
