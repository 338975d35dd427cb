"""The roster of a study: who is put on it, who leaves it, and how a Discord id is read."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from notices.ids import LARGEST_ID
from notices.models import Membership, Person, Study
from notices.sql import Statement
from notices.tables.person import PERSON_NAME_LIMIT
from notices.text import NOT_STORABLE, composed, is_blank

_SHOWN_LENGTH = 40


class Added(NamedTuple):
    """The Discord ids of those who were never on the roster, had left it, or are on it."""

    new: list[int]
    back: list[int]
    known: list[int]


# --- deeds -----------------------------------------------------------------------------------

# Everybody inserts in the order of the ids, so that two who add the same people wait for one
# another and never both. Without WHERE, SQLite would take ON for a join's.
_MAKE_PERSONS = Statement(
    """
    INSERT INTO notices_person (discord_id, name, language)
    SELECT given.discord_id, '', ''
    FROM jsonb_to_recordset(%(people)s::jsonb) AS given(discord_id bigint)
    WHERE true
    ORDER BY given.discord_id
    ON CONFLICT (discord_id) DO NOTHING
    """
)
_MAKE_MEMBERS = Statement(
    """
    INSERT INTO notices_membership (study_id, person_id, way, since, sight)
    SELECT %(study)s, person.id, %(way)s, %(now)s, '{unknown}'
    FROM notices_person AS person
    WHERE person.discord_id = ANY(%(ids)s::bigint[])
    ORDER BY person.id
    ON CONFLICT (study_id, person_id) DO NOTHING
    RETURNING person_id
    """,
    unknown=Membership.Sight.UNKNOWN.value,
)
# A look at her from before she left says nothing of today.
_BRING_BACK = Statement(
    """
    UPDATE notices_membership
    SET until = NULL, since = %(now)s, way = %(way)s, sight = '{unknown}', looked_at = NULL
    WHERE until IS NOT NULL AND id IN (
        SELECT member.id
        FROM notices_membership AS member
        WHERE member.study_id = %(study)s AND member.until IS NOT NULL AND member.person_id IN (
            SELECT person.id
            FROM notices_person AS person
            WHERE person.discord_id = ANY(%(ids)s::bigint[])
        )
        ORDER BY member.id
        FOR UPDATE
    )
    RETURNING person_id
    """,
    unknown=Membership.Sight.UNKNOWN.value,
)
_NUMBERS = Statement(
    """
    SELECT person.id, person.discord_id
    FROM notices_person AS person
    WHERE person.discord_id = ANY(%(ids)s::bigint[])
    """
)
_NAME = """
    UPDATE notices_person
    SET name = given.name
    FROM jsonb_to_recordset(%(people)s::jsonb) AS given(discord_id bigint, name text)
    WHERE notices_person.discord_id = given.discord_id
