"""The application as it really runs: second factor on, CSRF on where a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from app import clock
from app.accounts import operations
from app.accounts.models import Account, SignIn
from app.factory import create_app
from tests.conftest import PASSWORD

NOON = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)


@pytest.fixture
def strict(settings: Any) -> Iterator[Any]:
    """No demonstration: staff need their second factor."""
    application = create_app(settings)
    application.config.update(WTF_CSRF_ENABLED=False)
    yield application
    application.extensions["mingjian.db"].dispose()


@pytest.fixture
def clocked() -> Iterator[Callable[..., None]]:
    """Noon stands still; calling it moves time on."""
    held: list[Any] = []

    def move(**by: int) -> None:
        moment = clock.now() + timedelta(**by)
        held.append(clock.fixed(moment))
        held[-1].__enter__()

    held.append(clock.fixed(NOON))
    held[-1].__enter__()
    yield move
    while held:
        held.pop().__exit__(None, None, None)


class Door:
    """Signing in on one application."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.database = app.extensions["mingjian.db"]
        self.keys = app.extensions["mingjian.keys"]

    def account(self, make: Any, role: str, login: str, *, totp: bool = True) -> tuple[Any, str]:
        """(viewer, secret) of a new account with PASSWORD."""
        with self.database.write() as session:
            viewer = make.viewer(session, role, login)
            secret = ""
            if totp:
                account = session.get(Account, viewer.id)
                secret, self.codes = operations.start_totp(session, account, self.keys)
        return viewer, secret

    def enter(
        self,
        login: str,
        password: str = PASSWORD,
        code: str = "",
        *,
        client: Any = None,
        **more: Any,
    ) -> Any:
        """POST the sign-in form; the response, with its client."""
        client = client or self.app.test_client()
        response = client.post(
            "/sign-in", data={"login": login, "password": password, "code": code, **more}
        )
        response.who = client
        return response

    def code(self, secret: str, step: int = 0) -> str:
        return pyotp.TOTP(secret).at(int(clock.now().timestamp()) + 30 * step)

    def sessions(self) -> list[SignIn]:
        with self.database.read() as session:
            return list(session.scalars(select(SignIn).order_by(SignIn.created_at)))


@pytest.fixture
def door(strict: Any) -> Door:
    return Door(strict)
