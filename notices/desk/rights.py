"""Rights on the desk: leaders see what they lead, and nobody changes the records."""

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import IntegerField, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import admin as unfold_admin

from notices import moved
from notices.desk.once import made, once
from notices.desk.rows_field import RowsField
from notices.desk.scripts import LeanAdmin
from notices.ids import read_id
from notices.models import Notice, Right, Study
from notices.people import rights
from notices.tables.change import AnyUser

if TYPE_CHECKING:  # Unfold's class has no types; it is a subclass of Django's.
    TabularInline = admin.TabularInline[Any, Any]
    StackedInline = admin.StackedInline[Any, Any]
else:
    TabularInline = unfold_admin.TabularInline
    StackedInline = unfold_admin.StackedInline

LEADS_NO_STUDY = gettext_lazy(
    "The account %(name)s leads no study. Ask a site admin to make it a leader."
)
MOST_OFFERED = 50
# A search looks for each word in each column of every row, so its cost has to be bounded.
MOST_WORDS = 30
MOST_LETTERS = 300
# The rows of one action: somebody waits for its page.
MOST_CHOSEN = 500


class ModelAdmin(LeanAdmin):
    """The base of the desk's pages: a form that is sent twice makes one row."""

    making_actions: tuple[str, ...] = ()
    """The actions that create rows, and must not run twice."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        make = partial(super().changeform_view, request, object_id, *args, **kwargs)
        is_making = request.method == "POST" and object_id is None
        return once(request, make) if is_making else make()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Replace unfold's link to delete, whose text keeps the English order of words."""
        obj = kwargs.get("obj")
        may_delete = obj is not None and self.has_delete_permission(request, obj)
        context |= {"show_delete": False, "may_delete": may_delete}
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        made(request)
        return super().response_add(request, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        make = partial(super().changelist_view, request, extra_context)
        is_making = request.POST.get("action") in self.making_actions
        return once(request, make) if is_making else make()

    def formfield_for_manytomany(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(*args, **{"form_class": RowsField, **kwargs})

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
        """Drop what is no id and limit the rows: Django does neither."""
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


def user_of(request: HttpRequest) -> User:
    """Return the request's user, who is logged in: `Desk.has_permission` lets nobody else in."""
    return cast("User", request.user)


def led_studies(user: AnyUser) -> list[Study]:
    """Return the studies in which she has a role, or all for a site admin."""
    return list(Study.objects.all()) if user.is_superuser else rights.studies_of(user)


def may_enter(user: AnyUser) -> bool:
    """Let in whoever leads a study: a separate flag could disagree with the study's leaders."""
    if not user.is_active or not user.is_authenticated:
        return False
    return user.is_superuser or bool(led_studies(user))


def foreign_channels(user: AnyUser, *notices: Notice) -> dict[int, set[int]]:
    """Return, by notice, its channels that came from a study that she does not lead."""
    return moved.foreign_channels(notices, Study.objects.allowing(Right.SEE, user))


def deeds_of(user: AnyUser, notice: Notice) -> set[str]:
    """Return what she may do with it by buttons: "write" (duplicate), "publish", "send"."""
    needed = {"write": Right.DRAFT, "publish": Right.PUBLISH, "send": rights.to_send_again(notice)}
    return {deed for deed, right in needed.items() if rights.may(user, right, notice.study_id)}


def leads_many(user: AnyUser) -> bool:
    """Return whether she leads more studies than one form can offer with their channels."""
    if user.is_superuser:
        return Study.objects.order_by()[MOST_OFFERED : MOST_OFFERED + 1].exists()
    return len(led_studies(user)) > MOST_OFFERED


class LedAdmin(ModelAdmin):
    """An admin that shows a leader only the rows that `led_by` returns.

    Every view of Django's admin finds its objects through `get_queryset`, so that a row left out
    there can neither be seen, nor changed, nor acted on. `Desk.has_permission` has checked before
    that the user leads a study.
    """

    right = Right.SEE
    """What she has to have in a row's study."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request).allowing(self.right, request.user)  # type: ignore[attr-defined]
        return found

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_authenticated

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # Any other lookup could find out something about another study's rows.
        return lookup in {getattr(offered, "parameter_name", None) for offered in self.list_filter}


class ReadOnly:
    """A page whose rows nobody adds, changes or deletes by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
