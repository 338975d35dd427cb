"""Lists of people: read from what a spreadsheet or a chat leaves behind, and written for one."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import Enum, auto
from io import StringIO
from itertools import groupby

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notices.models import Membership, Study
from notices.people.roster import clean_name, read_discord_id

MOST_BYTES = 1024 * 1024
MOST_LINES = 5000
# No line of a list is longer. The library that takes one apart refuses very long ones.
MOST_LETTERS = 2000
_SHOWN_LENGTH = 60

# As spreadsheets and people head their columns, without case, spaces and underscores.
_IDS = frozenset({
    "id", "ids", "discordid", "userid", "discorduserid", "아이디", "디스코드아이디", "디스코드id",
    "discord아이디", "사용자id", "유저id",
})  # fmt: skip
_NAMES = frozenset({
    "name", "names", "username", "displayname", "nickname", "nick", "이름", "성명", "성함",
    "닉네임", "별명", "별칭",
})  # fmt: skip
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods; .xls
_SEPARATOR_LINE = re.compile(r"sep=([\t;,|])", re.IGNORECASE)
# What a spreadsheet takes for a formula where a cell begins with it.
_FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")
_KEPT_AS_TEXT = re.compile(r"""="(?P<cell>[^"]*)"|'(?P<rest>[=+\-@\t<0-9０-９].*)""", re.DOTALL)
_LIKE_AN_ID = re.compile("[\"'“‘<@!]*[0-9０-９][0-9０-９.,]*([eE][+]?[0-9]+)?[\"'”’>]*")


class Kind(Enum):
    NEW = auto()
    BACK = auto()
    KNOWN = auto()
    TWICE = auto()
    WRONG = auto()


@dataclass(frozen=True)
class Row:
    """A line as it was read: an id, a name, or both; or why there is neither."""

    number: int
    discord_id: int | None
    name: str = ""
    wrong: str = ""


@dataclass(frozen=True)
class Line:
    """A line, and what adding it to the study's roster would do."""

    number: int
    kind: Kind
    discord_id: int | None
    name: str
    why: str = ""


# --- reading ---------------------------------------------------------------------------------


def read(data: bytes) -> list[Row]:
    """Read a file. Raises ValidationError if it is too large, or no list in text."""
    if len(data) > MOST_BYTES:
        told = _("The list has %(size)d bytes; at most %(limit)d can be read. Split it in two.")
        raise ValidationError(told % {"size": len(data), "limit": MOST_BYTES})
    return read_text(_decoded(data))


def read_text(text: str) -> list[Row]:
    """Read what was pasted, or is in a file. Lines without anything are left out."""
    lines = [
        (number, line)
        for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1)
        if line.strip(" \t,;\ufeff")
    ]
    if len(lines) > MOST_LINES:
        told = _("The list has %(length)d lines; at most %(limit)d can be read. Split it in two.")
        raise ValidationError(told % {"length": len(lines), "limit": MOST_LINES})
    if not lines:
        raise ValidationError(_("The list is empty: write an id on each line."))
    return list(_rows(lines))


