"""A broker that is down."""

from django_q.brokers import Broker


class NoBroker(Broker):  # type: ignore[misc]
    def enqueue(self, task: str) -> None:
        raise ConnectionError("nobody listens")
