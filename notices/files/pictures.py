"""The type of a picture, and its size in pixels, read from its headers alone.

A file of seventy bytes can claim 13,000 by 13,000 pixels. To draw them, a browser or Discord would
need half a gigabyte.
"""

import io
from dataclasses import dataclass

from PIL import Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
# The limit of each frame; phones' cameras have 12 to 50 million.
MOST_PIXELS = 64_000_000
# The limits of all frames together.
MOST_PIXELS_IN_ALL = 1_000_000_000
MOST_FRAMES = 5_000
# Pillow's name for a JPEG that contains a second picture, as many phones' do.
_MORE_THAN_A_JPEG = "MPO"

_GIF_HEADER_LENGTH = 13
_GIF_FRAME, _GIF_EXTENSION = 0x2C, 0x21


class TooLargeError(Exception):
    """The picture has more pixels than the limit."""


@dataclass
class _Drawn:
    width: int
    height: int
    frames: int = 1

    def check(self) -> None:
        pixels = self.width * self.height
        if (
            pixels > MOST_PIXELS
            or self.frames > MOST_FRAMES
            or pixels * self.frames > MOST_PIXELS_IN_ALL
        ):
            raise TooLargeError


def type_of(data: bytes) -> str | None:
    """Return its MIME type if it is an undamaged picture that an embed shows, or else None.

    Raises TooLargeError.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _drawn(picture, data).check()
            picture.verify()
            found = picture.format or ""
            return Image.MIME["JPEG" if found == _MORE_THAN_A_JPEG else found]
    except (TooLargeError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLargeError from error
    except Exception:
        # Pillow may raise any error for a file that is no picture.
        return None


def _drawn(picture: Image.Image, data: bytes) -> _Drawn:
    width, height = picture.size
    if picture.format == "GIF":
        return _drawn_gif(data, _Drawn(width, height, frames=0))
    return _Drawn(width, height, getattr(picture, "n_frames", 1))


def _drawn_gif(data: bytes, drawn: _Drawn) -> _Drawn:
    """Read the frames' headers, as each may enlarge the picture; Pillow would decode them all."""
    at = _GIF_HEADER_LENGTH + _colours(data[10])
    while at < len(data) and data[at] in (_GIF_FRAME, _GIF_EXTENSION):
        if data[at] == _GIF_EXTENSION:
            at = _after_blocks(data, at + 2)
            continue
        left, top, width, height = (
            int.from_bytes(data[at + place : at + place + 2], "little") for place in (1, 3, 5, 7)
        )
        drawn.width = max(drawn.width, left + width)
        drawn.height = max(drawn.height, top + height)
        drawn.frames += 1
        drawn.check()
        at = _after_blocks(data, at + 11 + _colours(data[at + 9]))
    return drawn


def _colours(flags: int) -> int:
    """Return the length of the colour table that the flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    while length := data[at]:
        at += length + 1
    return at + 1
