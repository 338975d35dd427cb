"""Reads which page a request asks for: how much, and before or after which id."""

from fakediscord.forms import invalid
from fakediscord.routes import Call


def page_limit(call: Call, default: int, largest: int) -> int:
    text = call.query.get("limit", str(default))
    if text.isdecimal() and 1 <= int(text) <= largest:
        return int(text)
    raise invalid(("limit",), "NUMBER_TYPE_RANGE", f"int value should be 1 to {largest}.")


def queried_id(call: Call, name: str) -> int:
    text = call.query[name]
    if text.isdecimal():
        return int(text)
    raise invalid((name,), "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
