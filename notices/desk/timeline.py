"""The history of a notice: what people and frontends did to it, and what the bot did, by time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Self

from django.db.models import DateTimeField, Q, QuerySet
from django.utils.translation import gettext as _

from notices import moments, reasons
from notices.attachments import Attached, readable
from notices.desk.display_name import display_name
from notices.desk.text_diff import Part, changed_parts
from notices.ids import read_id
from notices.models import Attempt, Change, Channel, Notice, Study

PAGE_ROWS = 100
# Whoever wants to know more of one notice has the database.
LAST_PAGE = 100
# The newest of a notice's versions, among which those that nobody recorded are looked for.
MOST_VERSIONS = 1000
TEXTS = {"content"}
# As on the form.
FIELDS = (
    "study_id", "channels", "title", "content", "author", "ping", "url", "image", "attachments",
)  # fmt: skip
MOMENTS = ("publish_at", "expires_at", "withdrawn_at")


@dataclass(frozen=True)
class FieldChange:
    label: str
    before: str = ""
    after: str = ""
    parts: Sequence[Part] = ()
    """Of a longer text: its words that went and came, instead of `before` and `after`."""


@dataclass(frozen=True)
class Deed:
    """Something that a person, or a frontend, did."""

    at: datetime
    who: str
    what: str
    changes: Sequence[FieldChange] = ()
    revision: int | None = None


@dataclass(frozen=True)
class Request:
    """Something that the bot asked of Discord."""

    at: datetime
    attempt: Attempt
    channel: Channel
    why: reasons.Reason | None


@dataclass(frozen=True)
class Page:
    events: Sequence[Deed | Request]
    unrecorded: Sequence[int]
    number: int
    goes_on: bool

    @property
    def older(self) -> int | None:
        return self.number + 1 if self.goes_on and self.number < LAST_PAGE else None

    @property
    def newer(self) -> int | None:
        return self.number - 1 if self.number > 1 else None


def page_of(notice: Notice, user: Any, asked: str = "") -> Page:
    """As she may read it, the newest first; a few queries, however long the history."""
    entry = Change.objects.entry(notice, Study.objects.led_by(user))
    number = min(read_id(asked) or 1, LAST_PAGE)
    most = number * PAGE_ROWS + 1
    newest = sorted(_events(notice, entry, most), key=attrgetter("at"), reverse=True)
    events = newest[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    goes_on = len(newest) > number * PAGE_ROWS
    return Page(events, _unrecorded(notice, entry), number, goes_on)


def _events(notice: Notice, entry: Change | None, most: int) -> Iterator[Deed | Request]:
    """At least the `most` newest; nothing of what was before the notice's entry."""
    rows, attempts = notice.changes.all(), Attempt.objects.filter(delivery__notice=notice)
    hers = None
    if entry is not None:
        rows, attempts = rows.filter(pk__gt=entry.pk), attempts.filter(begun_at__gt=entry.at)
        hers = Channel.objects.filter(Q(studies=notice.study_id) | Q(notices=notice))
    yield from _deeds(list(rows.select_related("user", "key").order_by("-id")[:most]), hers)
    for attempt in attempts.select_related("delivery__channel").order_by("-id")[:most]:
        why = None if attempt.code is None else reasons.explain(attempt.code)
        yield Request(attempt.begun_at, attempt, attempt.delivery.channel, why)
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
    """Versions that came past the desk and the API, or before this history was kept."""
    begun = entry.revision if entry else 1
    first = max(notice.revision - MOST_VERSIONS, begun) + 1
    recorded = set(notice.changes.filter(revision__gte=first).values_list("revision", flat=True))
    return [number for number in range(first, notice.revision + 1) if number not in recorded]


def _deeds(changes: Sequence[Change], hers: QuerySet[Channel] | None) -> Iterator[Deed]:
    names = _Names.of(changes, hers)
    for change in changes:
        yield Deed(
            change.at,
            who(change.user, change.key),
            _what(change, names),
            [
                _field_change(name, change.differences[name], names)
                for name in (*FIELDS, *MOMENTS)
                if name in change.differences
            ],
            change.revision if change.differences else None,
        )


def who(user: Any, key: Any) -> str:
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
    return told % {"channels": names.of_channels(change.channel_ids)}


def differences_in_words(before: dict[str, Any], after: dict[str, Any]) -> list[FieldChange]:
    """Of those of `FIELDS` that differ, as they are recorded of a change."""
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


def _names_without(these: Any, others: Any) -> str:
    """Of the files that are not among the others; a dash for none."""
    kept = readable(others)
    return ", ".join(_file_name(one) for one in readable(these) if one not in kept) or "—"


def _file_name(attached: Attached) -> str:
    name = str(attached["name"])
    return _("%(name)s (picture)") % {"name": name} if attached["picture"] else name


@dataclass(frozen=True)
class _Names:
    """Of what the recorded ids stand for: two queries for a page. Of channels perhaps only hers."""

    channels: dict[int, Channel]
    studies: dict[int, Study]

    @classmethod
    def of(cls, changes: Sequence[Change], hers: QuerySet[Channel] | None = None) -> Self:
        channels = {pk for change in changes for pk in change.channel_ids}
        studies: set[int] = set()
        for change in changes:
            for ids in change.differences.get("channels", ()):
                channels.update(ids)
            studies.update(change.differences.get("study_id", ()))
        named = Channel.objects.all() if hers is None else hers.distinct()
        known = {channel.pk: channel for channel in named.filter(pk__in=channels)}
        return cls(known, Study.objects.in_bulk(studies))

    def of_channels(self, ids: Sequence[int]) -> str:
        return ", ".join(str(self.channels.get(pk, pk)) for pk in ids)

    def shown(self, field: Any, value: Any) -> str:
        """A recorded value as a person reads it; a dash for nothing."""
        if value in (None, "", []):
            return "—"
        if field.name == "channels":
            return self.of_channels(value)
        if field.name == "study":
            return str(self.studies.get(value, value))
        if isinstance(field, DateTimeField):
            return moments.in_words(datetime.fromisoformat(value))
        return str(dict(field.flatchoices).get(value, value))
