"""Who may come in: with any bot's token, or with named ones alone."""

from collections.abc import Iterable


class Tokens:
    def __init__(self, tokens: Iterable[str] = ()) -> None:
        self._tokens = frozenset(tokens)

    def opens(self, token: object) -> bool:
        if not isinstance(token, str) or not token:
            return False
        return not self._tokens or token in self._tokens

    def opens_header(self, header: str | None) -> bool:
        """An Authorization header: `Bot TOKEN`."""
        scheme, _, token = (header or "").partition(" ")
        return scheme == "Bot" and self.opens(token)
