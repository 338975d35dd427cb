"""What only this installation knows: the demo's token, passwords and API key, kept between runs."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from demo.story import ADMIN, STUDIES

# What a person can read and type: no 0/o, 1/l.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def _password() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _n in range(4)) for _part in range(3))


def _passwords() -> dict[str, str]:
    return {name: _password() for name in (ADMIN, *(study.leader for study in STUDIES))}


@dataclass
class Keepsakes:
    bot_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    passwords: dict[str, str] = field(default_factory=_passwords)
    # Empty where no demo was laid out: the database had people in it already.
    api_key: str = ""
    study_id: int | None = None

    @classmethod
    def read_or_make(cls, path: Path) -> Self:
        if path.exists():
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        made = cls()
        made.write(path)
        return made

    def write(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
