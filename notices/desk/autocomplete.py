"""What a field offers while something is typed into it."""

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.utils.functional import cached_property

from notices import servers
from notices.models import Channel


class ChannelsAutocomplete(AutocompleteJsonView):
    """Names can be chosen to mislead: each channel is offered with its server's id."""

    @cached_property
    def _doubles(self) -> frozenset[int]:
        return servers.alike_now()

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        found = super().serialize_result(obj, to_field_name)
        if isinstance(obj, Channel):
            found["text"] = servers.label(obj, self._doubles)
        return found
