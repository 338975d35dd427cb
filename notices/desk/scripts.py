"""An admin that loads only the scripts that its page uses."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.http import HttpRequest, HttpResponse
from unfold import admin as unfold_admin

if TYPE_CHECKING:  # Unfold's class has no types; it is a subclass of Django's.
    ThemedAdmin = admin.ModelAdmin[Any]
else:
    ThemedAdmin = unfold_admin.ModelAdmin


class LeanAdmin(ThemedAdmin):
    @property
    def media(self) -> forms.Media:
        """The scripts of a list; a form's come with its widgets.

        Django would load 600 KB more, mostly jQuery, on every page.
        """
        return forms.Media(js=("admin/js/actions.js",))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        fields = context["adminform"].form.fields.values()
        if any(isinstance(field.widget, RelatedFieldWidgetWrapper) for field in fields):
            context["media"] += _related_media()
        return super().render_change_form(request, context, *args, **kwargs)


def _related_media() -> forms.Media:
    """Return the scripts of a field that opens a row in a window; Django's need jQuery."""
    minified = "" if settings.DEBUG else ".min"
    names = (f"vendor/jquery/jquery{minified}", "jquery.init", "admin/RelatedObjectLookups")
    return forms.Media(js=[f"admin/js/{name}.js" for name in names])
