"""What django-unfold says on our pages: it has no Korean, so our catalogue has it for these."""

from django.utils.translation import gettext_noop as _

WORDS = (
    _("Type to search"),
    _("Select all rows"),
    _("Select record"),
    _("Select action"),
    _("Select action to run"),
    _("Select value"),
    _("Light"),
    _("Dark"),
    _("System"),
    _("More actions"),
    _("Reset filters"),
    _("Clear all filters"),
    _("No results found"),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("Welcome back to"),
    _("Toggle password visibility"),
    _("Cancel"),
    _("Go back"),
)
