"""Lists the addresses that frontends ask, each with or without its last slash."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from notices.api import callbacks, invitations, members, uploads, views
from notices.ids import ID_PATTERN


class Router(SimpleRouter):
    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"


router = Router()
router.register("api/v1/notices", views.Notices, basename="notice")
router.register("api/v1/studies", views.Studies, basename="study")
router.register("api/v1/channels", views.Channels, basename="channel")
router.register("api/v1/uploads", uploads.Uploads, basename="upload")
router.register("api/v1/callbacks", callbacks.Callbacks, basename="callback")

ROSTER = rf"^api/v1/studies/(?P<pk>{ID_PATTERN})/members"
roster = [
    re_path(rf"{ROSTER}/?$", members.Members.as_view({"get": "list", "post": "create"})),
    # Whatever stands there: the log would name an address that leads nowhere.
    re_path(rf"{ROSTER}/(?P<discord_id>[^/]+)/?$", members.Members.as_view({"delete": "destroy"})),
]

INVITATIONS = rf"^api/v1/studies/(?P<pk>{ID_PATTERN})/invitations"
one_invitation = rf"{INVITATIONS}/(?P<invitation_id>{ID_PATTERN})/?$"
inviting = [
    re_path(
        rf"{INVITATIONS}/?$", invitations.Invitations.as_view({"get": "list", "post": "create"})
    ),
    re_path(one_invitation, invitations.Invitations.as_view({"delete": "destroy"})),
]

# Anybody may read the description, and it counts for nobody's rate.
schema = SpectacularAPIView.as_view(throttle_classes=())
docs = SpectacularSwaggerSplitView.as_view(throttle_classes=())

urlpatterns = [
    re_path(r"^notice/?$", views.FirstFrontendNotice.as_view()),
    *router.urls,
    *roster,
    *inviting,
    path("api/schema/", schema, name="schema"),
    path("api/docs/", docs),
    re_path(r"^api(/[\s\S]*)?$", views.NoSuchAddress.as_view()),
]
