"""What every answer carries: security headers, cookie flags, uniform errors, trusted hosts."""

from __future__ import annotations

import dataclasses
import re
import sqlite3

import pytest
from flask import Blueprint
from sqlalchemy.exc import OperationalError

import app.db as database_module
import app.factory as factory
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.factory import create_app
from app.ui import access
from app.ui.headers import CSP
from app.ui.language import safe_next
from tests.conftest import PASSWORD

EVIL = (
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
    "http:evil.example", "javascript:alert(1)", "///evil.example", "/\t/evil.example",
    "/%5c\nevil.example", " //evil.example", "evil.example", "",
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(self)",
    "X-Frame-Options": "DENY",
}


def carries(response, *, static=False):
    for name, value in HEADERS.items():
        assert response.headers.get(name) == value, name
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "require-trusted-types-for 'script'" in response.headers["Content-Security-Policy"]
    if not static:
        assert response.headers["Cache-Control"] == "no-store"
        assert "Cookie" in response.headers["Vary"]


@pytest.mark.parametrize("role", ["office", "supervisor", "keeper", "admin"])
def test_every_page_and_every_error_carries_the_headers(client_as, world, role):
    client = client_as(world.people[role])
    for rule in client.application.url_map.iter_rules():
        if "GET" not in rule.methods:
            continue
        values = {
            "slug": world.slug,
            "filename": "css/app.css",
            "number": 1,
            "kind": "xlsx",
            "name": "first",
        }
        with client.application.test_request_context():
            from flask import url_for

            where = url_for(rule.endpoint, **{a: values.get(a, "0" * 16) for a in rule.arguments})
        carries(client.get(where), static=rule.endpoint == "static")
    for where, method in (("/nowhere", "GET"), ("/sign-out", "GET"), ("/", "DELETE")):
        carries(client.open(where, method=method))


def test_anonymous_pages_carry_them_too(app):
    client = app.test_client()
    for where in ("/sign-in", "/", "/health", "/nowhere", "/join/x", "/enter/x"):
        carries(client.get(where))


def test_cookies_are_http_only_and_same_site(app, make):
    client = app.test_client()
    (cookie,) = client.get("/sign-in").headers.getlist("Set-Cookie")
    assert cookie.startswith("mingjian=")
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    assert "Domain" not in cookie and "Expires" not in cookie


def test_over_https_cookies_are_secure_and_bound_to_the_host(settings):
    https = create_app(dataclasses.replace(settings, public_url="https://review.example"))
    response = https.test_client().get("/sign-in", base_url="https://review.example")
    (cookie,) = response.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-mingjian=") and "Secure" in cookie
    assert response.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    https.extensions["mingjian.db"].dispose()


def test_only_trusted_hosts_are_answered(settings):
    guarded = create_app(dataclasses.replace(settings, trusted_hosts=("review.example",)))
    client = guarded.test_client()
    assert client.get("/sign-in", base_url="http://review.example").status_code == 200
    for host in ("evil.example", "review.example.evil.example", "127.0.0.1:8000"):
        refused = client.get("/sign-in", base_url=f"http://{host}")
        assert refused.status_code == 400, host
        assert host not in refused.get_data(as_text=True)
        assert "Traceback" not in refused.get_data(as_text=True)
    guarded.extensions["mingjian.db"].dispose()


@pytest.mark.parametrize("target", EVIL)
def test_no_way_out_through_next(app, make, target):
    assert safe_next(target) is None
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        make.viewer(session, "expert", "eve")
    client = app.test_client()
    answer = client.post("/sign-in", data={"login": "eve", "password": PASSWORD, "next": target})
    assert answer.status_code == 302 and answer.headers["Location"] == "/"
    answer = client.post("/language", data={"lang": "en", "next": target})
    assert answer.headers["Location"] == "/"


def test_next_leads_back_to_where_one_was(app, make):
    with app.extensions["mingjian.db"].write() as session:
        make.viewer(session, "expert", "eve")
    client = app.test_client()
    away = client.get("/account?x=1")
    assert away.headers["Location"] == "/sign-in?next=/account?x%3D1"
    answer = client.post(
        "/sign-in", data={"login": "eve", "password": PASSWORD, "next": "/account?x=1"}
    )
    assert answer.headers["Location"] == "/account?x=1"


def test_an_endpoint_without_declared_access_stops_the_start(settings, monkeypatch):
    room = Blueprint("careless", __name__)
    room.add_url_rule("/careless", "open", lambda: "anybody")
    monkeypatch.setattr(factory, "BLUEPRINTS", (*factory.BLUEPRINTS, room))
    with pytest.raises(RuntimeError, match="endpoints without declared access: careless.open"):
        create_app(settings)
    with pytest.raises(ValueError):
        access.allow()
    with pytest.raises(ValueError):
        access.allow("root")


