"""An application learns by OAuth2 who somebody is, once she has allowed it, and no more."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import encode_basic_auth

from tests.fakediscord.cast import APPLICATION, BOT, LEADER
from tests.fakediscord.served import SECRET, Answer, Served, served

BACK = "http://127.0.0.1:8000/admin/discord/callback/"
ASKED = {
    "client_id": APPLICATION, "redirect_uri": BACK, "response_type": "code", "scope": "identify",
    "state": "a-state",
}  # fmt: skip
PATHS = ("/oauth2/authorize", "/api/oauth2/authorize")


async def asked(discord: Served, path: str = PATHS[0], **changes: str) -> tuple[int, str, str]:
    """The status, the page and the policy."""
    url = f"{discord.fake.url}{path}?{urlencode(ASKED | changes)}"
    async with discord.session.get(url, allow_redirects=False) as answer:
        where = answer.headers.get("Location", await answer.text())
        return answer.status, where, answer.headers.get("Content-Security-Policy", "")


async def chosen(discord: Served, user_id: str, **changes: str) -> dict[str, list[str]]:
    """What the application's address is told after the choice."""
    form = ASKED | changes | {"user_id": user_id}
    url = discord.fake.url + PATHS[0]
    async with discord.session.post(url, data=form, allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"].startswith(BACK)
        return parse_qs(urlsplit(answer.headers["Location"]).query)


async def code_of(discord: Served, user_id: str = LEADER) -> str:
    return (await chosen(discord, user_id))["code"][0]


async def exchanged(discord: Served, code: str, *, header: str = "", **changes: str) -> Answer:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    if not header:
        form |= {"client_id": APPLICATION, "client_secret": SECRET}
    url = f"{discord.fake.url}/api/oauth2/token"
    headers = {"Authorization": header} if header else {}
    async with discord.session.post(url, data=form | changes, headers=headers) as answer:
        return Answer(answer.status, await answer.json(), answer.headers)


async def me(discord: Served, authorization: str) -> Answer:
    headers = {"Authorization": authorization}
    return await discord.order("GET", "/api/users/@me", headers=headers)


@served
async def test_who_allows_it_is_known_by_name_and_id_alone(discord: Served) -> None:
    for path in PATHS:
        status, page, policy = await asked(discord, path)
        assert status == 200
        assert "지우 (jiwoo)" in page
        assert BOT not in page
        assert policy.endswith("form-action 'self' http://127.0.0.1:8000")
    told = await chosen(discord, LEADER)
    assert told["state"] == ["a-state"]
    granted = await exchanged(discord, told["code"][0])
    assert granted.status == 200
    assert (granted.data["token_type"], granted.data["scope"]) == ("Bearer", "identify")
    known = await me(discord, f"Bearer {granted.data['access_token']}")
    assert known.status == 200
    assert known.data["id"] == LEADER
    assert (known.data["username"], known.data["global_name"]) == ("jiwoo", "지우")
    assert known.data["avatar"] is None
    assert "email" not in known.data


@served
async def test_an_application_may_name_itself_in_the_header(discord: Served) -> None:
    header = encode_basic_auth(APPLICATION, SECRET)
    assert (await exchanged(discord, await code_of(discord), header=header)).status == 200
    for wrong in (encode_basic_auth(APPLICATION, "x"), "Basic !", "Basic /w=="):
        refused = await exchanged(discord, await code_of(discord), header=wrong)
        assert (refused.status, refused.data) == (401, {"error": "invalid_client"})


@served
async def test_who_declines_is_led_back_without_a_code(discord: Served) -> None:
    for user_id in ("", "1", BOT):
        told = await chosen(discord, user_id)
        assert told["error"] == ["access_denied"]
        assert told["state"] == ["a-state"]
        assert "code" not in told


@served
async def test_a_code_is_good_once_for_its_own_application_and_address(discord: Served) -> None:
    code = await code_of(discord)
    assert (await exchanged(discord, code)).status == 200
    again = await exchanged(discord, code)
    assert (again.status, again.data["error"]) == (400, "invalid_grant")
    elsewhere = await exchanged(discord, await code_of(discord), redirect_uri=f"{BACK}x")
    assert elsewhere.data["error"] == "invalid_grant"
    other_kind = await exchanged(discord, await code_of(discord), grant_type="password")
    assert (other_kind.status, other_kind.data["error"]) == (400, "unsupported_grant_type")
    wrong: dict[str, Any] = {"client_id": "1", "client_secret": ""}
    for changes in ({name: value} for name, value in wrong.items()):
        refused = await exchanged(discord, await code_of(discord), **changes)
        assert (refused.status, refused.data) == (401, {"error": "invalid_client"})


@served
async def test_a_code_ends_by_itself(discord: Served) -> None:
    await discord.settings(oauth_code_seconds=0)
    refused = await exchanged(discord, await code_of(discord))
    assert refused.data["error"] == "invalid_grant"


@served
async def test_an_application_that_asks_wrongly_is_told_so(discord: Served) -> None:
    _status, back, _policy = await asked(discord, scope="identify email")
    assert "error=invalid_scope" in back
    _status, back, _policy = await asked(discord, response_type="token")
    assert "error=unsupported_response_type" in back


@served
async def test_nobody_is_led_to_another_machine_or_for_an_unknown_application(
    discord: Served,
) -> None:
    for changes in (
        {"client_id": "1"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "javascript:alert(1)//127.0.0.1"},
        {"redirect_uri": ""},
    ):
        assert (await asked(discord, **changes))[0] == 400


@served
async def test_another_token_than_a_granted_one_is_refused(discord: Served) -> None:
    granted = await exchanged(discord, await code_of(discord))
    for authorization in ("", "Bearer x", f"Bot {granted.data['access_token']}", "Bearer"):
        refused = await me(discord, authorization)
        assert (refused.status, refused.data["code"]) == (401, 0)


@served
async def test_faults_strike_the_exchange(discord: Served) -> None:
    await discord.fault(kind="status", status=503, path="^/oauth2/token$", times=1)
    await discord.fault(kind="status", status=500, path="^/users/@me$", times=1)
    assert (await exchanged(discord, "x")).status == 503
    assert (await me(discord, "Bearer x")).status == 500
    assert (await me(discord, "Bearer x")).status == 401
