"""Decides who may be told of which study, by the rights at the moment of telling."""

from collections.abc import Collection

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet

from notices.models import ApiKey, CallbackEndpoint, Study


def with_rights(study_ids: Collection[int]) -> QuerySet[CallbackEndpoint]:
    """Return every endpoint, with what `why_not_told` reads of these studies. Four queries."""
    concerned = Study.objects.filter(pk__in=study_ids).only("pk").order_by()
    return CallbackEndpoint.objects.select_related("key", "owner").prefetch_related(
        *(
            Prefetch(f"{whose}studies", concerned, to_attr="concerned")
            for whose in ("", "key__", "owner__")
        )
    )


def why_not_told(endpoint: CallbackEndpoint, study_id: int) -> str:
    """Return why the endpoint may not be told of this study now; "" if it may.

    The endpoint was read `with_rights`.
    """
    if not endpoint.active:
        return "it is switched off"
    if not _knows(endpoint, study_id):
        return "it does not listen to the notice's study"
    if endpoint.key is not None:
        return _why_not_by_key(endpoint.key, study_id)
    return _why_not_by_owner(endpoint.owner, study_id)


def _why_not_by_key(key: ApiKey, study_id: int) -> str:
    if not key.is_usable:
        return "its key is revoked or has expired"
    return "" if _knows(key, study_id) else "its key may not read the notice's study"


def _why_not_by_owner(owner: User | None, study_id: int) -> str:
    if owner is None or (owner.is_active and owner.is_superuser):
        return ""
    if not owner.is_active:
        return "the account that answers for it is switched off"
    if study_id in _concerned_ids(owner):
        return ""
    return "the account that answers for it may not read the notice's study"


def _knows(listener: ApiKey | CallbackEndpoint, study_id: int) -> bool:
    """Return whether a key or an endpoint has the study."""
    return listener.all_studies or study_id in _concerned_ids(listener)


def _concerned_ids(one: ApiKey | CallbackEndpoint | User) -> set[int]:
    # Prefetch sets an attribute that the classes do not declare.
    studies: list[Study] = vars(one)["concerned"]
    return {study.pk for study in studies}
