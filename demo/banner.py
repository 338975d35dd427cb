"""Says where to look and how to come in, once everything answers."""

import json
import signal
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from demo import profile
from demo.saved_logins import SavedLogins
from demo.story import ADMIN, STUDIES, guild_named
from demo.words import said
from notices.delivery.due import oldest_due
from notices.delivery.fan_out import oldest_waiting
from notices.models import BotInstance
from notices.people import first_admin

_PATIENCE_SECONDS = 60
# It waits so long for the start's own lines, to be the last on the screen.
_SETTLING_SECONDS = 10
_LINE = "─" * 78


def wait_for(url: str, deadline: float) -> None:
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own http addresses
        except urllib.error.HTTPError:
            return  # an answer, if not a friendly one
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"{url} does not answer after {_PATIENCE_SECONDS} s: the lines above say why.")


def is_settled(since: datetime) -> bool:
    """Return whether the bot has come up and nothing is left to send."""
    now = timezone.now()
    is_up = BotInstance.objects.filter(is_active=True, heartbeat_at__gt=since).exists()
    return is_up and oldest_waiting(now) is None and oldest_due(now) is None


def wait_until_settled(since: datetime) -> None:
    deadline = time.monotonic() + _SETTLING_SECONDS
    while not is_settled(since) and time.monotonic() < deadline:
        time.sleep(0.1)


def against_discord() -> str:
    running = said("studybot is running against %s. Stop it with Ctrl-C.")
    return (
        f"{running % settings.DISCORD_API_URL}\n\n"
        f"  {said('Write notices')}    {profile.site_url()}/admin/\n"
        f"{_first_admin()}"
    )


def _first_admin() -> str:
    link = first_admin.link()
    return f"  {said('Make yourself a site admin, within a day:')}\n    {link}\n" if link else ""


def demo(kept: SavedLogins) -> str:
    where = (
        f"{said('studybot is running, with a Discord of its own. Stop it with Ctrl-C.')}\n\n"
        f"  {said('Write notices'):20} {profile.web_url()}/admin/\n"
        f"  {said('See them shown'):20} {profile.fakediscord_url()}/\n"
    )
    if not kept.api_key:
        none = said("The database had people in it already, so no demo was laid out.")
        return f"{where}\n  {none}\n{_first_admin()}"
    page = said("A frontend's page")
    return (
        f"{where}  {page:20} {profile.example_url()}/\n"
        f"\n{_logins(kept)}\n  {said('Or post a notice by hand:')}\n{_curl(kept)}\n"
    )


def _logins(kept: SavedLogins) -> str:
    roles = {study.leader: said("leads %s") % study.name for study in STUDIES}
    roles[ADMIN] = said("site admin")
    lines = [f"    {name:8} {kept.passwords[name]:16} {role}" for name, role in roles.items()]
    by_discord = f"    {said('or press “Log in with Discord”, and choose one of the leaders')}"
    return "\n".join([f"  {said('Log in as')}", *lines, by_discord, ""])


def _curl(kept: SavedLogins) -> str:
    notice = {
        "channel_id": guild_named(STUDIES[0].guild)["channels"][0]["id"],
        "study_id": kept.study_id,
        "title": "안녕하세요",
        "content": "curl로 보낸 공지예요.",
        "author": STUDIES[0].leader_name,
    }
    return (
        f"    curl {profile.web_url()}/notice/ -H 'X-API-Key: {kept.api_key}' \\\n"
        "      -H 'Content-Type: application/json' \\\n"
        f"      -d '{json.dumps(notice, ensure_ascii=False)}'"
    )


def say(*, shows_demo: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    since = timezone.now()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    wait_for(f"{profile.web_url()}/healthz", deadline)
    if shows_demo:
        wait_for(f"{profile.fakediscord_url()}/", deadline)
    wait_until_settled(since)
    kept = SavedLogins.read_or_make(settings.VAR_DIR / "demo.json") if shows_demo else None
    if kept and kept.api_key:
        wait_for(f"{profile.example_url()}/", deadline)
    words = demo(kept) if kept else against_discord()
    # One write keeps the processes' lines from coming in between.
    sys.stdout.write(f"\n{_LINE}\n{words}{_LINE}\n\n")
    sys.stdout.flush()
