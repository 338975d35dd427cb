"""One broker for all tasks, as django-q2 would connect to Redis anew for each."""

from functools import cache

from django_q.brokers import Broker, get_broker


@cache
def kept_broker() -> Broker:
    return get_broker()
