"""Words that somebody typed in one language only, shown to readers of both.

Nothing is translated: a text that exists in one language says so beside it, so that nobody takes
the page's own words for a translation that is missing.
"""

from __future__ import annotations

import re

from app.domain.types import Text

IN_CHINESE = Text("（原文为中文）", "(original in Chinese)")
IN_ENGLISH = Text("（原文为英文）", "(original in English)")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def as_typed(text: str) -> Text:
    """`text` for both languages, labelled for whoever does not read its own.

    A text that holds as many English words as Chinese characters, or neither, stands as it is: it
    says the same in both, or is a number, a code, a name.
    """
    han, words = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    if han and han > 4 * words:
        return Text(text, f"{text} {IN_CHINESE.en}")
    if words and not han:
        return Text(f"{text}{IN_ENGLISH.zh}", text)
    return Text(text, text)
