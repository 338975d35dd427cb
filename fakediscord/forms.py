"""Collects what is wrong with a form, by path and nested as Discord answers it."""

from typing import Any

from fakediscord.errors import ApiError
from fakediscord.wire import Json

Path = tuple[str | int, ...]


class FormErrors:
    """Collects complaints; `refuse()` raises them all at once, if there are any."""

    def __init__(self) -> None:
        self.tree: Json = {}

    def add(self, path: Path, code: str, message: str) -> None:
        node = self.tree
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def refuse(self) -> None:
        if self.tree:
            raise ApiError(50035, errors=self.tree)

    def required(self, path: Path) -> None:
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def text(self, path: Path, value: object, longest: int) -> str:
        """Return the text, or "" for none and for another type, which is a complaint."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.add(path, "STRING_TYPE_CONVERT", "Could not interpret value as string.")
            return ""
        if len(value) > longest:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {longest} or fewer in length.")
        return value

    def items(self, path: Path, value: object, most: int) -> list[Any]:
        """Return the list, or [] for none and for another type, which is a complaint."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return []
        if len(value) > most:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        return value[:most]

    def mapping(self, path: Path, value: object) -> Json:
        """Return the object, or {} for none and for another type, which is a complaint."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            return {}
        return value

    def number(self, path: Path, value: object, most: int) -> None:
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            self.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif value < 0:
            self.add(path, "NUMBER_TYPE_MIN", "int value should be greater than or equal to 0.")
        elif value > most:
            self.add(path, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")


def invalid(path: Path, code: str, message: str) -> ApiError:
    """Return a refusal for a single reason, to be raised."""
    errors = FormErrors()
    errors.add(path, code, message)
    return ApiError(50035, errors=errors.tree)
