"""Small real pictures, as a phone would send them."""

import io

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (3, 2), colour: str = "red") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, kind)
    return written.getvalue()
