"""Lets people in by their Discord accounts: those that are linked, and those that are invited.

allauth does the exchange with Discord, and logs in. Everything that it would decide by itself, such
as making an account for whoever comes, is decided here.
"""

import logging
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from notices.desk import discord_oauth
from notices.desk.discord_oauth import DiscordAdapter, DiscordProvider
from notices.desk.rights import LEADS_NO_STUDY, may_enter, user_of
from notices.people import discord_accounts, invitations
from notices.people.discord_accounts import Profile
from notices.people.invitations import InvitationOverError
from notices.security import security_log

log = logging.getLogger(__name__)

# What the session holds of whoever came by an invitation's link: the secret in it.
INVITATION = "invitation"
# Of the web's four threads, as each waits for Discord.
MOST_AT_ONCE = 2
RETRY_AFTER_SECONDS = 5
_places = BoundedSemaphore(MOST_AT_ONCE)
_exchange = OAuth2CallbackView.adapter_view(DiscordAdapter)


@dataclass(frozen=True)
class Refusal:
    """What somebody reads who was not let in, or not linked."""

    why: str
    heading: str | Promise
    words: str | Promise
    status: int = 403


NOT_INVITED = Refusal(
    "not invited",
    _("This Discord account was not invited"),
    _(
        "A Discord account alone opens nothing here. Ask your study's leader or a site admin for "
        "an invitation link. If you have an account here, log in by your password and link your "
        "Discord account there."
    ),
)
INVITATION_OVER = Refusal(
    "invitation over",
    _("This invitation is over"),
    _(
        "It was used before, its time has run out, or it was taken back; so no account was made. "
        "Ask whoever sent you the link for another: your study's leader, or a site admin."
    ),
)
INACTIVE = Refusal(
    "inactive",
    _("This account is switched off"),
    _("A site admin has switched it off, and can switch it on again."),
)
NO_STUDY = Refusal("no study", _("This account leads no study"), LEADS_NO_STUDY)
OF_ANOTHER = Refusal(
    "linked to another",
    _("This Discord account is linked to another account"),
    _(
        "So it was not linked to yours. Log in by it and unlink it there first, or ask a site "
        "admin. Is it not your Discord account? Change to yours in Discord, and try again."
    ),
    409,
)
HAS_ANOTHER = Refusal(
    "has another",
    _("Your account is linked to another Discord account"),
    _("Unlink that one first, and then link this one."),
    409,
)
CANCELLED = Refusal(
    "cancelled",
    _("The login by Discord was cancelled"),
    _("Nothing was changed. You can try again, or log in by your password."),
    200,
)
EXPIRED = Refusal(
    "expired",
    _("The login by Discord has expired"),
    _("It was begun in another browser, too long ago, or before you logged out. Begin anew."),
    400,
)
FAILED = Refusal(
    "failed",
    _("Discord did not answer as it should"),
    _(
        "So nobody knows who you are. Try again in a minute, or log in by your password. If it "
        "goes on, tell a site admin."
    ),
    502,
)
BUSY = Refusal(
    "busy",
    _("Too many are logging in at once"),
    _("Discord is being asked who others are. Load this page again in a few seconds."),
    503,
)


class RefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.why)


# --- pages ---------------------------------------------------------------------------------


def begin(request: HttpRequest) -> HttpResponse:
    """Lead to Discord. By POST alone, so that no link of another site logs anybody in."""
    if not discord_oauth.is_offered():
        raise Http404
    if request.method != "POST":
        return redirect("admin:login")
    return lead_to_login(request, safe_next(request))


def lead_to_login(request: HttpRequest, next_url: str = "") -> HttpResponse:
    return _lead_to_discord(request, AuthProcess.LOGIN, next_url)


def lead_to_linking(request: HttpRequest) -> HttpResponse:
    return _lead_to_discord(request, AuthProcess.CONNECT, "")


def _lead_to_discord(request: HttpRequest, process: str, next_url: str) -> HttpResponse:
    """Redirect to Discord's page, with a state that the session knows."""
    provider = discord_oauth.provider(request)
    answer: HttpResponse = provider.redirect(request, process, next_url=next_url)
    return answer


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Take in whoever comes back from Discord."""
    if not discord_oauth.is_offered():
        raise Http404
    if not _places.acquire(blocking=False):
        answer = _page(request, BUSY)
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer
    try:
        came: HttpResponse = _exchange(request)
    finally:
        _places.release()
    return came


def safe_next(request: HttpRequest) -> str:
    """Return where to go after the login; an empty text unless it is on this host."""
    asked = request.POST.get("next", "")
    is_safe = url_has_allowed_host_and_scheme(
        asked, {request.get_host()}, require_https=request.is_secure()
    )
    return asked if is_safe else ""


def with_button(answer: HttpResponse) -> HttpResponse:
    """Let the page's form lead to Discord, which browsers hold against form-action too."""
    if discord_oauth.is_offered():
        answer._csp_update = {"form-action": discord_oauth.origin()}  # type: ignore[attr-defined]
    return answer


