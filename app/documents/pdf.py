"""The one writer of PDF: typst templates filled from JSON, archived and tagged (PDF/A-2a + PDF/UA-1).

The page follows GB/T 9704-2012 (see templates/base.typ). Three properties other parts rely on:
the same data and `published_at` give the same bytes on any machine, so a report's hash can be
printed elsewhere; a character that the bundled fonts cannot draw is an error that names it, never
a box; and text typed by people reaches typst only as JSON strings, so it can never be markup.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.documents.characters import FONT_DIR, clean_text, undrawable
from app.documents.pdf_merge import merge
from app.domain.types import DomainError, Text

__all__ = [
    "DocumentError",
    "chart_png",
    "clean_text",
    "compiled",
    "render_parts",
    "render_pdf",
    "undrawable",
]

_HERE = Path(__file__).parent
TEMPLATE_DIR = _HERE / "templates"
STANDARDS = ["a-2a", "ua-1"]

_lock = threading.Lock()
_fonts: Any = None


class DocumentError(RuntimeError):
    """A template could not be rendered: a fault of template or caller, not of the person typing."""


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{path}[{index}]")


def _plain(value: Any) -> Any:
    """JSON-ready copy of `value`, every string cleaned; binary floats are refused (scores are exact)."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Text):
        return {"zh": clean_text(value.zh), "en": clean_text(value.en)}
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no exact printed form: pass a string or Decimal")


def _font_set() -> Any:
    """The parsed fonts, once per process (0.03 to 0.1 s)."""
    global _fonts
    with _lock:
        if _fonts is None:
            import typst  # a large native library that starting up does without

            _fonts = typst.Fonts(
                include_system_fonts=False,
                include_embedded_fonts=False,
                font_paths=[FONT_DIR],
            )
        return _fonts


@lru_cache(maxsize=32)
def _template(name: str) -> bytes:
    path = TEMPLATE_DIR / f"{name}.typ"
    if not name.isidentifier() or not path.is_file():
        raise DocumentError(f"no template named {name!r}")
    return path.read_bytes()


def _checked(data: dict[str, Any], published_at: datetime) -> tuple[dict[str, Any], datetime]:
    """JSON-ready data with the day of printing, and the moment in UTC; DomainError naming a character
    that the fonts lack."""
    if published_at.tzinfo is None:
        raise ValueError("published_at needs a time zone")
    moment = published_at.astimezone(UTC).replace(microsecond=0)
    plain = _plain(data)
    for place, text in _strings(plain, ""):
        missing = undrawable(text)
        if missing:
            named = "、".join(f"{c}（U+{ord(c):04X}）" for c in missing)
            named_en = ", ".join(f"{c} (U+{ord(c):04X})" for c in missing)
            raise DomainError(
                Text(
                    f"文书未生成：字体中没有字符 {named}，位于 {place}。请更换该字后重新生成。",
                    f"No document was made: the fonts lack {named_en}, found at {place}. "
                    "Replace the character and try again.",
                ),
                field=place,
            )
    plain["_date"] = {"year": moment.year, "month": moment.month, "day": moment.day}
    return plain, moment


def render_pdf(template: str, data: dict[str, Any], *, published_at: datetime) -> bytes:
    """Fill `templates/<template>.typ` with `data` (schema: the comment on top of the template).

    `published_at` (time zone required) is the document's date and the only time in the file.
    Raises DomainError when a text holds a character that the fonts lack (it names the character and
    the place in `data`), DocumentError when data do not fit the template or typst warns of anything.
    """
    return compiled(template, *_checked(data, published_at))


def render_parts(
    template: str,
    parts: Sequence[dict[str, Any]],
    *,
    published_at: datetime,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> bytes:
    """One PDF of several parts, for papers that are too large to lay out at once: each is compiled in a
    process of its own, whose memory ends with it. A part is told its `first_page`. `progress` hears how
    many of the parts are done. Errors as `render_pdf`."""
    ready = [_checked(part, published_at) for part in parts]
    made: list[bytes] = []
    page = 1
    for done, (plain, moment) in enumerate(ready):
        progress(done, len(ready))
        if done:
            plain["first_page"] = page
        made.append(_apart(template, plain, moment))
        page += int(re.search(rb"/Type/Pages/Count (\d+)", made[-1])[1])  # type: ignore[index]
    progress(len(ready), len(ready))
    return merge(made)


def _apart(template: str, plain: dict[str, Any], moment: datetime) -> bytes:
    """`compiled` in another process."""
    order = json.dumps([template, plain, moment.isoformat()], ensure_ascii=False).encode()
    path = os.pathsep.join(filter(None, [str(_HERE.parents[1]), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "app.documents.pdf_part"],
        input=order,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        raise DocumentError(done.stderr.decode(errors="replace").strip()[-2000:])
    return done.stdout


def compiled(template: str, plain: dict[str, Any], moment: datetime) -> bytes:
    """typst on JSON-ready data; DocumentError."""
    files = {
        "main.typ": _template(template),
        "base.typ": _template("base"),
        "data.json": json.dumps(plain, ensure_ascii=False, sort_keys=True).encode(),
    }
    import typst  # see `_font_set`

    fonts = _font_set()
    try:
        compile_files: Any = typst.compile_with_warnings  # its stub omits the in-memory form
        pdf, warnings = compile_files(
            files,
            font_paths=fonts,
            ignore_system_fonts=True,
            timestamp=moment,
            pdf_standards=STANDARDS,
        )
    except typst.TypstError as error:
        raise DocumentError(f"{template}: {_describe(error)}") from error
    if warnings:
        raise DocumentError(f"{template}: " + "; ".join(_describe(w) for w in warnings))
    return bytes(pdf)


def chart_png(svg: str, *, ppi: int = 200) -> bytes:
    """A chart as a picture 156 mm wide in the bundled fonts, for papers that cannot rely on SVG.

    A chart of many rows gets fewer dots an inch, so that no picture grows past some ten megapixels.
    """
    import typst  # see `_font_set`

    source = (
        "#set page(width: 156mm, height: auto, margin: 0mm, fill: white)\n"
        '#set text(font: "Mingjian Sans SC")\n'
        '#image("chart.svg", width: 156mm)\n'
    )
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    inches = (156 / 25.4) ** 2 * (float(box[2]) / float(box[1]) if box else 1.0)
    compile_files: Any = typst.compile
    made = compile_files(
        {"main.typ": source.encode(), "chart.svg": svg.encode()},
        font_paths=_font_set(),
        ignore_system_fonts=True,
        format="png",
        ppi=min(float(ppi), (10_000_000 / inches) ** 0.5),
    )
    return bytes(made)


def _describe(problem: Any) -> str:
    message = str(getattr(problem, "message", "") or problem)
    hints = [str(hint) for hint in getattr(problem, "hints", None) or []]
    return " | ".join([message, *hints])
