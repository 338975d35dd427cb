"""The data for a notice's page, by which its scripts preview, count and keep what is typed."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from notices.delivery import message
from notices.desk.once import sent_writing, writing_of
from notices.desk.upload_fields import shown_in_form
from notices.files import attached
from notices.files.uploads import NO_PICTURE
from notices.models import REFERENCE_LENGTH, BotInstance, Channel, Notice, Study, Submission
from notices.tables.notice_fields import SHOWN

# Discord's limit of all texts of a message's embeds together.
LIMIT_IN_ALL = 6000
UNKNOWN_REFERENCE = "X" * REFERENCE_LENGTH
_SAVED = "saved_writings"
MOST_SAVED = 20
# The preview reads these elsewhere: in the text's own element, in the files and in the page.
_READ_ELSEWHERE = ("content", "attachments", "study_id")
_READ_AS_THEY_ARE = [name for name in SHOWN if name not in _READ_ELSEWHERE]


def remember_saved(request: HttpRequest) -> None:
    """Have the next page tell the browser to delete its copy of the text that is saved now."""
    if writing := sent_writing(request):
        request.session[_SAVED] = [*request.session.get(_SAVED, []), writing][-MOST_SAVED:]


def page_data(request: HttpRequest, form: Any) -> dict[str, Any]:
    """Return the data for a form that can be edited; its notice may be a new one."""
    notice = form.instance if form.instance.pk else None
    is_fixed = "study" not in form.fields
    studies = [form.instance.study] if is_fixed else form.fields["study"].queryset
    published = notice and notice.publish_at if "publish_at" not in form.fields else None
    return {
        "user": request.user.pk,
        "writing": writing_of(request),
        "writings": list(_writings_of(request)) if notice else [],
        "saved": request.session.pop(_SAVED, []),
        "isRefused": form.is_bound,
        "notice": notice and notice.pk,
        "revision": notice and notice.revision,
        "study": notice and notice.study_id,
        "published": published and f"{localtime(published):%Y-%m-%dT%H:%M}",
        "studies": {study.pk: _study(study, notice) for study in studies},
        "channels": {channel.pk: channel.name for channel in _named_channels(form)},
        "limitInAll": LIMIT_IN_ALL,
        "texts": _texts(),
    }


def shown_data(notice: Notice, channels: Iterable[Channel]) -> dict[str, Any]:
    """Return what the preview of a read-only notice reads instead of a form.

    `channels` are those that she may know.
    """
    held = notice.uploads.in_bulk()
    picture, files = (
        attached.picture_of(notice.attachments),
        attached.files_of(notice.attachments),
    )
    listed = {"picture": [picture] if picture else [], "attached": files}
    return {
        "values": {name: getattr(notice, name) for name in _READ_AS_THEY_ARE},
        "attached": {
            name: [shown_in_form(held[one["id"]]) for one in ones if one["id"] in held]
            for name, ones in listed.items()
        },
        "page": {
            "study": notice.study_id,
            "published": notice.publish_at and f"{localtime(notice.publish_at):%Y-%m-%dT%H:%M}",
            "studies": {notice.study_id: _study(notice.study, notice)},
            "channels": {one.pk: one.name for one in channels if one.name},
            "texts": _texts(),
        },
    }


def _writings_of(request: HttpRequest) -> Iterable[str]:
    """Return the names of the pages that created the notice."""
    hers = Submission.objects.filter(user=request.user.pk, led_to=request.path)
    return hers.values_list("writing", flat=True)


def _study(study: Study, notice: Notice | None) -> dict[str, Any]:
    revision = notice.revision if notice else 1
    return {
        "colour": study.colour,
        "zone": study.time_zone,
        "footer": message.footer_text(study, "", UNKNOWN_REFERENCE, revision),
        **message.lines_to_fill_in(study),
        "pings": {ping: message.ping_text(study, ping) for ping in Notice.Ping.values},
        "roles": {study.ping_role_id: _("role of %(study)s") % {"study": study.name}}
        if study.ping_role_id
        else {},
    }


def _named_channels(form: Any) -> list[Channel]:
    offered = form.fields["channels"].queryset if "channels" in form.fields else []
    return [channel for channel in offered if channel.name]


def _bot_name() -> str:
    """Return the bot's name in Discord; a running bot has stored it."""
    named = BotInstance.objects.exclude(display_name="").order_by("-is_active", "-heartbeat_at")
    return named.values_list("display_name", flat=True).first() or _("Notice bot")