# ---------- errors


@pytest.fixture
def failing(settings, monkeypatch):
    """`failing(error)`: a client of an application with a page that raises it."""

    def made(error):
        room = Blueprint("trouble", __name__)

        @room.route("/trouble", methods=["GET", "POST"])
        @access.public
        def trouble():
            secret_local = "value-of-a-local-variable"
            raise error if secret_local else None

        monkeypatch.setattr(factory, "BLUEPRINTS", (*factory.BLUEPRINTS, room))
        application = create_app(settings)
        application.config["WTF_CSRF_ENABLED"] = False
        return application.test_client()

    return made


SAID = Text("发生了甲。没有改动。", "A happened. Nothing was changed.")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DomainError(SAID), 422),
        (Forbidden(SAID), 403),
        (NotFound(SAID), 404),
        (Conflict(SAID), 409),
    ],
)
def test_what_a_rule_says_is_what_the_page_says(failing, error, status):
    client = failing(error)
    zh = client.post("/trouble")
    assert zh.status_code == status and SAID.zh in zh.get_data(as_text=True)
    assert "保留了什么" in zh.get_data(as_text=True)
    client.post("/language", data={"lang": "en"})
    en = client.post("/trouble")
    assert en.status_code == status and SAID.en in en.get_data(as_text=True)
    as_json = client.post("/trouble", json={})
    assert as_json.status_code == status
    said = dict(as_json.json["error"])
    codes = {422: "invalid", 403: "forbidden", 404: "absent", 409: "conflict"}
    assert said.pop("code") == codes[status]
    assert said == {"text_zh": SAID.zh, "text_en": SAID.en, "text": SAID.en}


def test_an_unexpected_error_shows_nothing_of_the_inside(failing, caplog):
    page = failing(RuntimeError("secret-in-the-message /root/path"))
    answer = page.get("/trouble")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    for inside in ("secret-in", "Traceback", "RuntimeError", "value-of-a-local", "/root", ".py"):
        assert inside not in text
    assert "secret-in-the-message" in caplog.text, "the log has it"
    carries(answer)


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("x", {}, sqlite3.OperationalError("database or disk is full")),
        OSError(28, "No space left on device"),
    ],
)
def test_a_full_disk_is_503_with_retry_after(failing, error):
    answer = failing(error).post("/trouble")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert "磁盘已满" in text and "no space" not in text.lower()


def test_nothing_is_half_done_when_the_commit_finds_the_disk_full(client_as, world, monkeypatch):
    """The answer says so, no message says "saved", and the database is as before."""
    from app.panel.models import Sitting

    client = client_as(world.people["office"])
    database = client.application.extensions["mingjian.db"]
    where = f"/r/{world.slug}/sittings/{world.site.sittings[0]}/open"

    class Full:
        def __init__(self, transaction):
            self.transaction = transaction

        def commit(self):
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk is full"))

        def __getattr__(self, name):
            return getattr(self.transaction, name)

    begin = database_module.Connection.begin
    monkeypatch.setattr(database_module.Connection, "begin", lambda self: Full(begin(self)))
    answer = client.post(where)
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert "会议已开始" not in answer.get_data(as_text=True)
    monkeypatch.undo()
    with database.read() as session:
        assert session.get(Sitting, world.site.sittings[0]).phase == "planned"
    page = client.get(f"/r/{world.slug}/sittings/{world.site.sittings[0]}")
    assert "会议已开始" not in page.get_data(as_text=True), "no message left over from the failure"
    assert client.post(where).status_code == 302, "space again: the same step works"


def test_a_database_that_is_away_gives_one_clear_page(client_as, world, monkeypatch):
    client = client_as(world.people["office"])

    def away(self):
        raise OperationalError(
            "BEGIN", {}, sqlite3.OperationalError("unable to open database file")
        )

    monkeypatch.setattr(database_module.Connection, "begin", away)
    answer = client.get("/")
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert "数据库不可用" in answer.get_data(as_text=True)
    carries(answer)
    as_json = client.post("/sign-out", json={})
    assert as_json.status_code == 503 and "error" in as_json.json


def test_absent_pages_are_one_page_for_everybody(client_as, world):
    def plain(client, where):
        response = client.get(where)
        text = response.get_data(as_text=True)
        text = re.sub(r'(name="csrf_token" value|name="csrf" content)="[^"]*"', "", text)
        return response.status_code, text.replace(where, "")

    client = client_as(world.people["office"])
    pages = {plain(client, f"/{word}") for word in ("nothing", "r/none/home", "pool/x/y/z")}
    statuses = {status for status, _ in pages}
    assert statuses == {404}
