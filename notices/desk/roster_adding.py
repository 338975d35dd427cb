"""The pages that add people to a roster, after a preview, and that save a roster as a file."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_GET
from unfold.widgets import UnfoldAdminTextareaWidget

from notices import moments
from notices.desk.once import made, once
from notices.desk.rights import user_of
from notices.models import Membership, Right, Study
from notices.outside import clock
from notices.people import roster, roster_list
from notices.people.roster_list import Kind, Line

PREVIEWED = "previewed"
# Of each kind the page shows so many; of thousands of new ones she reads none.
MOST_SHOWN = 200
_SALT = "notices.desk.roster_adding"
A_DAY = 24 * 60 * 60
_HEADS = {
    Kind.WRONG: gettext_lazy("Wrong: these lines are left out"),
    Kind.TWICE: gettext_lazy("More than once"),
    Kind.NEW: gettext_lazy("New"),
    Kind.BACK: gettext_lazy("Come back"),
    Kind.KNOWN: gettext_lazy("On the roster already"),
}


class PeopleForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("ids, one on each line"),
        required=False,
        # Line numbers count from the first line that she sees.
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "autocomplete": "off"}),
        help_text=gettext_lazy(
            "In Discord: settings, Advanced, Developer Mode; then Copy User ID in a person's menu. "
            "A name may stand beside the id."
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("or a file"),
        required=False,
        allow_empty_file=True,
        help_text=gettext_lazy(
            "CSV with a column of ids, as Excel or Google Sheets save it; at most 5,000 lines."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        text, file = cleaned.get("text", ""), cleaned.get("file")
        if file and text.strip():
            raise ValidationError(
                _("Here are both a file and pasted ids: add one, then the other.")
            )
        name = "file" if file else "text"
        try:
            cleaned["rows"] = roster_list.read(file.read()) if file else roster_list.read_text(text)
        except ValidationError as error:
            self.add_error(name, error)
        return cleaned


def add_people(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form, then what it would do, and do that once it is confirmed."""
    study = _study(request, pk, Right.LEAD)
    if PREVIEWED in request.POST:
        return once(request, lambda: _add(request, study))
    form = PeopleForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        return _preview(request, study, roster_list.judge(study, form.cleaned_data["rows"]))
    context = {"form": form, "title": _("Add people")}
    return _page(request, study, "add_people", context)


@require_GET
def save_as_csv(request: HttpRequest, pk: int) -> HttpResponse:
    study = _study(request, pk, Right.SEE_NAMES)
    members = study.memberships.filter(until=None).select_related("person").order_by("pk")
    data = roster_list.write(members, moments.zone_named(study.time_zone))
    headers = {"Content-Disposition": f'attachment; filename="members-{study.pk}.csv"'}
    return HttpResponse(data, content_type="text/csv; charset=utf-8", headers=headers)


def _study(request: HttpRequest, pk: int, right: Right) -> Study:
    study = Study.objects.allowing(Right.SEE, request.user).filter(pk=pk).first()
    if study is None:
        raise Http404
    if not Study.objects.allowing(right, request.user).filter(pk=pk).exists():
        raise PermissionDenied
    return study


def _preview(request: HttpRequest, study: Study, lines: list[Line]) -> HttpResponse:
    found = roster_list.by_kind(lines)
    added = [line for kind in (Kind.NEW, Kind.BACK) for line in found.get(kind, ())]
    groups = [
        (head, kind.name.lower(), len(found[kind]), found[kind][:MOST_SHOWN])
        for kind, head in _HEADS.items()
        if kind in found
    ]
    context = {
        "title": _("What this list would do"),
        "groups": groups,
        "added": len(added),
        "field": PREVIEWED,
        "previewed": _signed(request, study, added),
        "most_shown": MOST_SHOWN,
    }
    return _page(request, study, "preview", context)


def _signed(request: HttpRequest, study: Study, lines: list[Line]) -> str:
    """Hold what is shown, so that nothing else is written. The browser keeps it."""
    whom = [(line.discord_id, line.name) for line in lines]
    held = {"study": study.pk, "user": user_of(request).pk, "whom": whom}
    return signing.dumps(held, salt=_SALT, compress=True)


def _add(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        held = signing.loads(request.POST[PREVIEWED], salt=_SALT, max_age=A_DAY)
    except signing.BadSignature:
        held = {}
    if (held.get("study"), held.get("user")) != (study.pk, user_of(request).pk):
        told = _("What this page showed is a day old, or another page's. Add the list again.")
        messages.error(request, told)
        return redirect("admin:notices_membership_add_people", study.pk)
    names = dict(held["whom"])
    added = roster.add(study, names, Membership.Way.LISTED, clock.now(), names)
    LogEntry.objects.log_actions(
        user_of(request).pk, [study], CHANGE, gettext_noop("Added people to the roster."),
        single_object=True,
    )  # fmt: skip
    made(request)
    told = _("Added to the roster: %(new)d new, %(back)d back. %(known)d were on it already.")
    counts = {name: len(ids) for name, ids in added._asdict().items()}
    messages.success(request, told % counts)
    return redirect(_roster_of(study))


def _roster_of(study: Study) -> str:
    there = reverse("admin:notices_membership_changelist")
    return f"{there}?{urlencode({'study': study.pk})}"


def _page(
    request: HttpRequest, study: Study, template: str, context: dict[str, Any]
) -> HttpResponse:
    common = {
        **admin.site.each_context(request),
        "opts": Membership._meta,
        "study": study,
        "back": _roster_of(study),
    }
    return TemplateResponse(request, f"admin/notices/membership/{template}.html", common | context)