def _texts() -> dict[str, Any]:
    """Return the texts of the scripts, which replace the names in braces."""
    return {
        "bot": _bot_name(),
        "app": _("APP"),
        "yesterday": _("Yesterday at {time}"),
        "user": _("user"),
        "role": _("role"),
        "channel": _("channel"),
        "spoiler": _("Spoiler, press to show"),
        "picture": _("Picture"),
        "brokenPicture": _("The picture could not be loaded."),
        "inAll": _("Total"),
        "left": _("{name}: {n} characters left."),
        "tooMany": _("{name}: {n} characters too many."),
        "uploading": _("{name} is being uploaded"),
        "uploaded": _("{name} is uploaded. It is attached when you save."),
        "uploadLost": _("{name} could not be uploaded: the connection broke off. Add it again."),
        "uploadGone": _("A file that was added here is not kept any more. Add it again."),
        "stillUploading": _(
            "Files are still being uploaded: wait for them, or cancel them, then save."
        ),
        "fileTooLarge": _(
            "{name} has {size} MB, and a file may have {n} MB at most: make it smaller, or share "
            "it by a link."
        ),
        "noPicture": NO_PICTURE[False] % {"name": "{name}"},
        "heic": NO_PICTURE[True] % {"name": "{name}"},
        "tooManyFiles": _("{name} was not added: {n} at most. Remove another first."),
        "cancel": _("Cancel"),
        "cancelUpload": _("Cancel the upload of {name}"),
        "remove": _("Remove"),
        "removeFile": _("Remove {name}"),
        "removed": _("{name} is removed. Others see it until you save."),
        "toolLost": _("This could not be loaded: look at your connection, and press it again."),
        "emoji": _emoji_texts(),
        "timestamp": {
            "label": _("A moment on each reader's clock"),
            "moment": _("Moment"),
            "style": _("Shown as"),
            "add": _("Put it in"),
            "help": _("Discord shows each reader the moment by the clock beside her."),
        },
    }


def _emoji_texts() -> dict[str, Any]:
    """Return the texts of the emoji picker, in the form of its library."""
    return {
        "regionLabel": _("Emoji"),
        "searchLabel": _("Search"),
        "searchResultsLabel": _("Search results"),
        "searchDescription": _("Press up or down to select a result, and Enter to take it."),
        "categoriesLabel": _("Categories"),
        "favoritesLabel": _("Often used"),
        "loadingMessage": _("Loading…"),
        "networkErrorMessage": _("The emoji could not be loaded."),
        "emojiUnsupportedMessage": _("Your browser shows no coloured emoji."),
        "skinToneLabel": _("Pick a skin tone (now {skinTone})"),
        "skinTonesLabel": _("Skin tones"),
        "skinToneDescription": _("Press up or down to select one, and Enter to take it."),
        "skinTones": [
            _("Default"), _("Light skin"), _("Medium-light skin"), _("Medium skin"),
            _("Medium-dark skin"), _("Dark skin"),
        ],
        "categories": {
            "custom": _("Others"),
            "smileys-emotion": _("Faces and feelings"),
            "people-body": _("People"),
            "animals-nature": _("Animals and nature"),
            "food-drink": _("Food and drink"),
            "travel-places": _("Travel and places"),
            "activities": _("Activities"),
            "objects": _("Objects"),
            "symbols": _("Symbols"),
            "flags": _("Flags"),
        },
    }  # fmt: skip
