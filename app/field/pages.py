"""The room's two blueprints and what their answers share.

`blueprint` is the field application below `/field` (the scope of its service worker): the shell and the
JSON interface. `desk` holds the server-rendered pages about it, outside that scope. `views.py` puts
them together; docs/sync-protocol.md names every call.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request

from app.domain.types import Text
from app.ui.language import language

blueprint = Blueprint("field", __name__, url_prefix="/field")
desk = Blueprint("field_desk", __name__)

MALFORMED = Text("请求格式不对，没有处理。", "Malformed request; nothing was done.")


def refused(status: int, code: str, text: Text, **more: Any) -> Any:
    """`{"error": {"code", "text", "text_zh", "text_en", ...}}` with its status."""
    error = {
        "code": code,
        "text": text.get(language()),
        "text_zh": text.zh,
        "text_en": text.en,
        **more,
    }
    return jsonify(error=error), status


def json_body() -> dict[str, Any] | None:
    """The request's JSON object; None when it is anything else. Only `application/json` is read: a
    page of another site cannot send that without asking first."""
    try:
        body = request.get_json(silent=True) if request.is_json else None
    except RecursionError:  # brackets without end
        return None
    return body if isinstance(body, dict) else None
