"""Reads and writes the JSON that goes over the wire."""

import json
from typing import Any

Json = dict[str, Any]


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


# Python would read NaN and Infinity too, and write them again.
loads = json.JSONDecoder(parse_constant=_refuse).decode

# Escaped to ASCII as Discord does it, so that even a lone surrogate can be sent.
dumps = json.JSONEncoder(separators=(",", ":")).encode
