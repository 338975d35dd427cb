"""The history of a notice: what people, frontends and the bot did to it, by time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Self

from django.contrib.auth.models import User
from django.db.models import DateTimeField, Q, QuerySet
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _

from notices import moments, moved
from notices.advice import reasons
from notices.desk.display_name import display_name
from notices.desk.rights import foreign_channels
from notices.desk.save_preview import ANOTHERS
from notices.desk.text_diff import Part, changed_parts
from notices.files.attached import Attached, readable
from notices.ids import read_id, read_ids
from notices.models import ApiKey, Attempt, Change, Channel, Notice, Right, Study
from notices.tables.change import AnyUser
from notices.tables.notice_fields import FANNED_OUT, SHOWN
from notices.text import NOT_STORABLE

PAGE_ROWS = 100
# Each page reads all newer rows too, so that later ones would cost too much.
LAST_PAGE = 100
# Unrecorded versions are looked for among so many of the newest.
MOST_VERSIONS = 1000
TEXTS = {"content"}
# The channels, which are no column, stand beside their study.
_STUDY, *_OTHERS = SHOWN
FIELDS = (_STUDY, "channels", *_OTHERS)
MOMENTS = FANNED_OUT


@dataclass(frozen=True)
class FieldChange:
    label: str
    before: str = ""
    after: str = ""
    parts: Sequence[Part] = ()
    """The removed and added words of a long text, instead of `before` and `after`."""


@dataclass(frozen=True)
class Deed:
    """Something that a person or a frontend did."""

    at: datetime
    who: str
    what: str
    changes: Sequence[FieldChange] = ()
    revision: int | None = None


@dataclass(frozen=True)
class SentRequest:
    """A request of the bot to Discord."""

    at: datetime
    attempt: Attempt
    channel: Channel
    why: reasons.Reason | None


@dataclass(frozen=True)
class Page:
    events: Sequence[Deed | SentRequest]
    unrecorded: Sequence[int]
    number: int
    goes_on: bool

    @property
    def older(self) -> int | None:
        return self.number + 1 if self.goes_on and self.number < LAST_PAGE else None

    @property
    def newer(self) -> int | None:
        return self.number - 1 if self.number > 1 else None


def page_of(notice: Notice, user: AnyUser, asked: str = "") -> Page:
    """Return a page of what she may read, the newest first, by a fixed number of queries."""
    entry = moved.entry(notice, Study.objects.allowing(Right.SEE, user))
    number = min(read_id(asked) or 1, LAST_PAGE)
    most = number * PAGE_ROWS + 1
    newest = sorted(_events(notice, entry, most, user), key=attrgetter("at"), reverse=True)
    events = newest[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    goes_on = len(newest) > number * PAGE_ROWS
    return Page(events, _unrecorded(notice, entry), number, goes_on)


def _events(
    notice: Notice, entry: Change | None, most: int, user: AnyUser
) -> Iterator[Deed | SentRequest]:
    """Yield at least the `most` newest events since the notice came to a study of hers."""
    rows, attempts = notice.changes.all(), Attempt.objects.filter(delivery__notice=notice)
    hers = None
    if entry is not None:
        foreign = foreign_channels(user, notice)[notice.pk]
        rows, attempts = rows.filter(pk__gt=entry.pk), attempts.filter(begun_at__gt=entry.at)
        attempts = attempts.exclude(delivery__channel__in=foreign)
        its = Q(notices=notice) & ~Q(pk__in=foreign)
        hers = Channel.objects.filter(Q(studies__in=Study.objects.allowing(Right.SEE, user)) | its)
    yield from _deeds(list(rows.select_related("user", "key").order_by("-id")[:most]), hers)
    for attempt in attempts.select_related("delivery__channel").order_by("-id")[:most]:
        why = None if attempt.code is None else reasons.explain(attempt.code)
        yield SentRequest(attempt.begun_at, attempt, attempt.delivery.channel, why)
    if notice.archived_at is not None:
        yield Deed(notice.archived_at, "", _("Archived: what the bot did is no longer kept."))
    if entry is not None:
        told = _("It came from another study: what was before is not shown here.")
        yield Deed(entry.at, "", told)
        return
    yield Deed(
        notice.created_at, who(notice.created_by, notice.created_with), _("Wrote the notice.")
    )


def _unrecorded(notice: Notice, entry: Change | None) -> list[int]:
    """Return the revisions without a change here: made in the database, or by an older version."""
    begun = entry.revision if entry else 1
    first = max(notice.revision - MOST_VERSIONS, begun) + 1
    recorded = set(notice.changes.filter(revision__gte=first).values_list("revision", flat=True))
    return [number for number in range(first, notice.revision + 1) if number not in recorded]


def _deeds(changes: Sequence[Change], hers: QuerySet[Channel] | None) -> Iterator[Deed]:
    names = _Names.of(changes, hers)
    for change in changes:
        differences = _readable(change.differences)
        yield Deed(
            change.at,
            who(change.user, change.key),
            _what(change, names),
            [
                _field_change(name, differences[name], names)
                for name in (*FIELDS, *MOMENTS)
                if name in differences
            ],
            change.revision if change.differences else None,
        )


def _readable(differences: object) -> dict[str, list[Any]]:
    """Return the valid differences of a row's value: an update in bulk may write anything."""
    found = differences if isinstance(differences, dict) else {}
    return {name: both for name, both in found.items() if _are_values(name, both)}


