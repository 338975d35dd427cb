"""The queue's broker, kept: django-q2 would make a new connection to Redis for each task."""

from functools import cache

from django_q.brokers import Broker, get_broker


@cache
def kept_broker() -> Broker:
    return get_broker()
