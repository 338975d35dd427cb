"""A picture that says it is huge is refused before anybody draws it."""

import io
import struct
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from PIL import Image

from notices.files import pictures
from notices.files.uploads import Sent, keep
from notices.models import Upload
from tests.pictures import picture

HUGE = 13_000


def png(width: int, height: int, frames: int = 0) -> bytes:
    """A PNG whose header claims this size, with hardly any data behind it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    parts = [
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
    ]
    if frames:
        parts.append(chunk(b"acTL", struct.pack(">II", frames, 0)))
    return b"".join([*parts, chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b"")])


def gif(
    screen: tuple[int, int], *frames: tuple[int, int], blocks: bytes = b"\x02\x4c\x01\x00"
) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    drawn = b"".join(
        b"\x2c" + struct.pack("<HHHHB", 0, 0, *size, 0) + b"\x02" + blocks for size in frames
    )
    return head + drawn + b"\x3b"


def jpeg(width: int, height: int) -> bytes:
    small = picture("JPEG", (8, 8))
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + struct.pack(">HH", height, width) + small[at + 4 :]


def webp(width: int, height: int, frames: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    def three(*numbers: int) -> bytes:
        return b"".join(struct.pack("<I", number)[:3] for number in numbers)

    canvas = chunk(b"VP8X", b"\x02\0\0\0" + three(width - 1, height - 1))
    frame = chunk(b"ANMF", three(0, 0, 0, 0, 100) + b"\0" + picture("WEBP", (1, 1))[12:])
    body = b"WEBP" + canvas + chunk(b"ANIM", b"\0" * 6) + frame * frames
    return b"RIFF" + struct.pack("<I", len(body)) + body


TOO_LARGE = {
    "a PNG": png(HUGE, HUGE),
    "a PNG, wide": png(100_000, 1_000),
    "a PNG, as large as can be": png(2**31 - 1, 2**31 - 1),
    "a JPEG": jpeg(HUGE, HUGE),
    "a JPEG, as large as can be": jpeg(65_535, 65_535),
    "a GIF": gif((HUGE, HUGE), (1, 1)),
    "a GIF whose frame is larger": gif((1, 1), (HUGE, HUGE)),
    "a GIF whose last frame is larger": gif((1, 1), (1, 1), (1, 1), (HUGE, HUGE)),
    "a GIF of many frames": gif((1000, 1000), *[(1, 1)] * 1001),
    "a GIF of very many frames": gif((1, 1), *[(1, 1)] * 5001),
    "a WebP": webp(HUGE, HUGE, 1),
    "a WebP of many frames": webp(4000, 4000, 100),
    "an APNG of many frames": png(1000, 1000, frames=2000),
}


@pytest.mark.parametrize("data", TOO_LARGE.values(), ids=TOO_LARGE)
def test_too_many_pixels_are_refused_in_words(leader: User, data: bytes) -> None:
    with pytest.raises(ValidationError, match="64") as refused:
        keep(Sent("지도.png", data), by=leader)
    assert refused.value.code == "too_many_pixels"
    assert "지도.png" in refused.value.message
    assert not Upload.objects.exists()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_photo_from_a_phone_is_a_picture(kind: str) -> None:
    large = picture(kind, (6_000, 8_000))
    assert pictures.type_of(large) == f"image/{kind.lower()}"


def test_an_animation_is_a_picture() -> None:
    written = io.BytesIO()
    frames = [Image.new("P", (480, 270), colour) for colour in range(50)]
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    assert pictures.type_of(written.getvalue()) == "image/gif"


def broken_gifs() -> Iterator[bytes]:
    whole = gif((3, 2), (3, 2), (3, 2))
    yield from (whole[:length] for length in range(6, len(whole) - 1))


@pytest.mark.parametrize("data", list(broken_gifs()), ids=len)
def test_a_broken_gif_is_no_picture_or_a_small_one(data: bytes) -> None:
    assert pictures.type_of(data) in (None, "image/gif")


@pytest.mark.parametrize("blocks", [b"\x01\x4c" * 5_000_000 + b"\0", b"\xff" * 10_000_000])
def test_a_long_gif_is_checked_quickly(blocks: bytes) -> None:
    begun = time.monotonic()
    pictures.type_of(gif((3, 2), (3, 2), blocks=blocks))
    assert time.monotonic() - begun < 5


def test_the_apis_refusal_names_the_file(client: Any, leader: User, study: Any) -> None:
    client.force_login(leader)
    answer = client.post(
        "/api/v1/uploads/?name=a.png", png(HUGE, HUGE), content_type="application/octet-stream"
    )
    assert answer.status_code == 400
    assert "a.png" in answer.json()["file"][0]
