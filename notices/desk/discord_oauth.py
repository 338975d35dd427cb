"""Asks Discord over OAuth2 who somebody is: within bounds of time and size, and no more than that.

Discord's answers are read with suspicion: whatever is no answer becomes an error that allauth
shows as a page.
"""

import json
import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.discord.provider import DiscordProvider as AllauthsProvider
from allauth.socialaccount.providers.discord.views import DiscordOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from requests import Response
from urllib3.exceptions import HTTPError

from notices.outside import clock
from notices.people.discord_accounts import PROVIDER, NoProfileError, read_profile

log = logging.getLogger(__name__)

# An answer of Discord's has some hundred bytes.
LARGEST_ANSWER = 64 * 1024


def is_offered() -> bool:
    """Return whether this site has an application by which people can log in."""
    return bool(settings.DISCORD_CLIENT_ID and settings.DISCORD_CLIENT_SECRET)


def origin() -> str:
    """Return where a form may lead that begins a login (Content-Security-Policy: form-action)."""
    parts = urlsplit(settings.DISCORD_OAUTH_URL)
    return f"{parts.scheme}://{parts.netloc}"


class DiscordAdapter(DiscordOAuth2Adapter):  # type: ignore[misc]
    """The exchange of a code for who has allowed it."""

    @property
    def authorize_url(self) -> str:
        return f"{settings.DISCORD_OAUTH_URL}/oauth2/authorize"

    @property
    def access_token_url(self) -> str:
        return f"{settings.DISCORD_OAUTH_URL}/api/oauth2/token"

    @property
    def profile_url(self) -> str:
        return f"{settings.DISCORD_OAUTH_URL}/api/users/@me"

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("admin:discord_callback"))

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: None = None
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": request.GET["code"],
            "redirect_uri": client.callback_url,
            "client_id": app.client_id,
            "client_secret": app.secret,
        }
        return _asked("POST", self.access_token_url, data=form)

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        token = data.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise OAuth2Error("no token is in the answer")
        return SocialToken(token=token)

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        headers = {"Authorization": f"Bearer {token.token}"}
        try:
            profile = read_profile(_asked("GET", self.profile_url, headers=headers))
        except NoProfileError as error:
            raise OAuth2Error("no user is in the answer") from error
        told = {"id": str(profile.id), "username": profile.username, "name": profile.name}
        return self.get_provider().sociallogin_from_response(request, told)


class DiscordProvider(AllauthsProvider):  # type: ignore[misc]
    oauth2_adapter_class = DiscordAdapter

    def get_default_scope(self) -> list[str]:
        return ["identify"]

    def extract_extra_data(self, data: dict[str, str]) -> dict[str, str]:
        """Keep no more than the names."""
        return {"username": data["username"], "name": data["name"]}

    def extract_common_fields(self, data: dict[str, str]) -> dict[str, str]:
        """Make no user of it: `discord_login` decides whether there is to be one."""
        return {}


def provider(request: HttpRequest) -> DiscordProvider:
    """Return Discord, for the one application that the settings name."""
    app = SocialApp(
        provider=PROVIDER,
        name="Discord",
        client_id=settings.DISCORD_CLIENT_ID,
        secret=settings.DISCORD_CLIENT_SECRET,
    )
    return DiscordProvider(request, app=app)


def _asked(method: str, url: str, **sent: Any) -> dict[str, Any]:
    """Return the object that Discord answers with. What it says otherwise may name a secret."""
    deadline = clock.monotonic() + settings.SOCIALACCOUNT_REQUESTS_TIMEOUT
    # What is not compressed cannot grow beyond its bound.
    headers = {"Accept-Encoding": "identity", **sent.pop("headers", {})}
    with (
        get_adapter().get_requests_session() as session,
        session.request(
            method, url, headers=headers, stream=True, allow_redirects=False, **sent
        ) as answer,
    ):
        if answer.status_code != 200:
            raise OAuth2Error(f"{method} {url} was answered with {answer.status_code}")
        body = _body(answer, deadline)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise OAuth2Error(f"{method} {url} was answered with no JSON") from error
    if not isinstance(told, dict):
        raise OAuth2Error(f"{method} {url} was answered with no object")
    return told


def _body(answer: Response, deadline: float) -> bytes:
    """Read piece by piece, as requests bounds neither the whole time nor the size."""
    body = b""
    try:
        while piece := answer.raw.read1(LARGEST_ANSWER, decode_content=False):
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise OAuth2Error("the answer is too large")
            if clock.monotonic() > deadline:
                raise OAuth2Error("the answer comes too slowly")
    except (HTTPError, OSError) as error:
        raise OAuth2Error("the answer broke off") from error
    return body
