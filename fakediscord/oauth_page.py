"""Draws the page on which a person lets an application know who she is, or declines."""

from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import urlsplit

from aiohttp import web

from fakediscord.wire import Json

# What the page was asked with, and sends on with the choice.
PASSED_ON = ("client_id", "redirect_uri", "response_type", "scope", "state")

_KOREAN = {
    "wants": "{name}에서 디스코드 계정을 확인하려고 해요",
    "as": "누구로 로그인할까요? 이 디스코드는 이 컴퓨터에만 있어요.",
    "decline": "취소",
}
_ENGLISH = {
    "wants": "{name} wants to know your Discord account",
    "as": "Who are you? This Discord is on this machine alone.",
    "decline": "Cancel",
}
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; margin: 0; min-height: 100vh; place-items: center; }
main { box-sizing: border-box; max-width: 26rem; padding: 1rem; width: 100%; }
h1 { font-size: 1.25rem; word-break: keep-all; }
form { display: grid; gap: .5rem; }
button { border: 1px solid #8888; border-radius: .5rem; cursor: pointer; font: inherit;
  padding: .75rem 1rem; text-align: left; }
"""


def page(
    name: str, people: Iterable[Json], asked: Mapping[str, str], language: str
) -> web.Response:
    is_korean = language.lower().startswith("ko")
    words = _KOREAN if is_korean else _ENGLISH
    hidden = "".join(
        f'<input type="hidden" name="{part}" value="{escape(asked[part])}">' for part in PASSED_ON
    )
    buttons = "".join(_button(person) for person in people)
    html = (
        f'<!DOCTYPE html><html lang="{"ko" if is_korean else "en"}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>fakediscord</title><style>{_STYLE}</style>"
        f"<main><h1>{escape(words['wants'].format(name=name))}</h1><p>{words['as']}</p>"
        f'<form method="post">{hidden}{buttons}'
        f'<button name="user_id" value="">{words["decline"]}</button></form></main></html>'
    )
    return web.Response(text=html, content_type="text/html", headers=_headers(asked))


def _button(person: Json) -> str:
    names = f"{escape(person['global_name'])} ({escape(person['username'])})"
    return f'<button name="user_id" value="{escape(person["id"])}">{names}</button>'


def _headers(asked: Mapping[str, str]) -> dict[str, str]:
    """A browser holds the way back, which follows the form, against form-action as well."""
    back = urlsplit(asked["redirect_uri"])
    return {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action 'self' {back.scheme}://{back.netloc}"
        ),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
