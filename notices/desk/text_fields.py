"""Form fields for text: counted as Discord counts it, with buttons for Markdown."""

from typing import Any, NamedTuple

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

CHANGE_LIMIT = 200


class ProseField(forms.CharField):
    """A field that ends lines in LF as Discord does; the browser's CRLF would count twice."""

    def to_python(self, value: object) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attrs: dict[str, Any] = super().widget_attrs(widget)
        # `maxlength` would silently cut off pasted text, so the page counts letters instead.
        attrs.pop("maxlength", None)
        return attrs | {"data-limit": self.max_length}


class Tool(NamedTuple):
    """A button: `name` is its name in toolbar.js, `key` its shortcut with Ctrl or Cmd."""

    name: str
    label: Promise
    icon: str
    key: str = ""
    opens: bool = False
    """Whether it opens a panel below the toolbar instead of changing the text at once."""


TOOLS = (
    Tool("bold", _("Bold"), "format_bold", "B"),
    Tool("italic", _("Italic"), "format_italic", "I"),
    Tool("underline", _("Underline"), "format_underlined", "U"),
    Tool("strike", _("Strikethrough"), "format_strikethrough"),
    Tool("spoiler", _("Spoiler"), "visibility_off"),
    Tool("heading", _("Heading: large, middle, small, none"), "title"),
    Tool("list", _("Bulleted list"), "format_list_bulleted"),
    Tool("numbers", _("Numbered list"), "format_list_numbered"),
    Tool("quote", _("Quote"), "format_quote"),
    Tool("link", _("Link"), "link"),
    Tool("code", _("Code"), "code"),
    Tool("codeblock", _("Code block"), "data_object"),
    Tool("emoji", _("Emoji"), "mood", opens=True),
    Tool("timestamp", _("A moment on each reader's clock"), "schedule", opens=True),
)


class MarkdownTextarea(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    template_name = "notices/markdown_textarea.html"

    def get_context(self, name: str, value: object, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return {**super().get_context(name, value, attrs), "tools": TOOLS}