def _decoded(data: bytes) -> str:
    if data.startswith(_WORKBOOKS):
        raise ValidationError(
            _("This is a workbook, and no text: save it in the spreadsheet as CSV, then add that.")
        )
    marked = [encoding for bom, encoding in _BOMS if data.startswith(bom)]
    # Excel in Korea writes CP949 where it is not asked for UTF-8.
    for encoding in marked or ("utf-8", "cp949"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ValidationError(
        _("This is no text in UTF-8, UTF-16 or CP949: save it as “CSV UTF-8”, then add that.")
    )


def _rows(lines: Sequence[tuple[int, str]]) -> Iterator[Row]:
    named = _SEPARATOR_LINE.fullmatch(lines[0][1].strip('\ufeff" '))
    separator = named[1] if named else _separator(lines[0][1])
    # Each line by itself: after a stray quotation mark the rest would be one name.
    table = [
        (number, [_unwrapped(cell) for cell in _cells(line, separator)])
        for number, line in lines[1 if named else 0 :]
    ]
    columns = _columns(table[0][1]) if table else None
    for number, cells in table[1 if columns else 0 :]:
        written, name = _by_columns(cells, *columns) if columns else _by_looks(cells)
        yield _row(number, written, name)


def _separator(line: str) -> str:
    return max("\t;,", key=line.count) if re.search("[\t;,]", line) else ","


def _cells(line: str, separator: str) -> list[str]:
    return [line] if len(line) > MOST_LETTERS else next(csv.reader([line], delimiter=separator))


def _unwrapped(cell: str) -> str:
    """Take away what keeps a spreadsheet from taking a cell for a number or a formula."""
    cell = cell.strip(" \ufeff\u200b\r\n\t\xa0")
    if kept := _KEPT_AS_TEXT.fullmatch(cell):
        cell = kept["cell"] if kept["cell"] is not None else kept["rest"]
    return cell.strip()


def _columns(cells: list[str]) -> tuple[int | None, int | None] | None:
    """Return the places of the ids and of the names, or None if this is no head."""
    heads = [re.sub(r"[\s_\-.]", "", cell).casefold() for cell in cells]
    ids = next((place for place, head in enumerate(heads) if head in _IDS), None)
    names = next((place for place, head in enumerate(heads) if head in _NAMES), None)
    return None if ids is None and names is None else (ids, names)


def _by_columns(cells: list[str], ids: int | None, names: int | None) -> tuple[list[str], str]:
    def at(place: int | None) -> str:
        return cells[place] if place is not None and place < len(cells) else ""

    return [one for one in (at(ids),) if one], at(names)


def _by_looks(cells: list[str]) -> tuple[list[str], str]:
    ids = [cell for cell in cells if _LIKE_AN_ID.fullmatch(cell)]
    others = [cell for cell in cells if cell and not _LIKE_AN_ID.fullmatch(cell)]
    return ids, others[0] if others else ""


def _row(number: int, written: list[str], name: str) -> Row:
    name = clean_name(name)
    if len(written) > 1:
        return Row(number, None, name, _("Two ids stand on this line; write each on its own."))
    if not written:
        nothing = "" if name else _("Neither an id nor a name stands on this line.")
        return Row(number, None, name, nothing)
    try:
        return Row(number, read_discord_id(written[0]), name)
    except ValidationError as error:
        return Row(number, None, name, error.messages[0])


# --- what a list would do --------------------------------------------------------------------


def judge(study: Study, rows: Iterable[Row]) -> list[Line]:
    """Say of each row what adding it would do, by one query. Nothing is written."""
    members = list(study.memberships.values_list("person__discord_id", "person__name", "until"))
    known = {discord_id: (name, until) for discord_id, name, until in members}
    called: dict[str, list[int]] = {}
    for member, name, _until in members:
        called.setdefault(name, []).append(member)
    seen: dict[int, int] = {}
    lines = []
    for row in rows:
        if row.wrong:
            lines.append(Line(row.number, Kind.WRONG, None, row.name, row.wrong))
            continue
        discord_id, wrong = row.discord_id, ""
        if discord_id is None:
            discord_id, wrong = _by_name(called.get(row.name, []), row.name)
        if discord_id is None:  # what is wrong names her
            lines.append(Line(row.number, Kind.WRONG, None, "", wrong))
            continue
        first = seen.setdefault(discord_id, row.number)
        name, until = known.get(discord_id, ("", None))
        kind = Kind.NEW if discord_id not in known else Kind.BACK if until else Kind.KNOWN
        why = ""
        if first != row.number:
            kind, why = Kind.TWICE, _("The same as line %(number)d.") % {"number": first}
        lines.append(Line(row.number, kind, discord_id, name or row.name, why))
    return lines


def _by_name(ids: list[int], name: str) -> tuple[int | None, str]:
    shown = name if len(name) <= _SHOWN_LENGTH else f"{name[: _SHOWN_LENGTH - 1]}…"
    if len(ids) > 1:
        told = _("%(name)s: two persons are called so; give the id.")
        return None, told % {"name": shown}
    if not ids:
        return None, _("%(name)s is not known; give the id.") % {"name": shown}
    return ids[0], ""


def by_kind(lines: Iterable[Line]) -> dict[Kind, list[Line]]:
    """Return the lines of each kind that there is, in the order of the kinds."""
    ordered = sorted(lines, key=lambda line: (line.kind.value, line.number))
    return {kind: list(found) for kind, found in groupby(ordered, key=lambda line: line.kind)}


# --- writing ---------------------------------------------------------------------------------


def write(members: Iterable[Membership], zone: tzinfo) -> bytes:
    """Write a roster as CSV, which `read` reads, and Excel with its Hangul and whole ids."""
    text = StringIO()
    table = csv.writer(text)
    table.writerow([_("Discord id"), _("name"), _("how she came"), _("since"), _("still there")])
    for member in members:
        table.writerow([
            f"'{member.person.discord_id}",
            harmless(member.person.name),
            member.get_way_display(),
            member.since.astimezone(zone).date().isoformat(),
            member.get_sight_display(),
        ])  # fmt: skip
    return text.getvalue().encode("utf-8-sig")


def harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a name for a formula, which could send data elsewhere."""
    return f"'{cell}" if _FORMULA.match(cell) else cell
