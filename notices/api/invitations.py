"""The invitations to a study: `/api/v1/studies/{id}/invitations/`."""

from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from notices.api.authentication import caller_of
from notices.api.fields import FlagField, OneOfField, StrictField
from notices.api.filters import OLDEST_FIRST, PageForm
from notices.api.forms import StrictForm
from notices.api.idempotency import LINK, idempotent
from notices.api.of_study import OfStudy, leads_it
from notices.api.operations import Page
from notices.api.refusals import quoted
from notices.api.representations import Shown, UtcDateTimeField
from notices.models import Invitation, Right, Study, StudyRole
from notices.outside import clock
from notices.people import invitations, public_address


class DayField(StrictField):
    default_error_messages = {
        "no_day": gettext_lazy("{value} is not a day; write one such as 2026-12-31."),
    }
    json_schema = {"type": "string", "format": "date", "examples": ["2026-12-31"]}

    def to_internal_value(self, data: object) -> date:
        try:
            day = date.fromisoformat(data) if isinstance(data, str) else None
        except ValueError:
            day = None
        if day is None or data != day.isoformat():
            self.fail("no_day", value=quoted(data))
        return day


@extend_schema_serializer(component_name="NewInvitation")
class NewInvitationForm(StrictForm):
    """For one person, or until a day, or both."""

    role = OneOfField(StudyRole.Role.choices)
    one_person = FlagField(default=True)
    until = DayField(
        required=False, allow_null=True,
        help_text="To the end of this day where the study is; at most 30 days from now.",
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        study, day = self.context["study"], attrs.get("until")
        if day is None and not attrs["one_person"]:
            told = _("Send the day until which it lasts, or one_person as true.")
            raise serializers.ValidationError({"until": told})
        if day is not None and (why := invitations.why_not_until(day, study)):
            raise serializers.ValidationError({"until": why})
        return attrs


@extend_schema_serializer(component_name="Invitation")
class InvitationShown(Shown[Invitation]):
    one_person = serializers.BooleanField(source="is_single_use")
    until = UtcDateTimeField(source="expires_at", allow_null=True)
    state = serializers.ChoiceField(Invitation.State.choices)
    created_at = UtcDateTimeField()

    class Meta:
        model = Invitation
        fields: tuple[str, ...] = (
            "id", "role", "one_person", "until", "state", "uses", "created_at",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(component_name="InvitationWithLink")
class InvitationWithLink(InvitationShown):
    link = serializers.URLField(help_text="Whoever has it comes in. It is not shown again.")

    class Meta(InvitationShown.Meta):
        fields: tuple[str, ...] = (*InvitationShown.Meta.fields, "link")
        read_only_fields = fields


@extend_schema_serializer(many=False)
class InvitationPage(Page):
    results = InvitationShown(many=True)


@extend_schema_view(
    list=extend_schema(
        summary="The invitations to a study, page by page",
        parameters=[PageForm],
        responses=InvitationPage,
    ),
    create=extend_schema(
        summary="Make a link that lets people in",
        description="Repeated with its Idempotency-Key, the request answers another link to the "
        "same invitation, and the first one ends. A key needs `may_see_people`; its invitations "
        "end with it.",
        request=NewInvitationForm,
        responses={201: InvitationWithLink},
    ),
    destroy=extend_schema(summary="Revoke an invitation", responses={204: None}),
)
class Invitations(OfStudy):
    def list(self, request: Request, pk: str) -> Response:
        found = self._of_study(self.study(request, pk, Right.LEAD))
        return self.page_of(found, InvitationShown, request, ordering=OLDEST_FIRST)

    @idempotent(leads_it)
    def create(self, request: Request, pk: str) -> Response:
        study, caller = self.study(request, pk, Right.LEAD), caller_of(request)
        form = NewInvitationForm(data=request.data, context={"study": study})
        form.is_valid(raise_exception=True)
        asked, day = form.validated_data, form.validated_data.get("until")
        made = Invitation(
            study=study, role=asked["role"], is_single_use=asked["one_person"],
            expires_at=day and invitations.last_moment(day, study), **caller.authorship,
        )  # fmt: skip
        secret = invitations.issue(made)
        shown: Any = self._of_study(study).get(pk=made.pk)
        shown.link = self._link(secret)
        return Response(InvitationWithLink(shown).data, status=status.HTTP_201_CREATED)

    def completed(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Add a new link, as only a hash of the former one is stored."""
        secret = invitations.renew(Invitation.objects.get(pk=answer["id"]))
        return {**answer, LINK: self._link(secret)}

    def _link(self, secret: str) -> str:
        return public_address.of_path(f"/invitation/{secret}/", self.request._request)

    def destroy(self, request: Request, pk: str, invitation_id: str) -> Response:
        study = self.study(request, pk, Right.LEAD)
        found = study.invitations.filter(pk=invitation_id).first()
        if found is None:
            told = _("%(id)s is no invitation to study %(study)s; invitations/ lists them.")
            raise NotFound(told % {"id": invitation_id, "study": study.pk})
        invitations.revoke(found)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _of_study(self, study: Study) -> Any:
        return study.invitations.with_state(clock.now())
