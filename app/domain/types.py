"""Words and errors that every layer shares.

Everything a person reads is a pair of Chinese and English side by side, so that no string can
exist in one language only and a reviewer sees both at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One phrase in both languages; `str()` gives the Chinese."""

    zh: str
    en: str

    def get(self, language: str) -> str:
        """The phrase in `language`; anything but "en" is Chinese."""
        return self.en if language == "en" else self.zh

    def format(self, **values: Any) -> Text:
        """Fill `{name}` fields; a value that is itself a Text is filled in its own language."""
        return Text(
            self.zh.format(**{k: v.zh if isinstance(v, Text) else v for k, v in values.items()}),
            self.en.format(**{k: v.en if isinstance(v, Text) else v for k, v in values.items()}),
        )

    @classmethod
    def of(cls, value: Mapping[str, str] | str) -> Text:
        """From data: `{zh: ..., en: ...}`, or one string that serves both (a proper name)."""
        if isinstance(value, str):
            return cls(value, value)
        return cls(value["zh"], value.get("en") or value["zh"])

    def __str__(self) -> str:
        return self.zh


class DomainError(Exception):
    """A rule of the procedure refuses this: what happened, what was kept, what to do next.

    `field` names the input it belongs to, when there is one.
    """

    def __init__(self, text: Text, *, field: str | None = None) -> None:
        super().__init__(f"{text.zh} / {text.en}")
        self.text = text
        self.field = field


class Forbidden(DomainError):
    """The actor may not do this at all."""


class NotFound(DomainError):
    """There is no such thing, or not for this reader: the two look alike."""


class Conflict(DomainError):
    """Somebody else was faster: what the page showed has changed in the meantime."""


class NotNow(Conflict):
    """The order of steps does not allow it as things stand, though nobody changed them meanwhile: too
    early, too late, or something else comes first. `what` names the step where its words are known."""

    def __init__(self, text: Text, *, what: Text | None = None, field: str | None = None) -> None:
        super().__init__(text, field=field)
        self.what = what
