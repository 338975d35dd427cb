"""The cast of fakediscord's tests: two guilds, a leader, a member, and the bot."""

import json
from pathlib import Path
from typing import Any

APPLICATION = "1129780000000000000"
BOT = "1129780000000000001"
LEADER = "265751101440004096"
MEMBER = "409997578424295425"

STUDY = "1080811743397027843"  # on shard 1 of 2
NEWS = "1080811995055263745"  # an announcement channel
TALK = "1080812247288127490"
TASKS = "1080812499520991235"
STAFF = "1080812751753854980"  # the bot does not see it
QUIET = "1080812751753854981"  # the bot may read here, not write
PLAIN = "1080812751753854982"  # the bot may write here, not embed
MUTE = "1080812751753854983"  # the bot may write here, not read the history
FORUM = "1080812751753854984"
LEADERS_ROLE = "1080811745695518725"
MEMBERS_ROLE = "1080811997928382470"

BOOKS = "1280136396090122243"  # on shard 0 of 2
BOOK_TALK = "1280136647748358145"

LAYOUT: dict[str, Any] = {
    "application": {"id": APPLICATION, "name": "studybot"},
    "bot": {"id": BOT, "username": "studybot", "global_name": "스터디봇"},
    "acting": MEMBER,
    "people": [
        {"id": LEADER, "username": "jiwoo", "global_name": "지우"},
        {"id": MEMBER, "username": "haneul", "global_name": "하늘", "avatar_color": "#a83f86"},
    ],
    "guilds": [
        {
            "id": STUDY,
            "name": "알고리즘 스터디",
            "icon_text": "알고",
            "owner": LEADER,
            "roles": [
                {"id": LEADERS_ROLE, "name": "스터디장"},
                {"id": MEMBERS_ROLE, "name": "스터디원", "mentionable": True},
            ],
            "members": [{"id": LEADER, "roles": [LEADERS_ROLE]}, {"id": MEMBER, "nick": "하늘이"}],
            "channels": [
                {"id": NEWS, "name": "공지", "type": "announcement", "topic": "소식"},
                {"id": TALK, "name": "자유"},
                {"id": TASKS, "name": "과제"},
                {"id": STAFF, "name": "운영진", "bot_denied": ["VIEW_CHANNEL"]},
                {"id": QUIET, "name": "규칙", "bot_denied": ["SEND_MESSAGES"]},
                {"id": PLAIN, "name": "글만", "bot_denied": ["EMBED_LINKS"]},
                {"id": MUTE, "name": "지난글없음", "bot_denied": ["READ_MESSAGE_HISTORY"]},
                {"id": FORUM, "name": "포럼", "type": "forum"},
            ],
        },
        {
            "id": BOOKS,
            "name": "독서 모임",
            "owner": LEADER,
            "channels": [{"id": BOOK_TALK, "name": "책-이야기"}],
        },
    ],
}


def write_layout(folder: Path, described: dict[str, Any] = LAYOUT) -> Path:
    path = folder / "layout.json"
    path.write_text(json.dumps(described), encoding="utf-8")
    return path
