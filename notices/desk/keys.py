"""Keys as a browser sends them: a database refuses to look for a number that is too large."""

from typing import Any

from django import forms

LARGEST_KEY = 2**63 - 1


def is_a_key(text: str) -> bool:
    """Whether a row could have it."""
    is_a_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_KEY))
    return is_a_number and int(text) <= LARGEST_KEY


class KeysField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def clean(self, value: Any) -> Any:
        for key in value or ():
            if not is_a_key(key):
                message = self.error_messages["invalid_pk_value"]
                raise forms.ValidationError(message, code="invalid_pk_value", params={"pk": key})
        return super().clean(value)
