"""Tells the demo's story: two studies, their leaders and what they wrote."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

ADMIN = "admin"
LAYOUT = Path(__file__).with_name("layout.json")


@dataclass(frozen=True)
class NoticeStory:
    channels: tuple[str, ...]
    title: str
    content: str
    # Counted from the moment the demo is laid out; none is a draft.
    published_in: timedelta | None = timedelta()
    url: str = ""
    ping: str = "none"


@dataclass(frozen=True)
class StudyStory:
    name: str
    leader: str
    leader_name: str
    colour: int
    # By the names in layout.json, which alone knows the ids.
    guild: str
    notices: tuple[NoticeStory, ...]
    ping_role: str | None = None


_LAID_OUT: dict[str, Any] = json.loads(LAYOUT.read_text(encoding="utf-8"))
APPLICATION: str = _LAID_OUT["application"]["id"]


def guild_named(name: str) -> dict[str, Any]:
    guilds: list[dict[str, Any]] = _LAID_OUT["guilds"]
    return next(guild for guild in guilds if guild["name"] == name)


def discord_id_of(leader: str) -> str:
    """Return the number that fakediscord's person of this name has."""
    people: list[dict[str, Any]] = _LAID_OUT["people"]
    return str(next(person["id"] for person in people if person["username"] == leader))


STUDIES = (
    StudyStory(
        name="알고리즘 스터디",
        leader="minji",
        leader_name="김민지",
        colour=0x5865F2,
        guild="알고리즘 스터디",
        ping_role="스터디원",
        notices=(
            NoticeStory(
                channels=("공지", "과제"),
                title="7주차 모임: 다익스트라와 최단 경로",
                content=(
                    "이번 주 모임은 **화요일 저녁 8시**, 음성 채널에서 진행합니다.\n\n"
                    "- 교재 9장을 미리 읽어 와 주세요.\n"
                    "- 풀이 발표는 도현 님이 맡아 주셨습니다.\n"
                    "- 늦으실 것 같으면 이 채널에 남겨 주세요."
                ),
                ping="role",
            ),
            NoticeStory(
                channels=("과제",),
                title="7주차 과제 제출 안내",
                content=(
                    "아래 세 문제를 **일요일 자정**까지 풀어 저장소에 올려 주세요.\n\n"
                    "1. 최소 비용 구하기\n2. 특정한 최단 경로\n3. 미로 만들기\n\n"
                    "막히는 부분은 언제든 편하게 질문해 주세요."
                ),
                url="https://github.com/",
            ),
            NoticeStory(
                channels=("운영진",),
                title="다음 달 일정 정하기",
                content="다음 달에 쉬어 갈 주를 함께 정하려고 합니다. 가능한 날짜를 알려 주세요.",
            ),
            NoticeStory(
                channels=("공지",),
                title="8주차 모임 장소 변경",
                content="8주차는 강남 스터디룸에서 직접 만나 진행합니다. 시간은 그대로입니다.",
                published_in=timedelta(days=1),
            ),
            NoticeStory(
                channels=("공지",),
                title="중간 회고 설문",
                content="지금까지의 진행 속도가 어떠셨는지 짧은 설문으로 여쭙고자 합니다.",
                published_in=None,
            ),
        ),
    ),
    StudyStory(
        name="책 읽는 저녁",
        leader="junho",
        leader_name="박준호",
        colour=0x2E8B57,
        guild="책 읽는 저녁",
        notices=(
            NoticeStory(
                channels=("공지",),
                title="이달의 책을 골랐습니다",
                content=(
                    "투표 결과, 이달에는 **『소년이 온다』**를 함께 읽습니다.\n"
                    "첫 모임은 둘째 주 목요일 저녁 7시 30분입니다."
                ),
            ),
            NoticeStory(
                channels=("읽기-진도",),
                title="이번 주 읽을 곳: 1장과 2장",
                content="마음에 남은 문장을 하나씩 적어 오시면 모임에서 함께 나누겠습니다.",
                published_in=timedelta(hours=2),
            ),
        ),
    ),
)
