"""A form field for several rows, which refuses ids that no database could look for."""

from typing import Any

from django import forms

from notices.ids import read_id


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def prepare_value(self, value: object) -> object:
        """Drop what is no id: the widget of a refused form looks its rows up by these."""
        keys = super().prepare_value(value)
        return [key for key in keys if read_id(key)] if isinstance(keys, list) else keys

    def clean(self, value: Any) -> Any:
        for key in value or ():
            if read_id(key) is None:
                message = self.error_messages["invalid_pk_value"]
                raise forms.ValidationError(message, code="invalid_pk_value", params={"pk": key})
        return super().clean(value)
