"""The views: they find what the caller may see, check what it sent, change that, and answer."""

from typing import Any, NoReturn

from django.db import transaction
from django.http import HttpRequest
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed, NotFound, PermissionDenied
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from notices import actions, moved
from notices.api import operations
from notices.api.authentication import Caller, caller_of
from notices.api.etags import check_match, etag
from notices.api.filters import OLDEST_FIRST, NoticeFilter, PageForm, each_once
from notices.api.forms import (
    FirstFrontendForm,
    NewNoticeForm,
    NoticeChangeForm,
    StudyForm,
    refuse_key_to_ping,
    refuse_without,
)
from notices.api.idempotency import idempotent
from notices.api.pagination import Pages, PagesOfNotices
from notices.api.preview import foresee
from notices.api.progress import EventStream, follow
from notices.api.rate import CallerRate
from notices.api.refusals import Conflict, EncodedBody, quoted
from notices.api.representations import (
    AttemptShown,
    ChannelShown,
    StudyShown,
    may_read_notice,
    may_read_studies,
    readable_notices,
    show,
    visible_channels,
    whole,
)
from notices.ids import ID_PATTERN, read_id
from notices.models import Attempt, Change, Notice, Right, Study
from notices.people import rights


class Counted(APIView):
    """Every answer tells how many requests its caller has left."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        encoding = request.headers.get("Content-Encoding", "identity")
        if encoding.strip().lower() not in ("", "identity"):
            raise EncodedBody(encoding)

    throttles: list[BaseThrottle] = []

    def completed(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return a kept answer with those of its parts that are not kept, read anew."""
        return answer

    def get_throttles(self) -> list[BaseThrottle]:
        self.throttles = super().get_throttles()
        return self.throttles

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """The header Allow names the methods; /api/schema/ describes them."""
        return Response(status=status.HTTP_204_NO_CONTENT)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        for throttle in self.throttles:
            if isinstance(throttle, CallerRate) and throttle.standing:
                for name, value in throttle.standing.headers().items():
                    answer[name] = value
        return answer


def _reads_first_answer(caller: Caller, request: Request, answer: dict[str, Any]) -> bool:
    asked: Any = request.data
    return may_read_notice(caller, answer["notice"], [read_id(asked["study_id"]) or 0])


def _reads_notice(caller: Caller, _request: Request, answer: dict[str, Any]) -> bool:
    return may_read_notice(caller, answer["id"], [answer["study_id"]])


def _reads_study(caller: Caller, _request: Request, answer: dict[str, Any]) -> bool:
    return caller.is_site_admin and may_read_studies(caller, [answer["id"]])


@operations.FIRST_FRONTEND
class FirstFrontendNotice(Counted):
    @idempotent(_reads_first_answer)
    def post(self, request: Request) -> Response:
        form = FirstFrontendForm(data=request.data, context={"caller": caller_of(request)})
        form.is_valid(raise_exception=True)
        notice = form.save()
        answer = {
            "status": "queued",
            "channel": form.initial_data["channel_id"],
            "notice": notice.pk,
        }
        return Response(answer, status=status.HTTP_202_ACCEPTED)


@method_decorator(conditional_page, name="dispatch")
class Resource(Counted, ViewSet):
    """Rows that are found by id. A GET with If-None-Match gets 304 while nothing has changed."""

    lookup_value_regex = ID_PATTERN
    address = ""

    def unknown(self, pk: str) -> NotFound:
        told = _("%(address)s%(id)s/ is not known; take one from %(address)s.")
        return NotFound(told % {"id": pk, "address": self.address})

    def page_of(self, rows: Any, shown: Any, request: Request, **order: str) -> Response:
        asked = PageForm(data=each_once(request.query_params))
        asked.is_valid(raise_exception=True)
        pages = Pages(asked.validated_data["page_size"], **order)
        page: list[Any] = pages.paginate_queryset(rows, request, self) or []
        return pages.get_paginated_response(shown(page, many=True).data)


