"""The language of a request and everything that turns values into words."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, g, has_request_context, request, session
from markupsafe import Markup, escape

from app.domain.types import Text

LANGUAGES = ("zh", "en")


def language() -> str:
    """`zh` unless the reader chose `en` (kept in the session)."""
    if not has_request_context():
        return "zh"
    if "lang" not in g:
        chosen = session.get("lang")
        g.lang = chosen if chosen in LANGUAGES else "zh"
    return str(g.lang)


def say(zh: Text | str | None, en: str | None = None, /, **values: Any) -> Markup:
    """The phrase in the reader's language, values escaped. A single string serves both."""
    if zh is None:
        return Markup("")
    if isinstance(zh, Markup) and en is None and not values:
        return zh  # said already
    text = zh if isinstance(zh, Text) else Text(str(zh), str(zh) if en is None else en)
    chosen = text.get(language())
    if not values:
        return escape(chosen)
    shown = {k: v.get(language()) if isinstance(v, Text) else v for k, v in values.items()}
    return escape(chosen).format(**shown)


def zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["TIMEZONE"])


def local_time(value: datetime | date | None, unit: str = "minute") -> str:
    """A stored instant in the office's zone: 2026-11-22 14:05, to the minute, second or date."""
    if value is None:
        return "—"
    if not isinstance(value, datetime):
        return value.isoformat()
    pattern = {"date": "%Y-%m-%d", "second": "%Y-%m-%d %H:%M:%S"}.get(unit, "%Y-%m-%d %H:%M")
    return value.astimezone(zone()).strftime(pattern)


def mark(value: Decimal | str | None, places: int = 2) -> str:
    """A mark with fixed decimals, half-up; an absent one is a dash, never 0."""
    if value is None or value == "":
        return "—"
    step = Decimal(1).scaleb(-places)
    return str(Decimal(value).quantize(step, ROUND_HALF_UP))


def points(value: Decimal | str | None) -> str:
    """A number without trailing zeros: 4.50 is 4.5."""
    if value is None or value == "":
        return "—"
    text = format(Decimal(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def short(value: str | None) -> str:
    """The first twelve digits of a hash."""
    return (value or "")[:12]


def safe_next(target: str | None) -> str | None:
    """A path on this site to go to after sign-in, or None: never another host."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    if any(ord(c) < 32 for c in target) or "\\" in target:
        return None
    return target


def register(app: Any) -> None:
    """Give Jinja the words, filters and request language."""
    app.jinja_env.globals.update(t=say, Text=Text)
    app.jinja_env.filters.update(
        local_time=local_time, mark=mark, points=points, short=short, say=say
    )

    @app.context_processor
    def _language() -> dict[str, Any]:
        return {"lang": language(), "path": request.full_path.rstrip("?")}
