"""The suggestions of a field that searches rows while somebody types."""

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import Model
from django.utils.functional import cached_property

from notices.advice import servers
from notices.models import Channel


class ChannelsAutocomplete(AutocompleteJsonView):
    """Suggests channels with their servers' ids, as a server can copy another's name."""

    @cached_property
    def _doubles(self) -> frozenset[int]:
        return servers.alike_now()

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        found = super().serialize_result(obj, to_field_name)
        if isinstance(obj, Channel):
            found["text"] = servers.label(obj, self._doubles)
        return found