@operations.NOTICES
class Notices(Resource):
    address = "/api/v1/notices/"

    def list(self, request: Request) -> Response:
        asked = NoticeFilter(data=each_once(request.query_params))
        asked.is_valid(raise_exception=True)
        notices, parts = asked.notices(caller_of(request))
        size, ordering = asked.validated_data["page_size"], asked.validated_data["ordering"]
        pages = PagesOfNotices(parts, size, ordering)
        page = pages.paginate_queryset(notices, request, self)
        return pages.get_paginated_response(show(caller_of(request), *(page or ())))

    @idempotent(_reads_notice)
    def create(self, request: Request) -> Response:
        notice = self._checked(request).save()
        response = self._shown(request, notice.pk, status.HTTP_201_CREATED)
        response["Location"] = f"{self.address}{notice.pk}/"
        return response

    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        return Response(foresee(self._checked(request)))

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._shown(request, pk)

    def partial_update(self, request: Request, pk: str) -> Response:
        data = request.data  # Read in full before a lock is taken.
        with transaction.atomic():
            notice = self._locked(request, pk)
            _refuse_archived(notice)
            if notice.withdrawn_at is not None:
                raise Conflict(
                    _("Notice %(id)s is withdrawn and cannot change; post another.") % {"id": pk}
                )
            context = {"caller": caller_of(request)}
            form = NoticeChangeForm(notice, data=data, partial=True, context=context)
            form.is_valid(raise_exception=True)
            with Change.objects.recording([notice.pk], by=caller_of(request).actor):
                form.save()
        return self._shown(request, pk)

    @action(detail=True, methods=["post"])
    @idempotent(_reads_notice)
    def withdraw(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            notice = self._locked(request, pk)
            refuse_without(caller_of(request), Right.PUBLISH, notice.study)
            actor = caller_of(request).actor
            if notice.withdrawn_at is None and not actions.withdraw(notice, by=actor):
                _refuse_archived(notice)
                raise Conflict(
                    _("Notice %(id)s is a draft: there is nothing to withdraw.") % {"id": pk}
                )
        return self._shown(request, pk)

    @action(detail=True, methods=["post"], url_path="send-again")
    @idempotent(_reads_notice)
    def send_again(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            notice = self._locked(request, pk)
            refuse_key_to_ping(caller_of(request), notice.ping)
            refuse_without(caller_of(request), rights.to_send_again(notice), notice.study)
            if not actions.send_again(notice, by=caller_of(request).actor):
                _refuse_archived(notice)
                raise Conflict(
                    _(
                        "Notice %(id)s has nothing to send again: "
                        "in none of its channels did it fail or end unknown."
                    )
                    % {"id": pk}
                )
        return self._shown(request, pk)

    @action(detail=True)
    def attempts(self, request: Request, pk: str) -> Response:
        notice = readable_notices(caller_of(request)).filter(pk=pk).first()
        if notice is None:
            raise self.unknown(pk)
        attempts = Attempt.objects.filter(delivery__notice=notice).select_related("delivery")
        studies = caller_of(request).studies
        if entry := moved.entry(notice, studies):
            foreign = moved.foreign_channels([notice], studies)[notice.pk]
            attempts = attempts.filter(begun_at__gt=entry.at)
            attempts = attempts.exclude(delivery__channel__in=foreign)
        return self.page_of(attempts, AttemptShown, request)

    @action(detail=True, renderer_classes=[EventStream, JSONRenderer])
    def events(self, request: Request, pk: str) -> Any:
        stream = follow(request, pk)
        if stream is None:
            raise self.unknown(pk)
        return stream

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> NoReturn:
        told = _("%(method)s is not allowed; use one that the header Allow names.")
        if request.method == "DELETE":
            told = _("%(method)s is not allowed; POST to withdraw/ to take a notice back.")
        method = str(request.method)
        raise MethodNotAllowed(method, detail=told % {"method": method})

    def _checked(self, request: Request) -> NewNoticeForm:
        form = NewNoticeForm(data=request.data, context={"caller": caller_of(request)})
        form.is_valid(raise_exception=True)
        return form

    def _locked(self, request: Request, pk: str) -> Notice:
        """Lock the notice for a change. It is refused where If-Match names another state."""
        found = readable_notices(caller_of(request)).filter(pk=pk)
        notice = found.select_for_update(of=("self",)).first()
        if notice is None:
            raise self.unknown(pk)
        check_match(request, notice)
        return notice

    def _shown(self, request: Request, pk: str, code: int = status.HTTP_200_OK) -> Response:
        notice = whole(readable_notices(caller_of(request)).filter(pk=pk)).first()
        if notice is None:
            raise self.unknown(pk)
        (shown,) = show(caller_of(request), notice)
        return Response(shown, status=code, headers={"ETag": etag(notice, shown)})


@operations.STUDIES
class Studies(Resource):
    """Leaders and frontends read them; a site admin sets them up, as in the admin."""

    address = "/api/v1/studies/"

    def list(self, request: Request) -> Response:
        studies = caller_of(request).studies.prefetch_related("channels")
        return self.page_of(studies, StudyShown, request, ordering=OLDEST_FIRST)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(StudyShown(self._found(request, pk)).data)

    @idempotent(_reads_study)
    def create(self, request: Request) -> Response:
        _refuse_all_but_site_admins(request)
        return self._saved(StudyForm(data=request.data), status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        study = self._found(request, pk)
        _refuse_all_but_site_admins(request)
        return self._saved(StudyForm(study, data=request.data, partial=True), status.HTTP_200_OK)

    def _found(self, request: Request, pk: str) -> Study:
        study = caller_of(request).studies.filter(pk=pk).first()
        if study is None:
            raise self.unknown(pk)
        return study

    def _saved(self, form: StudyForm, code: int) -> Response:
        form.is_valid(raise_exception=True)
        study = form.save()
        headers = {"Location": f"{self.address}{study.pk}/"} if code == 201 else None
        return Response(StudyShown(study).data, status=code, headers=headers)


@operations.CHANNELS
class Channels(Resource):
    """The channels of the caller's studies. Only the bot writes them."""

    address = "/api/v1/channels/"

    def list(self, request: Request) -> Response:
        channels = visible_channels(caller_of(request))
        return self.page_of(channels, ChannelShown, request, ordering=OLDEST_FIRST)

    def retrieve(self, request: Request, pk: str) -> Response:
        channel = visible_channels(caller_of(request)).filter(pk=pk).first()
        if channel is None:
            raise self.unknown(pk)
        return Response(ChannelShown(channel).data)


@operations.HIDDEN
class NoSuchAddress(APIView):
    """Any other address under /api/ is refused as a JSON problem, with a key or without one."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        told = _("%(path)s is no address of this API; /api/docs/ lists them.")
        raise NotFound(told % {"path": quoted(request.path)})


def _refuse_all_but_site_admins(request: Request) -> None:
    if not caller_of(request).is_site_admin:
        raise PermissionDenied(_("Only a site admin who is logged in sets up studies."))


def _refuse_archived(notice: Notice) -> None:
    if notice.archived_at is not None:
        raise Conflict(
            _(
                "Notice %(id)s is archived: its messages are no longer known, so that it can "
                "neither be changed, nor withdrawn, nor sent again; post another."
            )
            % {"id": notice.pk}
        )
