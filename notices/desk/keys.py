"""A field for several rows of a table: what a browser sends need not be anybody's key."""

from typing import Any

from django import forms

from notices.ids import read_id


class KeysField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def prepare_value(self, value: Any) -> Any:
        """A widget that looks its rows up is shown again with those that there can be."""
        keys = super().prepare_value(value)
        return [key for key in keys if read_id(key)] if isinstance(keys, list) else keys

    def clean(self, value: Any) -> Any:
        for key in value or ():
            if read_id(key) is None:
                message = self.error_messages["invalid_pk_value"]
                raise forms.ValidationError(message, code="invalid_pk_value", params={"pk": key})
        return super().clean(value)
