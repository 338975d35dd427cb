"""What kind of picture a file is, and how large once it is drawn: read from its headers alone.

Seventy bytes can say that they are 13,000 by 13,000 pixels. Whoever draws that, here or in a
leader's browser or in Discord, needs half a gigabyte.
"""

import io
from dataclasses import dataclass

from PIL import Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
# Of each frame. The cameras of phones have 12 to 50 million.
MOST_PIXELS = 64_000_000
# Of all frames together, and of frames.
MOST_PIXELS_IN_ALL = 1_000_000_000
MOST_FRAMES = 5_000
# A JPEG with a second picture in it, as many phones take them.
_MORE_THAN_A_JPEG = "MPO"

_GIF_HEADER_LENGTH = 13
_GIF_FRAME, _GIF_EXTENSION = 0x2C, 0x21


class TooLargeError(Exception):
    """It would take more pixels to draw than a picture may have."""


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
    """Its MIME type if an embed shows it and it is whole; null for all else.

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
        # Whatever a file that is none may make of the reader.
        return None


def _drawn(picture: Image.Image, data: bytes) -> _Drawn:
    width, height = picture.size
    if picture.format == "GIF":
        return _drawn_gif(data, _Drawn(width, height, frames=0))
    return _Drawn(width, height, getattr(picture, "n_frames", 1))


def _drawn_gif(data: bytes, drawn: _Drawn) -> _Drawn:
    """Each frame has a size of its own and may enlarge it; Pillow would unpack all to tell."""
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
    """The length of the table of colours that the flags tell of."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    while length := data[at]:
        at += length + 1
    return at + 1
