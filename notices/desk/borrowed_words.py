"""What others say on our pages: our catalogue, which comes first, has natural Korean for these."""

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

# django-unfold has no Korean.
UNFOLD = (
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
    _("Date"),
    _("Time"),
    _("True"),
    _("False"),
    _("After you've created a user, you’ll be able to edit more user options."),
    _(
        "Raw passwords are not stored, so there is no way to see this user’s password, but you can "
        'change the password using <a href="{}" class="text-primary-600 dark:text-primary-500">'
        "this form</a>."
    ),
)
# Django's Korean is stiffer than ours, where it is not in error.
DJANGO = (
    _("View %s"),
    _("Added “%(object)s”."),
    _("Changed “%(object)s” — %(changes)s"),
    _("Deleted “%(object)s.”"),
    _("This field is required."),
    _(
        "Please enter the correct %(username)s and password for a staff account. Note that both "
        "fields may be case-sensitive."
    ),
    ngettext_lazy("Please correct the error below.", "Please correct the errors below."),
    _("Run the selected action"),
    _("Select all objects on this page for an action"),
    _("This object doesn’t have a change history. It probably wasn’t added via this admin site."),
    _(
        'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"? All of the '
        "following related items will be deleted:"
    ),
    _("Yes, I’m sure"),
    _("No, take me back"),
    _(
        "Please enter your old password, for security’s sake, and then enter your new password "
        "twice so we can verify you typed it in correctly."
    ),
    _("Your password was changed."),
    _("Password change successful"),
    _("Password changed successfully."),
    _("Your password can’t be too similar to your other personal information."),
    _("Your password can’t be a commonly used password."),
    _("Your password can’t be entirely numeric."),
    ngettext_lazy(
        "Your password must contain at least %(min_length)d character.",
        "Your password must contain at least %(min_length)d characters.",
        "min_length",
    ),
    _(
        "Whether the user will be able to authenticate using a password or not. If disabled, they "
        "may still be able to authenticate using other backends, such as Single Sign-On or LDAP."
    ),
    _("Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only."),
    _(
        "Designates whether this user should be treated as active. Unselect this instead of "
        "deleting accounts."
    ),
    _("Designates that this user has all permissions without explicitly assigning them."),
)
