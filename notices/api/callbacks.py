"""Registers the addresses at which frontends hear of notices: `/api/v1/callbacks/`."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.plumbing import build_choice_field
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from notices import quotas
from notices.api.authentication import Caller, caller_of
from notices.api.fields import FlagField, IdsField, JsonSchema, LinkField, StrictField
from notices.api.filters import OLDEST_FIRST, PageForm
from notices.api.forms import StrictForm, find_study
from notices.api.idempotency import SECRET, idempotent
from notices.api.operations import Page
from notices.api.refusals import quoted
from notices.api.representations import UtcDateTimeField, may_read_studies
from notices.api.views import Resource
from notices.callbacks.http import names_private_address
from notices.models import CallbackEndpoint, CallbackMessage, Study


class EventsField(StrictField):
    default_error_messages = {
        "no_list": gettext_lazy("{value} is not a list of events; send some of {allowed}."),
        "unknown": gettext_lazy("{value} is no event; send some of {allowed}."),
    }

    @property
    def json_schema(self) -> JsonSchema:
        known = build_choice_field(serializers.ChoiceField(CallbackMessage.Type.choices))
        return {"type": "array", "items": known, "minItems": 1}

    def to_internal_value(self, data: object) -> list[str]:
        events = CallbackMessage.Type.values
        allowed = ", ".join(events)
        if not isinstance(data, list) or not data:
            self.fail("no_list", value=quoted(data), allowed=allowed)
        for one in data:
            if one not in events:
                self.fail("unknown", value=quoted(one), allowed=allowed)
        return list(dict.fromkeys(data))


class AddressField(LinkField):
    """An address that this machine will ask. Unlike a link it cannot be empty."""

    default_error_messages = {
        "private": gettext_lazy(
            "{value} leads to an address that is not public; send one on the internet."
        ),
    }

    def __init__(self) -> None:
        super().__init__(optional=False)

    def to_internal_value(self, data: object) -> str:
        text = super().to_internal_value(data)
        if names_private_address(text):
            self.fail("private", value=quoted(text))
        return text

    @property
    def json_schema(self) -> JsonSchema:
        web: JsonSchema = super().json_schema["oneOf"][0]
        return web


class _CallbackForm(StrictForm):
    url = AddressField()
    study_ids = IdsField(required=False, help_text="Left out: every study of the caller.")
    events = EventsField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        ids = attrs.pop("study_ids", None)
        if ids is not None:
            attrs["studies"] = [self._study(study_id) for study_id in ids]
        return attrs

    def _study(self, study_id: int) -> Study:
        try:
            return find_study(self.context["caller"], study_id)
        except serializers.ValidationError as error:
            detail: Any = error.detail
            raise serializers.ValidationError({"study_ids": detail["study_id"]}) from error


@extend_schema_serializer(component_name="NewCallback")
class NewCallbackForm(_CallbackForm):
    def create(self, validated_data: dict[str, Any]) -> CallbackEndpoint:
        caller: Caller = self.context["caller"]
        studies = validated_data.pop("studies", None)
        with transaction.atomic():
            endpoint = CallbackEndpoint.objects.create(
                key=caller.key,
                owner=caller.user,
                all_studies=studies is None and caller.has_every_study,
                **validated_data,
            )
            endpoint.studies.set(caller.studies if studies is None else studies)
        return endpoint


@extend_schema_serializer(component_name="CallbackChange")
class CallbackChangeForm(_CallbackForm):
    active = FlagField(required=False, help_text="False: it is told of nothing more.")

    def update(
        self, instance: CallbackEndpoint, validated_data: dict[str, Any]
    ) -> CallbackEndpoint:
        studies = validated_data.pop("studies", None)
        with transaction.atomic():
            if studies is not None:
                instance.studies.set(studies)
                instance.all_studies = False
            for name, value in validated_data.items():
                setattr(instance, name, value)
            # A corrected address does not have to wait out the pauses of the wrong one.
            instance.rests_until, instance.setbacks = None, 0
            if instance.key_id is None:
                instance.owner = self.context["caller"].user
            instance.save()
        return instance


@extend_schema_serializer(component_name="Callback")
class CallbackShown(serializers.ModelSerializer[CallbackEndpoint]):
    """An address that is told. Null `study_ids`: of every study."""

    study_ids = serializers.SerializerMethodField()
    events = serializers.ListField(child=serializers.ChoiceField(CallbackMessage.Type.choices))
    created_at = UtcDateTimeField()

    class Meta:
        model = CallbackEndpoint
        fields: tuple[str, ...] = ("id", "url", "study_ids", "events", "active", "created_at")
        read_only_fields = fields

    def get_study_ids(self, endpoint: CallbackEndpoint) -> list[int] | None:
        return None if endpoint.all_studies else [study.pk for study in endpoint.studies.all()]


@extend_schema_serializer(component_name="CallbackWithSecret")
class CallbackWithSecret(CallbackShown):
    secret = serializers.CharField(help_text="What messages are signed with; not shown again.")

    class Meta(CallbackShown.Meta):
        fields: tuple[str, ...] = (*CallbackShown.Meta.fields, "secret")
        read_only_fields = fields


@extend_schema_serializer(many=False)
class CallbackPage(Page):
    results = CallbackShown(many=True)


def _reads_callback(caller: Caller, _request: Request, answer: Any) -> bool:
    if answer["study_ids"] is None:
        return caller.has_every_study
    return may_read_studies(caller, answer["study_ids"])


@extend_schema_view(
    list=extend_schema(
        summary="The callbacks, page by page", parameters=[PageForm], responses=CallbackPage
    ),
    retrieve=extend_schema(summary="One callback", responses=CallbackShown),
    create=extend_schema(
        summary="Be told what becomes of notices",
        description="Messages are signed as Standard Webhooks; see docs/callbacks.md.",
        request=NewCallbackForm,
        responses={201: CallbackWithSecret},
    ),
    partial_update=extend_schema(
        summary="Change a callback, or switch it off",
        request=CallbackChangeForm,
        responses=CallbackShown,
    ),
)
class Callbacks(Resource):
    """Shows a key the callbacks registered with it, and a site admin all."""

    address = "/api/v1/callbacks/"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        caller = caller_of(request)
        if caller.key is None and not caller.is_site_admin:
            raise PermissionDenied(
                _("Only a frontend's key or a site admin may set up callbacks; use a key.")
            )

    def completed(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, SECRET: CallbackEndpoint.objects.get(pk=answer["id"]).secret}

    def list(self, request: Request) -> Response:
        return self.page_of(self._mine(request), CallbackShown, request, ordering=OLDEST_FIRST)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(CallbackShown(self._found(request, pk)).data)

    @idempotent(_reads_callback)
    def create(self, request: Request) -> Response:
        form = NewCallbackForm(data=request.data, context={"caller": caller_of(request)})
        form.is_valid(raise_exception=True)
        with transaction.atomic():
            self._refuse_too_many(request, is_new=True)
            endpoint = form.save()
        return Response(
            CallbackWithSecret(endpoint).data,
            status=status.HTTP_201_CREATED,
            headers={"Location": f"{self.address}{endpoint.pk}/"},
        )

    def partial_update(self, request: Request, pk: str) -> Response:
        endpoint, data = self._found(request, pk), request.data
        context = {"caller": caller_of(request)}
        form = CallbackChangeForm(endpoint, data=data, partial=True, context=context)
        form.is_valid(raise_exception=True)
        with transaction.atomic():
            if form.validated_data.get("active") and not endpoint.active:
                self._refuse_too_many(request, is_new=False)
            endpoint = form.save()
        return Response(CallbackShown(endpoint).data)

    def _mine(self, request: Request) -> QuerySet[CallbackEndpoint]:
        found = CallbackEndpoint.objects.prefetch_related("studies")
        caller = caller_of(request)
        return found if caller.is_site_admin else found.filter(key=caller.key)

    def _found(self, request: Request, pk: str) -> CallbackEndpoint:
        endpoint = self._mine(request).filter(pk=pk).first()
        if endpoint is None:
            raise self.unknown(pk)
        return endpoint

    def _refuse_too_many(self, request: Request, *, is_new: bool) -> None:
        """Limit the callbacks, as each costs every notice a row for each event."""
        caller = caller_of(request)
        quotas.check_callbacks(caller.key, caller.user, is_new=is_new)
