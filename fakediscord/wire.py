"""What goes over the wire: JSON objects and how they are written."""

import json
from typing import Any

Json = dict[str, Any]

# Escaped to ASCII as Discord does it, so that even a lone surrogate can be sent.
dumps = json.JSONEncoder(separators=(",", ":")).encode
