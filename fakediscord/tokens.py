"""Decides which tokens may come in: any bot's, or named ones alone."""

from collections.abc import Iterable


class Tokens:
    def __init__(self, tokens: Iterable[str] = ()) -> None:
        self._tokens = frozenset(tokens)

    def opens(self, token: object) -> bool:
        if not isinstance(token, str) or not token:
            return False
        return not self._tokens or token in self._tokens

    def opens_header(self, header: str | None) -> bool:
        """Check an Authorization header: `Bot TOKEN`."""
        scheme, _, token = (header or "").partition(" ")
        return scheme == "Bot" and self.opens(token)
