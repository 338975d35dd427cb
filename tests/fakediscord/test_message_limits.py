"""A message over Discord's limits is refused with the path of the wrong field."""

from typing import Any

import pytest

from fakediscord.errors import ApiError
from fakediscord.payload import check_message

Json = dict[str, Any]


def button(**changes: Any) -> Json:
    return {"type": 2, "style": 1, "label": "확인", "custom_id": "ok", **changes}


def row(*controls: Json) -> Json:
    return {"type": 1, "components": list(controls)}


def embed(**parts: Any) -> Json:
    return {"embeds": [{"title": "제목", **parts}]}


def field(name: str = "이름", value: str = "값") -> Json:
    return {"name": name, "value": value}


def complaint(payload: Json, *path: object) -> Json:
    """The first complaint at the path."""
    with pytest.raises(ApiError) as refused:
        check_message(payload)
    assert refused.value.code == 50035
    node: Json = refused.value.body()["errors"]
    for step in path:
        node = node[str(step)]
    found: Json = node["_errors"][0]
    return found


WITHIN: list[Json] = [
    {"content": "가" * 2000, "nonce": "n" * 25},
    {"embeds": [embed()["embeds"][0]] * 10},
    embed(title="가" * 256, description="가" * 4096),
    embed(footer={"text": "가" * 2048}),
    embed(author={"name": "가" * 256, "url": "https://example.com"}),
    embed(fields=[field()] * 25),
    embed(fields=[field("가" * 256, "가" * 1024)]),
    embed(url="https://example.com/스터디?a=1#b", timestamp="2026-03-02T20:00:00+09:00"),
    embed(url="http://localhost:8000/"),
    embed(image={"url": "attachment://cover.png"}, color=0xFFFFFF),
    {"components": [row(*[button(custom_id=f"{n}-{m}") for m in range(5)]) for n in range(5)]},
    {"components": [row(button(custom_id="가" * 100, label="가" * 80))]},
    {"components": [row({"type": 2, "style": 5, "label": "열기", "url": "https://example.com"})]},
    {"allowed_mentions": {"parse": ["users"], "roles": ["1"]}},
    {"flags": 1 << 15, "components": [{"type": 10, "content": "가" * 4000}]},
]


@pytest.mark.parametrize("payload", WITHIN)
def test_a_message_within_the_limits_is_taken(payload: Json) -> None:
    check_message(payload)


