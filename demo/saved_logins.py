"""Keeps the demo's token, passwords and API key between runs; only this installation has them."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from django.core.exceptions import ImproperlyConfigured

from demo.story import ADMIN, STUDIES

# People can read and type these: there is no 0/o and 1/l.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def _password() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _n in range(4)) for _part in range(3))


def _passwords() -> dict[str, str]:
    return {name: _password() for name in (ADMIN, *(study.leader for study in STUDIES))}


@dataclass
class SavedLogins:
    bot_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    passwords: dict[str, str] = field(default_factory=_passwords)
    # It is empty if no demo was laid out, because the database had people in it already.
    api_key: str = ""
    study_id: int | None = None

    @classmethod
    def read_or_make(cls, path: Path) -> Self:
        if path.exists():
            return cls._read(path)
        made = cls()
        made.write(path)
        return made

    @classmethod
    def _read(cls, path: Path) -> Self:
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(
                f"{path} is damaged: delete it, and the demo makes other logins."
            ) from error

    def write(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
