"""Texts of libraries on our pages, marked so that our Korean catalogue translates them."""

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
# django-q2 has no Korean.
DJANGO_Q = (
    _("Name"),
    _("Function"),
    _("Schedule Type"),
    _("Repeats"),
    _("Cluster"),
    _("Next Run"),
    _("last_run"),
    _("success"),
    _("Success"),
    _("Hook"),
    _("Arguments"),
    _("Keyword arguments"),
    _("Minutes"),
    _("Cron"),
    _("Last task id"),
    _("Intended date kwarg"),
    _("Once"),
    _("Hourly"),
    _("Daily"),
    _("Weekly"),
    _("Biweekly"),
    _("Monthly"),
    _("Bimonthly"),
    _("Quarterly"),
    _("Yearly"),
    _("Group"),
    _("Started at"),
    _("Stopped at"),
    _("Time Taken"),
    _("Short result"),
    _("Task id"),
    _("Result"),
    _("Attempt count"),
    _("Scheduled task"),
    _("Scheduled tasks"),
    _("Successful task"),
    _("Successful tasks"),
    _("Failed task"),
    _("Failed tasks"),
    _("Queued task"),
    _("Queued tasks"),
    _("Lock until"),
    _("Cluster key"),
    _("Payload"),
)
# Django's own Korean is stiff for these, or wrong.
DJANGO = (
    _("View %s"),
    _("Added “%(object)s”."),
    _("Changed “%(object)s” — %(changes)s"),
    _("Deleted “%(object)s.”"),
    _("This field is required."),
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
    _(" By %(filter_title)s "),
    _("Added."),
    _("Added {name} “{object}”."),
    _("Changed {fields}."),
    _("Changed {fields} for {name} “{object}”."),
    _("Deleted {name} “{object}”."),
    _("No fields changed."),
    _("and"),
    _("The {name} “{obj}” was added successfully."),
    _("You may edit it again below."),
    _("The {name} “{obj}” was added successfully. You may add another {name} below."),
    _("The {name} “{obj}” was changed successfully. You may edit it again below."),
    _("The {name} “{obj}” was changed successfully. You may add another {name} below."),
    _("The {name} “{obj}” was changed successfully."),
    _("The %(name)s “%(obj)s” was deleted successfully."),
    _("%(name)s with ID “%(key)s” doesn’t exist. Perhaps it was deleted?"),
    _("Items must be selected in order to perform actions on them. No items have been changed."),
    _("No action selected."),
    _("0 of %(cnt)s selected"),
    _("action time"),
    _("object id"),
    _("object repr"),
    _("action flag"),
    _("change message"),
    _("log entry"),
    _("log entries"),
    _("Addition"),
    _("Deletion"),
    _("Delete?"),
    _("Summary"),
    _("Objects"),
    _(
        "Deleting the %(object_name)s '%(escaped_object)s' would result in deleting "
        "related objects, but your account doesn't have permission to delete the "
        "following types of objects:"
    ),
    _(
        "Deleting the %(object_name)s '%(escaped_object)s' would require deleting the "
        "following protected related objects:"
    ),
    _(
        "Deleting %(class_name)s %(instance)s would require deleting the following "
        "protected related objects: %(related_objects)s"
    ),
    _("Cannot delete %(name)s"),
    _("Select %s to change"),
    _("Select %s to view"),
    _("Select this object for an action - {}"),
    _("Save and add another"),
    _("Save and continue editing"),
    _("Save and view"),
    _("Old password"),
    _("New password"),
    _("New password confirmation"),
    _("Change my password"),
    _("Enter the same password as before, for verification."),
    _("The two password fields didn’t match."),
    _("Your old password was entered incorrectly. Please enter it again."),
    _("Enter a new password for the user <strong>%(username)s</strong>."),
    _("Password-based authentication"),
    _("Enabled"),
    _("Disabled"),
    _("Enable password-based authentication"),
    _("Disable password-based authentication"),
    _("This action will <strong>enable</strong> password-based authentication for this user."),
    _("Password-based authentication was disabled."),
    _("Enable password-based authentication for this user by setting a password."),
    _("No password set."),
    _("Raw passwords are not stored, so there is no way to see the user’s password."),
    _("Invalid password format or unknown hashing algorithm."),
    _("superuser status"),
    _("users"),
    _("first name"),
    _("last name"),
    _("username"),
    _("A user with that username already exists."),
    _(
        "Enter a valid username. This value may contain only letters, numbers, and "
        "@/./+/-/_ characters."
    ),
    _("The password is too similar to the %(verbose_name)s."),
    _("This password is too common."),
    _("This password is entirely numeric."),
    _("This account is inactive."),
    _("You don’t have permission to view or edit anything."),
    _(
        "You are authenticated as %(username)s, but are not authorized to access this "
        "page. Would you like to login to a different account?"
    ),
    _("Enter a valid value."),
    _("Enter a valid URL."),
    _("Enter a valid integer."),
    _("Enter a valid email address."),
    _("Enter a number."),
    _("Enter a whole number."),
    _("Enter a valid date."),
    _("Enter a valid time."),
    _("Enter a valid date/time."),
    _("Enter a list of values."),
    _("Ensure this value is less than or equal to %(limit_value)s."),
    _("Ensure this value is greater than or equal to %(limit_value)s."),
    _("Null characters are not allowed."),
    _("This field cannot be null."),
    _("This field cannot be blank."),
    _("%(model_name)s with this %(field_label)s already exists."),
    _("%(model_name)s with this %(field_labels)s already exists."),
    _("Constraint “%(name)s” is violated."),
    _("Value %(value)r is not a valid choice."),
    _("Select a valid choice. %(value)s is not one of the available choices."),
    _("Select a valid choice. That choice is not one of the available choices."),
    _("“%(pk)s” is not a valid value."),
    _(
        "%(datetime)s couldn’t be interpreted in time zone %(current_timezone)s; it may "
        "be ambiguous or it may not exist."
    ),
    _("Hold down “Control”, or “Command” on a Mac, to select more than one."),
    ngettext_lazy(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    ),
    ngettext_lazy(
        "Ensure this value has at least %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at least %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    ),
    ngettext_lazy("%(total_count)s selected", "All %(total_count)s selected", "total_count"),
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
        "n",
    ),
    _("Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only."),
    _(
        "Designates whether this user should be treated as active. Unselect this instead of "
        "deleting accounts."
    ),
    _("Designates that this user has all permissions without explicitly assigning them."),
)