def _page(request: HttpRequest, refusal: Refusal, **places: str) -> HttpResponse:
    shown: dict[str, object] = {
        "heading": refusal.heading,
        "words": str(refusal.words) % places if places else refusal.words,
        "is_logged_in": may_enter(request.user),
    }
    return render(request, "discord_refused.html", shown, status=refusal.status)


# --- whom allauth lets in ------------------------------------------------------------------


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Of allauth's accounts there is the login alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return []

    def is_safe_url(self, url: str) -> bool:
        """Take no address: `safe_next` has chosen one when the login began."""
        return False

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Say nothing: the desk has words of its own."""


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> DiscordProvider:
        """Know Discord alone, by the settings: no row of a table adds another way in."""
        return discord_oauth.provider(request)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: DiscordProvider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        refusal = FAILED
        if error == AuthError.CANCELLED:
            refusal = CANCELLED
        elif exception is None and "state_id" in (extra_context or {}):
            refusal = EXPIRED
        else:
            # An address in it may hold the code, so only ours are told in full.
            told = exception if type(exception) is OAuth2Error else type(exception)
            log.warning("a login by Discord failed: %s", told)
        raise ImmediateHttpResponse(_page(request, refusal))

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Decide here about everybody; allauth goes on with whom it finds linked by now."""
        profile = discord_accounts.profile_of(sociallogin.account)
        linked = sociallogin.user if sociallogin.is_existing else None
        is_to_link = sociallogin.state.get("process") == AuthProcess.CONNECT
        try:
            with transaction.atomic():
                if is_to_link:
                    _link_hers(request, sociallogin, profile, linked)
                else:
                    sociallogin.user = _let_in(request, sociallogin, profile, linked)
        except RefusedError as refused:
            raise ImmediateHttpResponse(
                _refused(request, refused.refusal, profile, linked)
            ) from refused
        except IntegrityError as error:
            # Two browsers at once, with the same account or for the same name.
            raise ImmediateHttpResponse(_page(request, EXPIRED)) from error
        if is_to_link:
            messages.success(request, gettext("Your Discord account is linked."))
            raise ImmediateHttpResponse(redirect("admin:discord"))


def _refused(
    request: HttpRequest, refusal: Refusal, profile: Profile, linked: User | None
) -> HttpResponse:
    # As `who` the name of an account here alone may stand: anybody chooses a name in Discord.
    known = linked.get_username() if linked else None
    security_log.note(
        "Discord login refused", known, discord=profile.id, called=profile.username, why=refusal.why
    )
    name = known or profile.username
    return _page(request, refusal, name=name) if refusal is NO_STUDY else _page(request, refusal)


def _let_in(
    request: HttpRequest, sociallogin: SocialLogin, profile: Profile, linked: User | None
) -> User:
    """Return whose login it is. In the transaction that makes an account, if she is invited."""
    secret = request.session.pop(INVITATION, "")
    if not secret and linked is None:
        raise RefusedError(NOT_INVITED)
    if linked is not None and not linked.is_active:
        raise RefusedError(INACTIVE)
    try:
        user = _accepted(request, sociallogin, profile, linked, secret) if secret else linked
    except InvitationOverError as error:
        raise RefusedError(INVITATION_OVER) from error
    if user is None or not may_enter(user):
        raise RefusedError(NO_STUDY)
    discord_accounts.remember(profile, user, get_language() or "")
    return user


def _accepted(
    request: HttpRequest,
    sociallogin: SocialLogin,
    profile: Profile,
    linked: User | None,
    secret: str,
) -> User:
    """Return who has the invitation's role now: who is linked already, or a new account."""
    # Asked before an account is made, as the security log would tell of one that then is not.
    if invitations.find(secret) is None:
        raise InvitationOverError
    user = linked or discord_accounts.make_login(profile)
    if linked is None:
        _link(sociallogin, user)
    invitations.accept(secret, user)
    return user


def _link_hers(
    request: HttpRequest, sociallogin: SocialLogin, profile: Profile, linked: User | None
) -> None:
    """Link the account to whoever is logged in, who has asked for it."""
    if not may_enter(request.user):
        raise RefusedError(EXPIRED)
    user = user_of(request)
    if linked is not None and linked != user:
        raise RefusedError(OF_ANOTHER)
    if discord_accounts.linked_to(user).exclude(uid=str(profile.id)).exists():
        raise RefusedError(HAS_ANOTHER)
    if linked is None:
        _link(sociallogin, user)
    discord_accounts.remember(profile, user, get_language() or "")


def _link(sociallogin: SocialLogin, user: User) -> None:
    account = sociallogin.account
    account.user = user
    account.save()
    security_log.note("Discord account linked", user=user.get_username(), discord=account.uid)
