"""What a visitor is told where a page cannot work: over plain http, behind a proxy that is not configured,
and from a server that lost a key."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import Client

from app.accounts.models import SignIn
from app.cli import admin as commands
from app.config import Settings
from app.domain.types import DomainError
from app.factory import create_app
from app.factory import served as served_application
from app.ui.outage import outage
from app.ui.transport import LOST
from tests.conftest import PASSWORD


@pytest.fixture
def served(settings: Settings) -> Iterator[Any]:
    """`served(**settings)`: an application with other settings."""
    made: list[Any] = []

    def serve(**changed: Any) -> Any:
        made.append(create_app(dataclasses.replace(settings, **changed)))
        return made[-1]

    yield serve
    for one in made:
        one.extensions["mingjian.db"].dispose()


def test_over_plain_http_the_sign_in_page_says_why_it_fails(served: Any) -> None:
    app = served(public_url="https://review.lan:8443", demo=True)
    lost = app.test_client()
    page = lost.get("/sign-in", base_url="http://review.lan:8000").text
    assert "在 http 下不能登录" in page and 'href="https://review.lan:8443"' in page
    assert "over http the browser keeps no session" in page  # no cookie, so no choice of language
    form = {"login": "x", "password": "y"}
    answer = lost.post("/sign-in", data=form, base_url="http://review.lan:8000")
    assert answer.status_code == 400 and LOST.zh in answer.text
    assert "https://review.lan:8443" in answer.text
    lost.post("/language", data={"lang": "en"}, base_url="http://review.lan:8000")
    for base in ("https://review.lan:8443", "http://localhost", "http://127.0.0.1:8000"):
        page = app.test_client().get("/sign-in", base_url=base).text
        assert "在 http 下不能登录" not in page and "连接没有加密" not in page, base
    answer = app.test_client().post("/sign-in", data=form, base_url="https://review.lan:8443")
    assert answer.status_code == 400 and LOST.zh not in answer.text


def test_where_http_is_the_address_the_page_says_what_will_not_work(served: Any) -> None:
    app = served(public_url="http://192.168.1.10:8000", demo=True)
    page = app.test_client().get("/sign-in", base_url="http://192.168.1.10:8000").text
    assert "连接没有加密" in page and "mingjian cert make 192.168.1.10" in page
    assert "在 http 下不能登录" not in page
    assert "连接没有加密" not in app.test_client().get("/sign-in").text


def test_the_page_of_an_installation_without_a_certificate_says_so(served: Any) -> None:
    client = served(demo=True).test_client()
    page = client.get("/trust")
    assert page.status_code == 200 and "没有自建的办公室证书" in page.text
    assert client.get("/trust/office.crt").status_code == 404


@pytest.mark.parametrize(
    ("hops", "forwarded", "seen"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (0, "127.0.0.1, 203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),  # the first is what the visitor claims
        (2, "198.51.100.7, 203.0.113.9", "198.51.100.7"),
    ],
)
def test_forged_proxy_headers_change_nothing_without_a_configured_proxy(
    served: Any, make: Any, hops: int, forwarded: str, seen: str
) -> None:
    app = served(demo=True, proxy_hops=hops)
    app.config["WTF_CSRF_ENABLED"] = False
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        viewer = make.viewer(session, "keeper", "keeper9")
    answer = app.test_client().post(
        "/sign-in",
        data={"login": "keeper9", "password": PASSWORD},
        headers={"X-Forwarded-For": forwarded, "X-Forwarded-Host": "evil.example"},
    )
    assert answer.status_code == 302 and answer.headers["Location"] == "/"
    with database.read() as session:
        row = session.scalars(select(SignIn).where(SignIn.account_id == viewer.id)).one()
        assert row.address == seen


def test_a_forged_scheme_makes_no_page_believe_in_https(served: Any) -> None:
    for hops, words in ((0, True), (1, False)):
        client = served(public_url="https://review.lan", demo=True, proxy_hops=hops).test_client()
        page = client.get(
            "/sign-in", base_url="http://review.lan", headers={"X-Forwarded-Proto": "https"}
        ).text
        assert ("在 http 下不能登录" in page) is words


# ---------- a key that is gone


def test_without_its_keys_the_server_says_so_at_every_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("MINGJIAN_HOME", str(settings.home))
    monkeypatch.setattr("app.installation.has_database", lambda _: True)
    assert commands._keys_are_there(settings) is True
    whole = served_application()
    assert whole is not outage
    whole.extensions["mingjian.db"].dispose()
    (settings.keys / "cookie.key").unlink()
    assert commands._keys_are_there(settings) is False
    assert "cookie.key" in capsys.readouterr().err
    assert served_application() is outage
    for where in ("/", "/sign-in", "/field/api/push"):
        answer = Client(outage).get(where)
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "60"
        assert (
            "密钥文件缺失或损坏" in answer.text
            and "key file on the server is missing" in answer.text
        )
        assert str(settings.home) not in answer.text and "cookie.key" not in answer.text
    assert Client(outage).head("/").data == b""
    monkeypatch.setattr("app.installation.has_database", lambda _: False)
    with pytest.raises(DomainError, match="mingjian init"):
        commands._keys_are_there(settings)
