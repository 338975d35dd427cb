"""Warns of a variable whose name is nearly one of ours."""

import logging
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

log = logging.getLogger(__name__)

_ALIKE = 0.85
_NEED_NOT_STAND = re.compile(r"^(DJANGO|STUDYBOT|DISCORD)_|[^A-Z0-9]")
# Names that systems and libraries set, or other bots use for the same.
_OTHERS = {"DISCORD_TOKEN": "BOT_TOKEN", "TOKEN": "BOT_TOKEN", "DISCORD_BOT_TOKEN": "BOT_TOKEN"}


def warn(variables: Mapping[str, str], known: Collection[str]) -> None:
    """Warn by name only, because an unknown variable may hold a secret."""
    for name, meant in misspelt(variables, known):
        log.warning("%s is not a variable of studybot and does nothing: is %s meant?", name, meant)


def misspelt(variables: Mapping[str, str], known: Collection[str]) -> Iterator[tuple[str, str]]:
    bare = {_bare(name): name for name in known}
    for name in sorted(set(variables) - set(known)):
        near = get_close_matches(_bare(name), bare, n=1, cutoff=_ALIKE)
        meant = _OTHERS.get(name) or (bare[near[0]] if near else None)
        # If the right variable is set, this one belongs to another program.
        if meant and not variables.get(meant):
            yield name, meant


def _bare(name: str) -> str:
    return _NEED_NOT_STAND.sub("", _NEED_NOT_STAND.sub("", name.upper()))