"""
_NAME_AS_SEEN = Statement(f"{_NAME} AND notices_person.name <> given.name")
_NAME_AS_LISTED = Statement(f"{_NAME} AND notices_person.name = ''")


def add(
    study: Study,
    ids: Iterable[int],
    way: str,
    now: datetime,
    names: Mapping[int, str] | None = None,
) -> Added:
    """Put the people with these Discord ids on the roster, in five statements at most.

    Whoever is on it stays as she came. `names` are what a list calls them: they stand until
    Discord has told a name.
    """
    ordered = list(dict.fromkeys(ids))
    if not ordered:
        return Added([], [], [])
    common = {"study": study.pk, "ids": ordered, "way": str(way), "now": now}
    with transaction.atomic():
        _MAKE_PERSONS.execute(people=[{"discord_id": one} for one in sorted(ordered)])
        new = {pk for (pk,) in _MAKE_MEMBERS.fetch(**common)}
        back = {pk for (pk,) in _BRING_BACK.fetch(**common)}
        persons = {discord_id: pk for pk, discord_id in _NUMBERS.fetch(ids=ordered)}
        if names:
            _name(_NAME_AS_LISTED, {one: names[one] for one in ordered if one in names})
    neither = new | back
    return Added(
        new=[one for one in ordered if persons[one] in new],
        back=[one for one in ordered if persons[one] in back],
        known=[one for one in ordered if persons[one] not in neither],
    )


def leave(study: Study, person: Person, now: datetime) -> bool:
    """Take her off the roster, on which her row stays. Return False if she was off it."""
    return end(Membership.objects.filter(study=study, person=person), now) > 0


def end(members: QuerySet[Membership], now: datetime) -> int:
    """Take all of them off their rosters, and return how many were on them."""
    # Another server's clock may have written a later `since`.
    return members.filter(until=None).update(until=Greatest(F("since"), now))


def name_as_seen(names: Mapping[int, str]) -> None:
    """Keep the names that Discord has just told, by Discord id. Nobody is added."""
    _name(_NAME_AS_SEEN, names)


def clean_name(name: str) -> str:
    """Return the name as it is stored, or an empty text if nothing of it could be seen."""
    name = NOT_STORABLE.sub("", composed(name)).strip()
    return "" if is_blank(name) else name[:PERSON_NAME_LIMIT]


def _name(statement: Statement, names: Mapping[int, str]) -> None:
    cleaned = [(discord_id, clean_name(name)) for discord_id, name in sorted(names.items())]
    rows = [{"discord_id": discord_id, "name": name} for discord_id, name in cleaned if name]
    if rows:
        statement.execute(people=rows)


# --- ids -------------------------------------------------------------------------------------

_MENTION = re.compile("<@!?([0-9]+)>")
_NO_ID = gettext_noop(
    "%(value)s is no Discord id; send 17 to 19 digits, as “Copy User ID” gives them in Discord."
)
# The first that fits tells the most. None of the patterns can take long, however long the text.
_WRONG = (
    (
        re.compile(r"\s*"),
        gettext_noop("The id is empty; give the digits that “Copy User ID” copies in Discord."),
    ),
    (
        re.compile("[\"'`´“”‘’].*|.*[\"'`´“”‘’]", re.DOTALL),
        gettext_noop("%(value)s stands in quotes or behind an apostrophe; give the digits alone."),
    ),
    (
        re.compile("<@&.*", re.DOTALL),
        gettext_noop("%(value)s is a role; give the ids of its people."),
    ),
    (
        re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+"),
        gettext_noop(
            "%(value)s was an id before a spreadsheet rounded it. Copy it anew in Discord, into "
            "a column that is formatted as text."
        ),
    ),
    (re.compile("0+"), gettext_noop("%(value)s is zero and nobody's id; copy it anew in Discord.")),
)
_ROUNDED = gettext_noop(
    "%(value)s ends in zeros, as ids do that a spreadsheet has rounded. Copy it anew in Discord, "
    "into a column that is formatted as text. If it really ends so, write <@%(value)s>."
)
_FULL_WIDTH = gettext_noop("%(value)s is written in full-width digits; write 0 to 9 as on any key.")
_LEADING_ZERO = gettext_noop("%(value)s begins with 0, as no id does; copy it anew in Discord.")
_TOO_SHORT = gettext_noop(
    "%(value)s has %(length)d digits, and an id has at least 17; copy it anew in Discord."
)
_TOO_LONG = gettext_noop(
    "%(value)s has %(length)d digits and is larger than any id; is it two in one?"
)


def read_discord_id(text: str) -> int:
    """Read the id of a person, or a mention of her, as Discord copies it.

    Raises ValidationError with the value and the remedy.
    """
    written = text.strip()
    mentioned = _MENTION.fullmatch(written)
    digits = mentioned[1] if mentioned else written
    told = _why_no_id(digits, is_mention=mentioned is not None)
    if told is None:
        return int(digits)
    shown = digits if len(digits) <= _SHOWN_LENGTH else f"{digits[: _SHOWN_LENGTH - 1]}…"
    raise ValidationError(_(told) % {"value": shown, "length": len(digits)}, code="no_id")


def _why_no_id(digits: str, *, is_mention: bool) -> str | None:
    for pattern, told in _WRONG:
        if pattern.fullmatch(digits):
            return told
    if not (digits.isascii() and digits.isdigit()):
        return _FULL_WIDTH if re.fullmatch("[0-9０-９]+", digits) else _NO_ID
    if digits.startswith("0"):
        return _LEADING_ZERO
    if len(digits) < 17:
        return _TOO_SHORT
    if len(digits) > 20 or int(digits) > LARGEST_ID:
        return _TOO_LONG
    # A mention comes from Discord, and never out of a spreadsheet.
    return _ROUNDED if digits.endswith("000") and not is_mention else None
