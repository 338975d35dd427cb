"""Lists every address of the web process."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from notices.desk import first_admin, forgotten, invited
from notices.desk.coming_in import behind_a_secret
from notices.monitoring import health, metrics
from notices.web import privacy

log_in_to_take = behind_a_secret(invited.LogInToTake.as_view())
choose_password = behind_a_secret(forgotten.ChoosePassword.as_view())
handler400 = "notices.web.refusing.bad_request"
handler403 = "notices.web.refusing.permission_denied"
handler404 = "notices.web.refusing.page_not_found"
handler500 = "notices.web.refusing.server_error"
urlpatterns = [
    path("", RedirectView.as_view(url="/admin/", permanent=False)),
    path("admin/", admin.site.urls),
    path("invitation/<str:secret>/", invited.invitation, name="invitation"),
    path("invitation/<str:secret>/login/", log_in_to_take, name="invitation_login"),
    path("invitation/<str:secret>/take/", invited.take, name="invitation_take"),
    path("invitation/<str:secret>/discord/", invited.by_discord, name="invitation_by_discord"),
    path("first-admin/<str:token>/", first_admin.begin, name="first_admin"),
    path("password/", forgotten.AskByMail.as_view(), name="password_reset"),
    path("password/asked/", forgotten.asked, name="password_asked"),
    path("password/<uidb64>/<token>/", choose_password, name="password_reset_confirm"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("privacy/", privacy.privacy, name="privacy"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("notices.api.urls")),
]
