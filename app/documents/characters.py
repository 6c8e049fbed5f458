"""Characters: which of them a paper can carry, and the one spelling that imports are brought to.

Asked when a name is typed, long before a PDF is made.

Control, private-use and surrogate characters have no place in an archive file (ISO 19005-2,
6.2.11.7); the rest depends on the bundled fonts (fonts/characters.txt).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

FONT_DIR = Path(__file__).parent / "fonts"

# Invisible marks that turn the reading order round or hide letters; a name needs none of them.
_INVISIBLE = frozenset(
    "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_LAYOUT = frozenset("\n\t")
_FULL_WIDTH = {
    c: c - 0xFEE0
    for r in ((0xFF10, 0xFF19), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A))
    for c in range(r[0], r[1] + 1)
}
_FULL_WIDTH_SIGNS = str.maketrans("．－＋％／：", ".-+%/:")
_FIGURES = re.compile(r"[0-9.,:%/+\-．－＋％／：\s]+")
_SPACES = str.maketrans({"\u3000": " ", "\u00a0": " ", "\u2007": " ", "\u202f": " "})


def clean_text(text: str) -> str:
    """`text` without control, private-use and surrogate characters and without direction marks.

    Line feeds and tabs stay, CR LF becomes LF. Those categories (Cc, Co, Cs) cannot be archived in
    PDF/A-2a; see `undrawable` for characters that are legal but missing from the fonts.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        c
        for c in text
        if c in _LAYOUT
        or (unicodedata.category(c) not in ("Cc", "Co", "Cs") and c not in _INVISIBLE)
    )


@lru_cache(maxsize=1)
def _drawable() -> frozenset[str]:
    """Every character of Mingjian Serif SC Regular, the widest face, to which all others fall back."""
    found: set[str] = set(_LAYOUT)
    for line in (FONT_DIR / "characters.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            first, _, last = line.partition("-")
            found.update(chr(c) for c in range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(found)


def undrawable(text: str) -> list[str]:
    """The characters of `text` that a PDF cannot show, in order of appearance, each once."""
    drawable = _drawable()
    return list(dict.fromkeys(c for c in text if c not in drawable))


def normalise(text: str) -> str:
    """Stripped text; full-width digits and letters as ASCII, Chinese punctuation kept.

    Full-width . - + % / : become ASCII only where the whole cell is a figure or a date.
    """
    found = clean_text(text).translate(_SPACES).translate(_FULL_WIDTH).strip()
    if _FIGURES.fullmatch(found):
        found = found.translate(_FULL_WIDTH_SIGNS)
    return found
