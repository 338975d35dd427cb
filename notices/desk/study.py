"""Studies on the desk: site admins edit them, and leaders can look at their own."""

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from notices.advice import servers
from notices.advice.channel import never_show
from notices.desk.display_name import display_name
from notices.desk.rights import LedAdmin, StackedInline
from notices.models import Channel, Role, Study, StudyRole

_COLOUR = re.compile("#?[0-9A-Fa-f]{6}")


class ColourField(forms.CharField):
    """A colour picker for a colour that the database stores as a number."""

    widget = UnfoldAdminColorInputWidget

    def prepare_value(self, value: object) -> object:
        return f"#{value:06x}" if isinstance(value, int) else value

    def to_python(self, value: object) -> int:  # type: ignore[override]  # Django's is text.
        written = str(value)
        if not _COLOUR.fullmatch(written):
            raise forms.ValidationError(
                _("%(value)s is not a colour; write one such as #5865f2."),
                params={"value": value},
            )
        return int(written.removeprefix("#"), 16)


class StudyForm(forms.ModelForm):  # type: ignore[type-arg]
    colour = ColourField(
        label=_("colour"),
        initial=Study._meta.get_field("colour").default,
        help_text=_("The bar beside the message."),
    )
    ping_role_id = forms.TypedChoiceField(
        label=_("role to ping"),
        required=False,
        coerce=int,
        empty_value=None,
        widget=UnfoldAdminSelectWidget,
        help_text=_(
            "Among the roles on the servers of its channels, once it is saved with them and the "
            "bot has seen them."
        ),
    )

    class Meta:
        model = Study
        fields = (
            "name",
            "channels",
            "colour",
            "language",
            "time_zone",
            "ping_role_id",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "ping_role_id" in self.fields:
            field: Any = self.fields["ping_role_id"]
            field.choices = [("", _("nobody")), *self._roles()]
        if "channels" in self.fields:
            doubles = servers.alike_now()
            channels: Any = self.fields["channels"]
            channels.label_from_instance = lambda channel: servers.label(channel, doubles)

    def clean_channels(self) -> QuerySet[Channel]:
        channels: QuerySet[Channel] = self.cleaned_data["channels"]
        if whys := never_show(channels):
            raise forms.ValidationError(list(whys.values()))
        return channels

    def _roles(self) -> list[tuple[int, str]]:
        if not self.instance.pk:
            return []
        pickable = Role.objects.pickable_for(self.instance)
        offered = {role.pk: _labelled(role) for role in pickable}
        if (picked := self.instance.ping_role_id) is not None:
            offered.setdefault(picked, _unseen(picked))
        return list(offered.items())


def _labelled(role: Role) -> str:
    if role.member_count is None:
        return f"{role} ({role.guild_name})"
    text = ngettext("%(n)d person", "%(n)d people", role.member_count)
    return f"{role} ({role.guild_name}, {text % {'n': role.member_count}})"


def _unseen(role_id: int) -> str:
    return gettext("%(id)d: the bot sees no such role on the servers of its channels") % {
        "id": role_id
    }


class AccountField(forms.CharField):
    """An account by its login name."""

    widget = UnfoldAdminTextInputWidget

    def clean(self, value: object) -> User | None:
        name = User.normalize_username(super().clean(value))
        if not name:
            return None
        user = User.objects.filter(username=name).first() if name.isprintable() else None
        if user is None:
            raise forms.ValidationError(
                _("%(value)s is nobody's login name: make the account first, or invite her."),
                params={"value": name},
            )
        return user


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    user = AccountField(label=_("login name"))

    class Meta:
        model = StudyRole
        fields = ("user", "role", "sees_names")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["user"] = self.instance.user.get_username()


class RolesInline(StackedInline):
    model = StudyRole
    form = RoleForm
    fields = RoleForm.Meta.fields
    extra = 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request).select_related("user")
        return found

    def has_view_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return request.user.is_authenticated

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return request.user.is_superuser


class WithoutLeader(admin.SimpleListFilter):
    """Nobody but a site admin can do anything for such a study."""

    title = _("leaders")
    parameter_name = "leaders"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("none", gettext("nobody leads it"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Study]) -> QuerySet[Study]:
        if self.value() != "none":
            return queryset
        return queryset.filter(pk__in=Study.objects.without_leader())


@admin.register(Study)
class StudyAdmin(LedAdmin):
    form = StudyForm
    inlines = (RolesInline,)
    list_display = ("name", "leaders", "language", "time_zone", "notices")
    list_filter = (WithoutLeader,)
    search_fields = ("name",)
    readonly_fields = ("ping_role",)
    autocomplete_fields = ("channels",)

    def has_delete_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        """Hide the delete button of a study with notices: the database would refuse."""
        has_notices = obj is not None and obj.notices.exists()
        return super().has_delete_permission(request, obj) and not has_notices

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        leading = StudyRole.objects.filter(role=StudyRole.Role.LEADER).select_related("user")
        return super().get_queryset(request).prefetch_related(Prefetch("roles", leading, "leading"))

    def get_list_filter(self, request: HttpRequest) -> Any:
        return self.list_filter if request.user.is_superuser else ()

    @admin.display(description=_("leaders"))
    def leaders(self, study: Any) -> str:
        names = [display_name(role.user) for role in study.leading]
        return ", ".join(names) or gettext("nobody leads it")

    @admin.display(description=_("notices"))
    def notices(self, study: Study) -> SafeString:
        return format_html(
            '<a class="text-link" href="{}?study={}">{}</a> · '
            '<a class="text-link" href="{}?study={}">{}</a>',
            reverse("admin:notices_notice_add"), study.pk, _("Write a notice"),
            reverse("admin:notices_notice_changelist"), study.pk, _("Its notices"),
        )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: Study | None = None) -> tuple[str, ...]:
        shown = StudyForm.Meta.fields
        if self.has_change_permission(request, obj):
            return shown
        names = {"colour": None, "ping_role_id": "ping_role"}
        return tuple(name for one in shown if (name := names.get(one, one)))

    @admin.display(description=_("role to ping"))
    def ping_role(self, study: Study) -> str | None:
        if study.ping_role_id is None:
            return None
        role = Role.objects.filter(pk=study.ping_role_id).first()
        return _labelled(role) if role else _unseen(study.ping_role_id)
