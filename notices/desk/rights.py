"""Who may do what on the desk: leaders by what they lead, nobody to the history."""

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import IntegerField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from unfold import admin as unfold_admin

from notices.desk.keys import KeysField
from notices.desk.once import made, once
from notices.desk.scripts import LeanAdmin
from notices.ids import read_id
from notices.models import Study

if TYPE_CHECKING:  # Unfold's have no types, and are Django's.
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = unfold_admin.TabularInline

MOST_OFFERED = 50
# Each word is looked for in each of the columns, in every row.
MOST_WORDS = 30
MOST_LETTERS = 300
# Rows that one action goes through, while somebody waits for its page.
MOST_CHOSEN = 500


class ModelAdmin(LeanAdmin):
    """Every page of the desk: what one of them makes is made once."""

    making_actions: tuple[str, ...] = ()
    """Those of the list's actions that make something."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        make = partial(super().changeform_view, request, object_id, *args, **kwargs)
        is_making = request.method == "POST" and object_id is None
        return once(request, make) if is_making else make()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Our own link deletes: unfold's says it in the order of English words."""
        obj = kwargs.get("obj")
        may_delete = obj is not None and self.has_delete_permission(request, obj)
        context |= {"show_delete": False, "may_delete": may_delete}
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        made(request)
        return super().response_add(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        make = partial(super().changelist_view, request, *args, **kwargs)
        is_making = request.POST.get("action") in self.making_actions
        return once(request, make) if is_making else make()

    def formfield_for_manytomany(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(*args, **{"form_class": KeysField, **kwargs})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.split()
        if len(words) > MOST_WORDS or len(search_term) > MOST_LETTERS:
            told = _("Search for at most %(words)d words and %(letters)d letters.")
            messages.warning(request, told % {"words": MOST_WORDS, "letters": MOST_LETTERS})
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Django would ask the database for whatever was sent, and go through however many rows."""
        if isinstance(self.opts.pk, IntegerField):
            sent = request.POST.copy()
            chosen = [key for key in sent.getlist(ACTION_CHECKBOX_NAME) if read_id(key)]
            sent.setlist(ACTION_CHECKBOX_NAME, chosen)
            request.POST = sent  # type: ignore[assignment]
        chooses_all = request.POST.get("select_across", "0") not in ("", "0")
        if chooses_all and queryset.values("pk")[MOST_CHOSEN : MOST_CHOSEN + 1].exists():
            told = _("These are more than %(n)d. Choose fewer at a time.")
            messages.error(request, told % {"n": MOST_CHOSEN})
            return None
        return super().response_action(request, queryset, *args, **kwargs)


def led_studies(user: Any) -> list[Study]:
    """The studies that she leads, or all for a site admin: read once a request, as `user` is."""
    if not hasattr(user, "_led_studies"):
        user._led_studies = list(Study.objects.led_by(user))
    found: list[Study] = user._led_studies
    return found


def leads_many(user: Any) -> bool:
    """More studies than one form can offer with their channels: one of them is picked first."""
    if user.is_superuser:
        return Study.objects.order_by()[MOST_OFFERED : MOST_OFFERED + 1].exists()
    return len(led_studies(user)) > MOST_OFFERED


class LedAdmin(ModelAdmin):
    """What a leader sees a part of: the rows that `led_by` lets through.

    Every view of Django's admin finds its objects through `get_queryset`: a row left out here can
    neither be seen, nor changed, nor acted on. Whether the user leads anything was asked at the
    desk's door (`Desk.has_permission`).
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request).led_by(request.user)  # type: ignore[attr-defined]
        return found

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_authenticated

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # Only what a filter here offers: a free lookup could ask about another study's rows.
        return lookup in {getattr(offered, "parameter_name", None) for offered in self.list_filter}


class ReadOnly:
    """History: nobody adds, changes or deletes it by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
