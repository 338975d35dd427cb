"""Checks buttons and other components as Discord does, and finds one again."""

from collections.abc import Iterator
from typing import Any

from fakediscord.embeds import check_link
from fakediscord.forms import FormErrors, Path
from fakediscord.wire import Json

ACTION_ROW, BUTTON, STRING_SELECT = 1, 2, 3
SELECTS = (3, 5, 6, 7, 8)
TEXT_DISPLAY = 10
LINK_STYLE, LAST_STYLE = 5, 6
MOST_ROWS, MOST_IN_ROW = 5, 5
MOST_OPTIONS = 25
LONGEST_LABEL, LONGEST_CUSTOM_ID = 80, 100

V2_TYPES = (ACTION_ROW, 9, TEXT_DISPLAY, 12, 13, 14, 17)
MOST_IN_V2 = 40
LONGEST_V2_TEXT = 4000


def check_components(errors: FormErrors, value: object, *, is_v2: bool) -> None:
    most = MOST_IN_V2 if is_v2 else MOST_ROWS
    top = errors.items(("components",), value, most)
    for position, one in enumerate(top):
        _check_top(errors, ("components", position), one, is_v2=is_v2)
    _check_distinct(errors, top)
    if is_v2:
        _check_v2_sizes(errors, top)


def _check_top(errors: FormErrors, path: Path, value: object, *, is_v2: bool) -> None:
    component = errors.mapping(path, value)
    types = V2_TYPES if is_v2 else (ACTION_ROW,)
    kind = component.get("type")
    if kind not in types:
        errors.add(
            (*path, "type"), "UNION_TYPE_CHOICES", f'Value of field "type" must be one of {types}.'
        )
    if kind == ACTION_ROW:
        _check_row(errors, path, component)
        return
    inside = errors.items((*path, "components"), component.get("components"), MOST_IN_V2)
    for position, inner in enumerate(inside):
        if isinstance(inner, dict) and inner.get("type") == ACTION_ROW:
            _check_row(errors, (*path, "components", position), inner)
    if isinstance(accessory := component.get("accessory"), dict):
        _check_control(errors, (*path, "accessory"), accessory)


def _check_row(errors: FormErrors, path: Path, row: Json) -> None:
    controls = errors.items((*path, "components"), row.get("components"), MOST_IN_ROW)
    if not controls:
        message = f"Must be between 1 and {MOST_IN_ROW} in length."
        errors.add((*path, "components"), "BASE_TYPE_BAD_LENGTH", message)
    for position, one in enumerate(controls):
        _check_control(errors, (*path, "components", position), one)


def _check_control(errors: FormErrors, path: Path, value: object) -> None:
    control = errors.mapping(path, value)
    kind = control.get("type")
    if kind == BUTTON:
        _check_button(errors, path, control)
    elif kind in SELECTS:
        _check_custom_id(errors, path, control)
        errors.items((*path, "options"), control.get("options"), MOST_OPTIONS)
    elif kind != 11:  # a thumbnail, as an accessory
        types = (BUTTON, *SELECTS)
        errors.add((*path, "type"), "BASE_TYPE_CHOICES", f"Value must be one of {types}.")


def _check_button(errors: FormErrors, path: Path, button: Json) -> None:
    style = button.get("style")
    label = errors.text((*path, "label"), button.get("label"), LONGEST_LABEL)
    if not isinstance(style, int) or not 1 <= style <= LAST_STYLE:
        styles = tuple(range(1, LAST_STYLE + 1))
        errors.add((*path, "style"), "BASE_TYPE_CHOICES", f"Value must be one of {styles}.")
    elif style == LINK_STYLE:
        if not button.get("url"):
            errors.required((*path, "url"))
        check_link(errors, (*path, "url"), button.get("url"))
        if button.get("custom_id"):
            message = "A custom id and url cannot both be specified"
            errors.add(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message)
    elif style != LAST_STYLE:
        _check_custom_id(errors, path, button)
    if not label and not button.get("emoji") and style != LAST_STYLE:
        message = "A label or emoji must be specified"
        errors.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", message)


def _check_custom_id(errors: FormErrors, path: Path, control: Json) -> None:
    if not errors.text((*path, "custom_id"), control.get("custom_id"), LONGEST_CUSTOM_ID):
        errors.required((*path, "custom_id"))


def _check_distinct(errors: FormErrors, top: list[Any]) -> None:
    seen: set[str] = set()
    for control in walk(top):
        custom_id = control.get("custom_id")
        if isinstance(custom_id, str) and custom_id in seen:
            message = "Component custom id cannot be duplicated"
            errors.add(("components",), "COMPONENT_CUSTOM_ID_DUPLICATED", message)
        elif isinstance(custom_id, str):
            seen.add(custom_id)


def _check_v2_sizes(errors: FormErrors, top: list[Any]) -> None:
    everything = list(walk(top))
    if len(everything) > MOST_IN_V2:
        message = f"The number of components must be {MOST_IN_V2} or fewer."
        errors.add(("components",), "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", message)
    texts = [c["content"] for c in everything if isinstance(c.get("content"), str)]
    if sum(map(len, texts)) > LONGEST_V2_TEXT:
        message = f"The total text must be {LONGEST_V2_TEXT} or fewer in length."
        errors.add(("components",), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message)


def walk(components: list[Any]) -> Iterator[Json]:
    """Yield every component, nested ones too."""
    for one in components:
        if not isinstance(one, dict):
            continue
        yield one
        inner = one.get("components")
        yield from walk(inner if isinstance(inner, list) else [])
        yield from walk([one.get("accessory")])


def find_control(components: list[Json], custom_id: str) -> Json | None:
    """Return the button or select with this id, if it can be used."""
    for control in walk(components):
        if control.get("custom_id") == custom_id and not control.get("disabled"):
            return control
    return None


def numbered(components: list[Json]) -> list[Json]:
    """Give each component the number that Discord gives it within its message."""
    for number, component in enumerate(walk(components), start=1):
        component.setdefault("id", number)
    return components
