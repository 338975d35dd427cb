"""Translates the banner into the language of the terminal."""

import os
from collections.abc import Mapping

_KOREAN = {
    "studybot is running, with a Discord of its own. Stop it with Ctrl-C.": (
        "studybot이 내장 디스코드와 함께 실행 중이에요. 멈추려면 Ctrl-C를 눌러 주세요."
    ),
    "studybot is running against %s. Stop it with Ctrl-C.": (
        "studybot이 %s 에 연결해 실행 중이에요. 멈추려면 Ctrl-C를 눌러 주세요."
    ),
    "Write notices": "공지 쓰기",
    "See them shown": "디스코드에서 보기",
    "A frontend's page": "프런트엔드 예제",
    "Log in as": "로그인 계정",
    "leads %s": "%s 스터디장",
    "site admin": "사이트 관리자",
    "or press “Log in with Discord”, and choose one of the leaders": (
        "또는 ‘Discord로 로그인’을 누르고 스터디장을 골라 주세요"
    ),
    "Or post a notice by hand:": "API로 직접 올려 보기:",
    "Make yourself a site admin, within a day:": (
        "하루 안에 이 링크로 사이트 관리자 계정을 만들어 주세요:"
    ),
    "The database had people in it already, so no demo was laid out.": (
        "데이터베이스에 이미 사용자가 있어서 데모를 만들지 않았어요."
    ),
}


def is_korean(environment: Mapping[str, str]) -> bool:
    """Return whether the language is Korean, by the first variable that is set, as in C."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    chosen = next((environment[name] for name in names if environment.get(name)), "")
    return chosen.lower().startswith("ko")


def said(text: str) -> str:
    return _KOREAN[text] if is_korean(os.environ) else text