def _are_values(name: str, both: object) -> bool:
    return isinstance(both, list) and len(both) == 2 and all(_is_value(name, one) for one in both)


def _is_value(name: str, value: object) -> bool:
    match name:
        case "attachments":
            return True  # `readable` leaves out invalid ones
        case "channels":
            return isinstance(value, list) and len(read_ids(value)) == len(value)
        case "study_id":
            return read_id(value) is not None
    if value is None:
        return name in MOMENTS
    if not isinstance(value, str) or NOT_STORABLE.search(value):
        return False
    return name not in MOMENTS or _is_moment(value)


def _is_moment(text: str) -> bool:
    try:
        return is_aware(datetime.fromisoformat(text))
    except ValueError:
        return False


def who(user: User | None, key: ApiKey | None) -> str:
    if user is not None:
        return display_name(user)
    if key is not None:
        return _("API key “%(name)s”") % {"name": key.name}
    return _("name not known")


def _what(change: Change, names: _Names) -> str:
    told = {
        Change.Deed.CHANGED: _("Changed it."),
        Change.Deed.WITHDRAWN: _("Withdrew it."),
        Change.Deed.SENT_AGAIN: _("Had it tried again in %(channels)s."),
        Change.Deed.LOOKED_AGAIN: _("Had it looked for again in %(channels)s."),
        Change.Deed.LEFT: _("Looked into %(channels)s and left it as it is."),
    }[Change.Deed(change.deed)]
    return told % {"channels": names.of_channels(read_ids(change.channel_ids))}


def differences_in_words(before: dict[str, Any], after: dict[str, Any]) -> list[FieldChange]:
    """Describe which of `FIELDS` differ, as the history describes a change."""
    differing = {
        name: [before[name], after[name]] for name in FIELDS if before[name] != after[name]
    }
    names = _Names.of([Change(differences=differing)])
    return [_field_change(name, difference, names) for name, difference in differing.items()]


def _field_change(name: str, difference: list[Any], names: _Names) -> FieldChange:
    before, after = difference
    field: Any = Notice._meta.get_field(name)
    label = str(field.verbose_name)
    if name == "attachments":
        return FieldChange(label, _names_without(before, after), _names_without(after, before))
    if name in TEXTS:
        return FieldChange(label, parts=changed_parts(before, after))
    return FieldChange(label, names.shown(field, before), names.shown(field, after))


def _names_without(these: Iterable[Any], others: Iterable[Any]) -> str:
    """Name the files that are not among the others; a dash stands for none."""
    kept = readable(others)
    return ", ".join(_file_name(one) for one in readable(these) if one not in kept) or "—"


def _file_name(attached: Attached) -> str:
    name = str(attached["name"])
    return _("%(name)s (picture)") % {"name": name} if attached["picture"] else name


@dataclass(frozen=True)
class _Names:
    """The names of recorded ids, read by two queries; perhaps only those of her channels."""

    channels: dict[int, Channel]
    studies: dict[int, Study]
    are_hers_alone: bool

    @classmethod
    def of(cls, changes: Sequence[Change], hers: QuerySet[Channel] | None = None) -> Self:
        channels = {pk for change in changes for pk in read_ids(change.channel_ids)}
        studies: set[int] = set()
        for differences in (_readable(change.differences) for change in changes):
            for ids in differences.get("channels", ()):
                channels.update(ids)
            studies.update(differences.get("study_id", ()))
        named = Channel.objects.all() if hers is None else hers.distinct()
        known = {channel.pk: channel for channel in named.filter(pk__in=channels)}
        return cls(known, Study.objects.in_bulk(studies), hers is not None)

    def of_channels(self, ids: Sequence[int]) -> str:
        names = (self.channels.get(pk, ANOTHERS if self.are_hers_alone else pk) for pk in ids)
        return ", ".join(dict.fromkeys(map(str, names)))

    def shown(self, field: Any, value: Any) -> str:
        """Write a recorded value as a person reads it; a dash stands for nothing."""
        if value in (None, "", []):
            return "—"
        if field.name == "channels":
            return self.of_channels(value)
        if field.name == "study":
            return str(self.studies.get(value, value))
        if isinstance(field, DateTimeField):
            return moments.in_words(datetime.fromisoformat(value))
        return str(dict(field.flatchoices).get(value, value))
