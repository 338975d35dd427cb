"""The roster of a study: `/api/v1/studies/{id}/members/`."""

from datetime import date, datetime
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError as Invalid
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from notices import moments
from notices.api.fields import JsonSchema, OneOfField, StrictField
from notices.api.filters import OLDEST_FIRST, PageForm, each_once
from notices.api.forms import StrictForm
from notices.api.idempotency import idempotent
from notices.api.of_study import OfStudy, leads_it
from notices.api.operations import Page
from notices.api.pagination import Pages
from notices.api.refusals import quoted
from notices.api.representations import DiscordId, Shown
from notices.models import Membership, Person, Right, Study
from notices.outside import clock
from notices.people import roster

MOST_AT_ONCE = 1000
# As in the address and in the body. Mentions are read too, and not told of.
_DISCORD_ID: JsonSchema = {"type": "string", "pattern": "^[1-9][0-9]{16,18}$"}
_WHOM = OpenApiParameter("discord_id", _DISCORD_ID, OpenApiParameter.PATH)


# --- what is sent ----------------------------------------------------------------------------


class DiscordIdsField(StrictField):
    """A list of ids as they were sent, since its form refuses each wrong one by its index."""

    default_error_messages = {
        "no_list": gettext_lazy("{value} is not a list; send a list of ids."),
        "empty": gettext_lazy("The list is empty; name at least one id."),
        "too_many": gettext_lazy("The list has {length} ids; name at most {limit} at once."),
    }
    json_schema = {
        "type": "array",
        "items": _DISCORD_ID,
        "minItems": 1,
        "maxItems": MOST_AT_ONCE,
    }

    def to_internal_value(self, data: object) -> list[object]:
        if not isinstance(data, list):
            self.fail("no_list", value=quoted(data))
        if not data:
            self.fail("empty")
        if len(data) > MOST_AT_ONCE:
            self.fail("too_many", length=len(data), limit=MOST_AT_ONCE)
        return data


@extend_schema_serializer(component_name="NewMembers")
class NewMembersForm(StrictForm):
    """People to put on the roster, all of them or none."""

    discord_ids = DiscordIdsField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        ids: list[int] = []
        refused: dict[str, list[str]] = {}
        for index, sent in enumerate(attrs["discord_ids"]):
            try:
                ids.append(_read(sent))
            except Invalid as error:
                refused[f"discord_ids[{index}]"] = error.messages
        if refused:
            raise serializers.ValidationError(refused)
        return {"discord_ids": ids}


def _read(sent: object) -> int:
    if not isinstance(sent, str):
        told = _("%(value)s is no string; send each id as one: JavaScript rounds numbers.")
        raise Invalid(told % {"value": quoted(sent)})
    return roster.read_discord_id(sent)


class MemberFilter(PageForm):
    left = OneOfField(
        (("false", "who is there"), ("true", "who has left")),
        default="false",
        help_text="Those who have left, instead of those who are there.",
    )


# --- what is answered ------------------------------------------------------------------------


@extend_schema_serializer(component_name="Member")
class MemberShown(Shown[Membership]):
    """Somebody on the roster. The days are those of the study's time zone."""

    discord_id = DiscordId(source="person.discord_id")
    name = serializers.CharField(
        source="person.name", help_text="As last seen on a server; empty until then."
    )
    since = serializers.SerializerMethodField()
    until = serializers.SerializerMethodField()

    class Meta:
        model = Membership
        fields = ("discord_id", "name", "way", "since", "until", "sight")
        read_only_fields = fields

    def get_since(self, member: Membership) -> date:
        return self._day(member.since)

    def get_until(self, member: Membership) -> date | None:
        return member.until and self._day(member.until)

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.context["zone"]).date()


@extend_schema_serializer(many=False)
class MemberPage(Page):
    results = MemberShown(many=True)


class MembersAdded(serializers.Serializer[Any]):
    """How many of the ids were never on the roster, had left it, or were on it."""

    new = serializers.IntegerField()
    back = serializers.IntegerField()
    known = serializers.IntegerField()


# --- the views -------------------------------------------------------------------------------


@extend_schema_view(
    list=extend_schema(
        summary="Who is on the study's roster, page by page",
        parameters=[MemberFilter],
        responses=MemberPage,
    ),
    create=extend_schema(
        summary="Put people on the roster",
        description="All of them or none. 201 where somebody is new or back, 200 where all were "
        "on it; so it may be repeated. A key needs `may_see_people`.",
        request=NewMembersForm,
        responses={200: MembersAdded, 201: MembersAdded},
        examples=[
            OpenApiExample(
                "Two people", {"discord_ids": ["80351110224678912", "1100000000000000101"]},
                request_only=True,
            )
        ],
    ),
    destroy=extend_schema(
        summary="Take somebody off the roster",
        description="She is kept among those who have left.",
        parameters=[_WHOM],
        responses={204: None},
    ),
)  # fmt: skip
class Members(OfStudy):
    def list(self, request: Request, pk: str) -> Response:
        study = self.study(request, pk, Right.SEE_NAMES)
        asked = MemberFilter(data=each_once(request.query_params))
        asked.is_valid(raise_exception=True)
        members = study.memberships.filter(until__isnull=asked.validated_data["left"] == "false")
        pages = Pages(asked.validated_data["page_size"], OLDEST_FIRST)
        page = pages.paginate_queryset(members.select_related("person"), request, self) or []
        shown = partial(MemberShown, context={"zone": moments.zone_named(study.time_zone)})
        return pages.get_paginated_response(shown(page, many=True).data)

    @idempotent(leads_it)
    def create(self, request: Request, pk: str) -> Response:
        study = self.study(request, pk, Right.LEAD)
        form = NewMembersForm(data=request.data)
        form.is_valid(raise_exception=True)
        ids = form.validated_data["discord_ids"]
        added = roster.add(study, ids, Membership.Way.ADDED, clock.now())
        is_change = bool(added.new or added.back)
        return Response(
            {name: len(found) for name, found in added._asdict().items()},
            status=status.HTTP_201_CREATED if is_change else status.HTTP_200_OK,
        )

    def destroy(self, request: Request, pk: str, discord_id: str) -> Response:
        study = self.study(request, pk, Right.LEAD)
        person = self._person(study, discord_id)
        roster.leave(study, person, clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _person(self, study: Study, sent: str) -> Person:
        try:
            discord_id = roster.read_discord_id(sent)
        except Invalid as error:
            raise NotFound(error.messages[0]) from error
        person = Person.objects.filter(discord_id=discord_id, memberships__study=study).first()
        if person is None:
            told = _("%(id)s is not on the roster of study %(study)s; members/ lists who is.")
            raise NotFound(told % {"id": discord_id, "study": study.pk})
        return person
