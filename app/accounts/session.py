"""What Flask-Login carries: the viewer and the token of a revocable server-side session."""

from __future__ import annotations

from flask_login import UserMixin

from app.accounts.viewer import Viewer


class SignedIn(UserMixin):  # type: ignore[misc]
    """`get_id` is the session's token, not the account: a stolen cookie dies with its row."""

    def __init__(self, viewer: Viewer, token: str, tablet_id: str | None = None) -> None:
        self.viewer = viewer
        self.token = token
        self.tablet_id = tablet_id  # the bound tablet that opened the session

    def get_id(self) -> str:
        return self.token
