"""A local Discord to develop and test against: REST, gateway, and a page that shows it all."""

from fakediscord.server import FakeDiscord

__all__ = ["FakeDiscord"]