BEYOND: list[tuple[Json, tuple[object, ...], str]] = [
    ({"content": "가" * 2001}, ("content",), "BASE_TYPE_MAX_LENGTH"),
    ({"content": 5}, ("content",), "STRING_TYPE_CONVERT"),
    ({"nonce": "n" * 26}, ("nonce",), "BASE_TYPE_MAX_LENGTH"),
    ({"nonce": ["n"]}, ("nonce",), "STRING_TYPE_CONVERT"),
    ({"flags": "x"}, ("flags",), "NUMBER_TYPE_COERCE"),
    ({"embeds": "x"}, ("embeds",), "LIST_TYPE_CONVERT"),
    ({"embeds": [5]}, ("embeds", 0), "MODEL_TYPE_CONVERT"),
    ({"embeds": [{"title": "제목"}] * 11}, ("embeds",), "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"color": 5}]}, ("embeds", 0, "description"), "BASE_TYPE_REQUIRED"),
    (embed(title="가" * 257), ("embeds", 0, "title"), "BASE_TYPE_MAX_LENGTH"),
    (embed(description="가" * 4097), ("embeds", 0, "description"), "BASE_TYPE_MAX_LENGTH"),
    (embed(footer={"text": "가" * 2049}), ("embeds", 0, "footer", "text"), "BASE_TYPE_MAX_LENGTH"),
    (embed(author={"name": "가" * 257}), ("embeds", 0, "author", "name"), "BASE_TYPE_MAX_LENGTH"),
    (embed(fields=[field()] * 26), ("embeds", 0, "fields"), "BASE_TYPE_MAX_LENGTH"),
    (embed(fields=[field(name="")]), ("embeds", 0, "fields", 0, "name"), "BASE_TYPE_REQUIRED"),
    (
        embed(fields=[field(), field(value="가" * 1025)]),
        ("embeds", 0, "fields", 1, "value"),
        "BASE_TYPE_MAX_LENGTH",
    ),
    (
        {"embeds": [{"description": "가" * 3001}, {"description": "가" * 3000}]},
        ("embeds",),
        "MAX_EMBED_SIZE_EXCEEDED",
    ),
    (embed(url="javascript:alert(1)"), ("embeds", 0, "url"), "URL_TYPE_INVALID_SCHEME"),
    (embed(url="www.example.com"), ("embeds", 0, "url"), "URL_TYPE_INVALID_SCHEME"),
    (embed(url="https://"), ("embeds", 0, "url"), "URL_TYPE_INVALID_URL"),
    (embed(url="https://exa mple.com"), ("embeds", 0, "url"), "URL_TYPE_INVALID_URL"),
    (embed(url="https://nodots"), ("embeds", 0, "url"), "URL_TYPE_INVALID_URL"),
    (embed(url="https://[::1"), ("embeds", 0, "url"), "URL_TYPE_INVALID_URL"),
    (
        embed(image={"url": "ftp://example.com/a.png"}),
        ("embeds", 0, "image", "url"),
        "URL_TYPE_INVALID_SCHEME",
    ),
    (embed(color=0x1000000), ("embeds", 0, "color"), "NUMBER_TYPE_MAX"),
    (embed(timestamp="화요일"), ("embeds", 0, "timestamp"), "DATE_TIME_TYPE_PARSE"),
    ({"components": [row(button())] * 6}, ("components",), "BASE_TYPE_MAX_LENGTH"),
    (
        {"components": [row(*[button(custom_id=str(n)) for n in range(6)])]},
        ("components", 0, "components"),
        "BASE_TYPE_MAX_LENGTH",
    ),
    ({"components": [row()]}, ("components", 0, "components"), "BASE_TYPE_BAD_LENGTH"),
    ({"components": [button()]}, ("components", 0, "type"), "UNION_TYPE_CHOICES"),
    (
        {"components": [row(button(custom_id="가" * 101))]},
        ("components", 0, "components", 0, "custom_id"),
        "BASE_TYPE_MAX_LENGTH",
    ),
    (
        {"components": [row(button(custom_id=""))]},
        ("components", 0, "components", 0, "custom_id"),
        "BASE_TYPE_REQUIRED",
    ),
    (
        {"components": [row(button(), button())]},
        ("components",),
        "COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    (
        {"components": [row(button(label=None))]},
        ("components", 0, "components", 0),
        "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED",
    ),
    (
        {"components": [row({"type": 2, "style": 5, "label": "열기"})]},
        ("components", 0, "components", 0, "url"),
        "BASE_TYPE_REQUIRED",
    ),
    (
        {"components": [row({"type": 2, "style": 5, "label": "열기", "url": "javascript:1"})]},
        ("components", 0, "components", 0, "url"),
        "URL_TYPE_INVALID_SCHEME",
    ),
    (
        {"components": [row(button(style=9))]},
        ("components", 0, "components", 0, "style"),
        "BASE_TYPE_CHOICES",
    ),
    (
        {"allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        ("allowed_mentions",),
        "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ),
    (
        {"allowed_mentions": {"parse": ["all"]}},
        ("allowed_mentions", "parse", 0),
        "BASE_TYPE_CHOICES",
    ),
    (
        {"flags": 1 << 15, "content": "글", "components": [{"type": 10, "content": "글"}]},
        ("content",),
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    (
        {"flags": 1 << 15, "components": [{"type": 10, "content": "가" * 4001}]},
        ("components",),
        "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
    ),
    (
        {
            "flags": 1 << 15,
            "components": [{"type": 17, "components": [{"type": 10, "content": "글"}] * 40}],
        },
        ("components",),
        "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ),
]


@pytest.mark.parametrize(("payload", "path", "code"), BEYOND)
def test_a_message_beyond_the_limits_is_refused_by_the_path_of_its_field(
    payload: Json, path: tuple[object, ...], code: str
) -> None:
    assert complaint(payload, *path)["code"] == code


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ApiError) as refused:
        check_message({"embeds": [{"title": "가" * 300, "url": "x:y", "color": -1}]})
    body = refused.value.body()
    assert body["message"] == "Invalid Form Body"
    assert set(body["errors"]["embeds"]["0"]) == {"title", "url", "color"}


@pytest.mark.parametrize(
    "payload",
    [
        {"embeds": [{"title": {}}]},
        {"embeds": [{"fields": {}, "title": "제목"}]},
        {"embeds": [{"fields": [None], "title": "제목"}]},
        {"embeds": [{"footer": "x", "title": "제목"}]},
        {"embeds": [{"image": {"url": 5}, "title": "제목"}]},
        {"embeds": [None]},
        {"components": [None]},
        {"components": [{"type": {}}]},
        {"components": [{"type": 1, "components": "x"}]},
        {"components": [{"type": 1, "components": [{"type": 2, "style": "x"}]}]},
        {"components": [{"type": 1, "components": [{"type": []}]}]},
        {"allowed_mentions": []},
        {"allowed_mentions": {"parse": [{}]}},
        {"allowed_mentions": {"users": "x"}},
        {"flags": 1 << 15, "components": [{"type": 17, "components": 5}]},
        {"attachments": "x"},
        {"attachments": [{}]},
        {"message_reference": "x"},
    ],
)
def test_nonsense_is_refused_and_never_an_error_of_the_server(payload: Json) -> None:
    with pytest.raises(ApiError) as refused:
        check_message(payload)
    assert refused.value.status == 400
