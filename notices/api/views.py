"""The addresses' answers: find what the key may see, check, change, and show it."""

from typing import Any, NoReturn

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import MethodNotAllowed, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notices.api.authentication import key_of
from notices.api.fields import read_id
from notices.api.forms import FirstFrontendForm, NewNoticeForm, NoticeChangeForm, find_study
from notices.api.pagination import NewestFirst
from notices.api.refusals import Conflict, quoted
from notices.api.representations import notice_json, readable_notices, study_json
from notices.models import ApiKey, Change, Notice, NoticeQuerySet
from notices.newest import Parts, stored_as


class FirstFrontendNotice(APIView):
    def post(self, request: Request) -> Response:
        form = FirstFrontendForm(data=request.data, context={"key": key_of(request)})
        form.is_valid(raise_exception=True)
        notice = form.save()
        answer = {
            "status": "queued",
            "channel": form.initial_data["channel_id"],
            "notice": notice.pk,
        }
        return Response(answer, status=status.HTTP_202_ACCEPTED)


class NoticeList(APIView):
    def get(self, request: Request) -> Response:
        notices, parts = _asked(request)
        pages = NewestFirst(parts)
        page = pages.paginate_queryset(notices, request, self)
        return pages.get_paginated_response([notice_json(notice) for notice in page or ()])

    def post(self, request: Request) -> Response:
        form = NewNoticeForm(data=request.data, context={"key": key_of(request)})
        form.is_valid(raise_exception=True)
        notice = form.save()
        return _shown(request, str(notice.pk), status.HTTP_201_CREATED)


class OneNotice(APIView):
    def get(self, request: Request, pk: str) -> Response:
        return _shown(request, pk)

    def patch(self, request: Request, pk: str) -> Response:
        data = request.data  # Read in full before a lock is taken.
        with transaction.atomic():
            notice = _locked_notice(request, pk)
            _refuse_archived(notice)
            if notice.withdrawn_at is not None:
                raise Conflict(
                    _("Notice %(id)s is withdrawn and cannot change; post another.") % {"id": pk}
                )
            form = NoticeChangeForm(notice, data=data, partial=True)
            form.is_valid(raise_exception=True)
            with Change.objects.recording([notice.pk], by=key_of(request)):
                form.save()
        return _shown(request, pk)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> NoReturn:
        method = str(request.method)
        told = _("%(method)s is not allowed; use GET or PATCH.")
        if method == "DELETE":
            told = _("%(method)s is not allowed; POST to withdraw/ to take a notice back.")
        raise MethodNotAllowed(method, detail=told % {"method": method})


class Withdrawal(APIView):
    def post(self, request: Request, pk: str) -> Response:
        notice = _notice(request, pk)
        if not notice.withdraw(by=key_of(request)):
            notice.refresh_from_db(fields=["withdrawn_at", "archived_at"])
            if notice.withdrawn_at is None:
                _refuse_archived(notice)
                raise Conflict(
                    _("Notice %(id)s is a draft: there is nothing to withdraw.") % {"id": pk}
                )
        return _shown(request, pk)


class SendingAgain(APIView):
    def post(self, request: Request, pk: str) -> Response:
        notice = _notice(request, pk)
        if not notice.send_again(by=key_of(request)):
            notice.refresh_from_db(fields=["archived_at"])
            _refuse_archived(notice)
            raise Conflict(
                _(
                    "Notice %(id)s has nothing to send again: "
                    "in none of its channels did it fail or end unknown."
                )
                % {"id": pk}
            )
        return _shown(request, pk)


class StudyList(APIView):
    def get(self, request: Request) -> Response:
        studies = key_of(request).allowed_studies().prefetch_related("channels")
        return Response([study_json(study) for study in studies])


def _shown(request: Request, pk: str, code: int = status.HTTP_200_OK) -> Response:
    notice = readable_notices(key_of(request)).filter(pk=pk).first()
    return Response(notice_json(notice or _unknown(pk)), status=code)


def _notice(request: Request, pk: str) -> Notice:
    found = _key_notices(key_of(request)).filter(pk=pk).first()
    return found or _unknown(pk)


def _locked_notice(request: Request, pk: str) -> Notice:
    found = _key_notices(key_of(request)).select_for_update(of=("self",)).filter(pk=pk).first()
    return found or _unknown(pk)


def _refuse_archived(notice: Notice) -> None:
    if notice.archived_at is not None:
        raise Conflict(
            _(
                "Notice %(id)s is archived: its messages are no longer known, so that it can "
                "neither be changed, nor withdrawn, nor sent again; post another."
            )
            % {"id": notice.pk}
        )


def _key_notices(key: ApiKey) -> NoticeQuerySet:
    return readable_notices(key).prefetch_related(None)


def _unknown(pk: str) -> NoReturn:
    raise NotFound(_("Notice %(id)s is not known; take one from /api/v1/notices/.") % {"id": pk})


def _asked(request: Request) -> tuple[NoticeQuerySet, Parts]:
    key = key_of(request)
    notices, studies, statuses = readable_notices(key), None, None
    asked = request.query_params
    if "study_id" in asked:
        studies = [find_study(key, _asked_id(asked["study_id"])).pk]
    elif not key.all_studies:
        studies = list(key.allowed_studies().values_list("pk", flat=True))
    if "status" in asked:
        status = _asked_status(asked["status"])
        notices, statuses = notices.in_status(status, timezone.now()), stored_as(status)
    return notices, Parts(studies, statuses)


def _asked_id(text: str) -> int:
    value = read_id(text)
    if value is None:
        raise ValidationError(
            {
                "study_id": _("%(value)s is not an id; take one from /api/v1/studies/.")
                % {"value": quoted(text)}
            }
        )
    return value


def _asked_status(text: str) -> str:
    if text not in Notice.Status.values:
        raise ValidationError(
            {
                "status": _("%(value)s is not known here; ask for one of %(allowed)s.")
                % {"value": quoted(text), "allowed": ", ".join(Notice.Status.values)}
            }
        )
    return text
