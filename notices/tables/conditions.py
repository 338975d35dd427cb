"""Short forms of the conditions that constraints of tables are made of."""

from django.db.models import CheckConstraint, Q


def check(name: str, condition: Q) -> CheckConstraint:
    return CheckConstraint(condition=condition, name=name)


def null(*names: str) -> Q:
    return Q(**{f"{name}__isnull": True for name in names})


def given(*names: str) -> Q:
    return Q(**{f"{name}__isnull": False for name in names})


def all_or_none(*names: str) -> Q:
    return null(*names) | given(*names)
