"""The room's blueprint and what its pages share. `views.py` puts the pages together."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, session
from flask_login import current_user, login_user

from app.accounts import operations
from app.accounts.session import SignedIn
from app.domain.types import Text
from app.ui.request import database, settings

blueprint = Blueprint("accounts", __name__)

LOCKED = Text(
    "尝试次数过多，已锁定 15 分钟，这次没有核对密码。已保存的内容不受影响，请稍后再试；"
    "如果不是您本人在尝试，请告诉系统管理员，由其给您一次性链接，立即解除锁定。",
    "Too many attempts: locked for 15 minutes, and this password was not checked. Everything saved "
    "is safe; try later. If the attempts were not yours, tell the system administrator, whose "
    "one-time link lifts the lock at once.",
)
GONE = Text(
    "链接已失效或已使用。请向管理员索取新的链接。",
    "This link has expired or was used. Ask for a new one.",
)
NO_ACCOUNT = Text("没有这个账号。没有任何改动。", "There is no such account. Nothing was changed.")


def caller() -> dict[str, Any]:
    """What a new session notes of the browser that opens it, and how long it lasts."""
    return {
        "agent": request.user_agent.string,
        "address": request.remote_addr or "",
        "hours": settings().session_hours,
    }


def begin_session(user: SignedIn) -> None:
    """A fresh cookie: whatever was planted before is dropped, and the session that this browser
    had until now ends on the server too."""
    if current_user.is_authenticated:
        with database().write() as writing:
            operations.revoke_token(writing, current_user.token)
    language = session.get("lang")
    session.clear()
    if language:
        session["lang"] = language
    login_user(user, remember=False)
