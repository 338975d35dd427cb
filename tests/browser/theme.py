"""The findings of axe-core in the theme, each with the reason why it stays."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Leaving:
    """`selector` is of the element that is found, or of one that it stands in."""

    rule: str
    selector: str
    why: str


SWAGGER = "swagger-ui, as drf-spectacular ships it, draws the description of the API"
SELECT2 = "select2, as Django ships it, for a site admin to pick among many rows"
LEAVINGS = (
    Leaving("select-name", "#servers", SWAGGER),
    Leaving("label", ".select2-search__field", SELECT2),
    Leaving("color-contrast", ".select2-search__field", f"{SELECT2}: while it is empty"),
    Leaving("list", ".select2-selection__rendered", SELECT2),
    *(
        Leaving(rule, ".swagger-ui", SWAGGER)
        for rule in ("color-contrast", "nested-interactive", "heading-order", "target-size")
    ),
    Leaving("region", ".swagger-ui", SWAGGER),
    Leaving("html-has-lang", "html:has(#swagger-ui)", SWAGGER),
)
