"""The questions before a notice is saved: asked together, and answered by one button."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from notices.desk.notice_history import FieldChange


@dataclass(frozen=True)
class Doubt:
    """Something that she may not mean. The form sends `answer` back if she does mean it."""

    head: str
    words: str
    yes: str
    answer: str
    warnings: Sequence[str] = ()
    changes: Sequence[FieldChange] = ()
    reopens: bool = False
    """Whether the page also offers to open the notice again instead."""


@dataclass(frozen=True)
class Question:
    """The doubts about one save. The yes button repeats the pressed `button`, with `answer`."""

    button: str
    doubts: Sequence[Doubt]

    @property
    def answer(self) -> str:
        return ";".join(doubt.answer for doubt in self.doubts)

    @property
    def yes(self) -> str:
        return self.doubts[0].yes if len(self.doubts) == 1 else _("Yes, all of this")
