"""A JavaScript module without its comments and blanks: what a tablet fetches need not carry them.

No names change and nothing is reordered, so a fault on a tablet still reads like the source. The rules
of ECMA-262 that matter: a line end is a token separator that may end a statement (section 12.10), and
whether `/` divides or opens a regular expression hangs on what stands before it (section 12.9.5). Inside
`html` templates a line end with its indentation means nothing (htm drops it); other templates, strings and
regular expressions stay as they are.
"""

from __future__ import annotations

import re

_BLANKS = re.compile(r"(?:\s|//[^\n]*|/\*(?!!).*?\*/)+", re.S)
_NOTICE = re.compile(r"/\*!.*?\*/", re.S)  # a licence: it stays
_STRING = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""", re.S)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_WORD = re.compile(r"[\w$#]+(?:\.\d[\w]*)?")
# Of a template, up to its end or the next ${.
_TEXT = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.S)
_INDENT = re.compile(r"\s*\n\s*")
# A regular expression may follow these words, as it may follow an operator.
_BEFORE_REGEX = frozenset(
    ("return", "typeof", "case", "in", "of", "delete", "void", "instanceof", "new", "throw",
     "await", "yield", "else", "do")
)  # fmt: skip
# A line end after one of the first or before one of the second never ends a statement.
_OPEN = frozenset("{([,;:?=&|*<>!.")
_CLOSING = frozenset("})],;:?=&|.")


class Malformed(ValueError):
    """A module whose end was not found: a string or a template that is not closed."""


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_$#\\" or ord(character) > 127


def _joint(before: str, blanks: str, after: str) -> str:
    """What must stay of the blanks between two tokens."""
    if not before or not blanks:
        return ""
    if "\n" in blanks and before not in _OPEN and after not in _CLOSING:
        return "\n"
    if _is_word(before) and _is_word(after):
        return " "
    together = before + after
    if together in ("++", "--", "//", "/*") or (before.isdigit() and after == "."):
        return " "
    return ""


def shrunk(source: str) -> str:
    """The same module, shorter. Throws `Malformed` where the source does not end as it should."""
    out: list[str] = []
    end = _code(source, 0, out, nested=False)
    if end != len(source):
        raise Malformed(source[end : end + 40])
    return "".join(out)


def _last(out: list[str]) -> str:
    return out[-1] if out else ""


def _divides(token: str) -> bool:
    """Whether a `/` after this token is a division."""
    if not token:
        return False
    if _is_word(token[-1]):
        return token not in _BEFORE_REGEX
    return token[-1] in ")]}'\"`"


def _code(source: str, at: int, out: list[str], *, nested: bool) -> int:
    """Code from `at` on, up to the end or, `nested`, up to the `}` that ends a template's part."""
    depth = 0
    blanks = ""
    token = ""  # the last one
    while at < len(source):
        if found := _BLANKS.match(source, at):
            blanks, at = blanks + found[0], found.end()
            continue
        here = source[at]
        if nested and here == "}" and depth == 0:
            return at
        depth += (here == "{") - (here == "}")
        out.append(_joint(token[-1:], blanks, here))
        blanks = ""
        if here == "`":
            at = _template(source, at + 1, out, html=token == "html")
            token = "`"
            continue
        if here in "'\"":
            found = _STRING.match(source, at)
        elif here == "/":
            found = _NOTICE.match(source, at)
            if found is None and not _divides(token):
                found = _REGEX.match(source, at)
        else:
            found = _WORD.match(source, at)
        if found is None and here in "'\"":
            raise Malformed(source[at : at + 40])
        token = found[0] if found else here
        out.append(token)
        at += len(token)
    if nested or depth:
        raise Malformed("the end of the module is missing")
    return at


def _template(source: str, at: int, out: list[str], *, html: bool) -> int:
    """A template's text and parts from behind its opening backtick; where it ends."""
    out.append("`")
    while True:
        found = _TEXT.match(source, at)
        assert found is not None
        out.append(_INDENT.sub("\n", found[0]) if html else found[0])
        at = found.end()
        if at >= len(source):
            raise Malformed("a template is not closed")
        if source[at] == "`":
            out.append("`")
            return at + 1
        out.append("${")
        at = _code(source, at + 2, out, nested=True)
        out.append("}")
        at += 1
