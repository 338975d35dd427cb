"""What the resources of one study's people share: the study, and who may do what with them."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from notices.api.authentication import Caller, caller_of
from notices.api.views import Resource
from notices.models import Right, Study


class OfStudy(Resource):
    """For a key that may see people, and for whoever may in this study by her login."""

    address = "/api/v1/studies/"

    def study(self, request: Request, pk: str, right: Right) -> Study:
        """Return the study. It is unknown to who does not see it, and refused without the right."""
        caller = caller_of(request)
        study = caller.studies.filter(pk=pk).first()
        if study is None:
            raise self.unknown(pk)
        if not caller.may_with_people(right, study):
            raise PermissionDenied(_why_not(caller, right))
        return study


def leads_it(caller: Caller, request: Request, _answer: object) -> bool:
    """Return whether the caller may still read what a request for this study was answered."""
    study = caller.studies.filter(pk=request.parser_context["kwargs"]["pk"]).first()
    return study is not None and caller.may_with_people(Right.LEAD, study)


def _why_not(caller: Caller, right: Right) -> str:
    if caller.key is not None:
        return _(
            "This key may not see people; ask a site admin for one that may "
            "(manage.py createapikey --people)."
        )
    if right is Right.SEE_NAMES:
        return _("You may not see the names of this study's people; ask its leader for it.")
    return _("Only whoever leads this study changes its roster; ask her, or a site admin.")
