"""Studies on the desk: a site admin sets them up, their leaders look."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminColorInputWidget, UnfoldAdminTextInputWidget

from notices.desk.rights import LedAdmin
from notices.models import Study


class ColourField(forms.CharField):
    """A number in the database, a colour picker on the page."""

    widget = UnfoldAdminColorInputWidget

    def prepare_value(self, value: Any) -> Any:
        return f"#{value:06x}" if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        text = str(value).removeprefix("#")
        try:
            return int(text, 16)
        except ValueError:
            raise forms.ValidationError(
                _("%(value)s is not a colour; write one such as #5865f2."),
                params={"value": value},
            ) from None


class StudyForm(forms.ModelForm):  # type: ignore[type-arg]
    colour = ColourField(label=_("colour"), help_text=_("The bar beside the message."))

    class Meta:
        model = Study
        fields = (
            "name",
            "leaders",
            "channels",
            "colour",
            "language",
            "time_zone",
            "ping_role_id",
        )
        widgets = {"ping_role_id": UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"})}


@admin.register(Study)
class StudyAdmin(LedAdmin):
    form = StudyForm
    list_display = ("name", "language", "time_zone")
    search_fields = ("name",)
    autocomplete_fields = ("leaders", "channels")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = StudyForm.Meta.fields
        if self.has_change_permission(request, obj):
            return shown
        return tuple(name for name in shown if name != "colour")
