"""What is asked before a notice is saved: all at once, and answered by one press."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from notices.desk.timeline import FieldChange


@dataclass(frozen=True)
class Doubt:
    """Something that she may not mean. `answer` says that she does mean just this."""

    head: str
    words: str
    yes: str
    answer: str
    warnings: Sequence[str] = ()
    changes: Sequence[FieldChange] = ()
    reopens: bool = False
    """Whether opening the notice again is another way out."""


@dataclass(frozen=True)
class Question:
    """The button that says yes is the one that was pressed, and sends `answer` back."""

    button: str
    doubts: Sequence[Doubt]

    @property
    def answer(self) -> str:
        return ";".join(doubt.answer for doubt in self.doubts)

    @property
    def yes(self) -> str:
        return self.doubts[0].yes if len(self.doubts) == 1 else _("Yes, all of this")
