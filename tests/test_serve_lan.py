"""Serving a network without internet: TLS with the office's certificate, the page that installs it,
what a foreign Host is answered with, and what is refused before anything starts."""

from __future__ import annotations

import dataclasses
import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app import certificates, installation
from app.cli import COMMANDS, admin, serving
from app.config import Settings, keep_served, trusted
from app.domain.types import Conflict, DomainError

ROOT = Path(__file__).parents[1]
NOW = datetime.now(UTC)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclasses.dataclass
class Lan:
    """A served installation and how to ask it."""

    home: Path
    port: int
    install_port: int
    process: subprocess.Popen[str]

    def over_tls(
        self, path: str, *, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, str]:
        context = ssl.create_default_context(cafile=self.home / "tls" / "office.crt")
        made = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=20)
        return ask(made, method, path, body, headers)

    def plainly(self, path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, str]:
        made = http.client.HTTPConnection("127.0.0.1", self.install_port, timeout=20)
        return ask(made, method, path, None, {})


def ask(
    made: http.client.HTTPConnection, method: str, path: str, body: str | None, headers: Any
) -> tuple[http.client.HTTPResponse, str]:
    made.request(method, path, body, headers)
    answer = made.getresponse()
    text = answer.read().decode("utf-8", "replace")
    made.close()
    return answer, text


def environment(home: Path) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MINGJIAN")}
    clean.pop("DATABASE_URL", None)
    return clean | {"PYTHONPATH": str(ROOT), "MINGJIAN_HOME": str(home)}


def mingjian(home: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from app.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=home, env=environment(home), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture(scope="module")
def lan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lan]:
    """`mingjian serve --lan` as it really runs, on loopback."""
    home = tmp_path_factory.mktemp("lan")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        installation.create(home).close()
    certificates.make(home / "tls", ["localhost", "127.0.0.1"], NOW)
    port, install_port = free_port(), free_port()
    process = mingjian(
        home, "serve", "--lan", "--public-url", f"https://localhost:{port}", "--host", "127.0.0.1",
        "--install-port", install_port, "--workers", 1,
    )  # fmt: skip
    made = Lan(home, port, install_port, process)
    until = time.monotonic() + 60
    while True:
        try:
            if made.over_tls("/health")[0].status == 200:
                break
        except OSError:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until, "the server did not come up"
            time.sleep(0.2)
    yield made
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


def test_the_sign_in_page_over_tls_and_nobody_else_is_trusted(lan: Lan, tmp_path: Path) -> None:
    answer, text = lan.over_tls("/sign-in")
    assert answer.status == 200 and 'name="password"' in text
    assert "http 下不能登录" not in text and "连接没有加密" not in text
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-mingjian=") and "Secure" in cookie
    certificates.make(tmp_path, ["localhost"], NOW)
    context = ssl.create_default_context(cafile=tmp_path / "office.crt")
    stranger = http.client.HTTPSConnection("localhost", lan.port, context=context, timeout=20)
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.request("GET", "/sign-in")


def test_the_cookie_comes_back_so_that_signing_in_is_looked_at(lan: Lan) -> None:
    answer, text = lan.over_tls("/sign-in")
    (token,) = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', text)[:1]
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    form = f"csrf_token={token}&login=nobody&password=wrong+wrong+wrong+wrong&code=000000"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    here = {"Referer": f"https://localhost:{lan.port}/sign-in"}
    answer, text = lan.over_tls("/sign-in", method="POST", body=form, Cookie=cookie, **kind, **here)
    assert answer.status == 401 and "登录名、密码或验证码不对" in text
    answer, text = lan.over_tls("/sign-in", method="POST", body=form, **kind, **here)
    assert answer.status == 400 and "登录名、密码或验证码不对" not in text


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.0.2.1:8443"])
def test_a_foreign_host_is_answered_with_nothing_of_its_own(lan: Lan, host: str) -> None:
    answer, text = lan.over_tls("/sign-in", Host=host)
    assert answer.status == 400 and "evil" not in text and "192.0.2.1" not in text
    for good in ("localhost", f"127.0.0.1:{lan.port}"):
        assert lan.over_tls("/sign-in", Host=good)[0].status == 200


def test_the_plain_listener_offers_the_certificate_and_nothing_else(lan: Lan) -> None:
    known = certificates.read(lan.home / "tls")
    answer, text = lan.plainly("/")
    assert answer.status == 200 and answer.headers["Set-Cookie"] is None
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for line in certificates.grouped(known.fingerprint):
        assert text.count(line) == 2  # Chinese and English
    for word in ("iPadOS", "Android", "HarmonyOS", "Windows"):
        assert word in text
    assert text.count("未经实测") == text.count("untested") == 4
    assert f'href="https://localhost:{lan.port}"' in text
    links = set(re.findall(r'(?:href|src|action)="([^"]+)"', text)) - {"data:,"}
    for link in links - {f"https://localhost:{lan.port}"}:
        assert lan.plainly(link)[0].status == 200, link
    assert "<form" not in text and "<script" not in text
    for hidden in ("/trust/office.key", "/trust/server.key", "/trust/../tls/office.key",
                   "/../tls/office.key", "/trust/%2e%2e/tls/office.key", "/sign-in", "/static/x"):  # fmt: skip
        answer, text = lan.plainly(hidden)
        assert answer.status == 404 and "PRIVATE" not in text, hidden
    assert lan.plainly("/", "POST")[0].status == 501
    answer, text = lan.plainly("/", "HEAD")
    assert answer.status == 200 and text == "" and int(answer.headers["Content-Length"]) > 1000


def test_the_application_has_the_same_page_and_the_same_files(lan: Lan) -> None:
    known = certificates.read(lan.home / "tls")
    answer, text = lan.over_tls("/trust")
    assert answer.status == 200
    for line in certificates.grouped(known.fingerprint):
        assert line in text
    for name, (content, kind) in certificates.downloads(lan.home / "tls").items():
        answer, text = lan.over_tls(f"/trust/{name}")
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind)
        assert text == content.decode("utf-8", "replace")
        assert lan.plainly(f"/trust/{name}")[1] == text
    assert lan.over_tls("/trust/office.key")[0].status == 404


def test_links_of_other_commands_carry_the_address_that_is_served(
    lan: Lan, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "MINGJIAN_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    who = ["--role", "keeper", "--name", "测试库", "--login", "lan1"]
    added = CliRunner().invoke(admin.user, ["add", "--home", str(lan.home), *who])
    assert added.exit_code == 0 and f"https://localhost:{lan.port}/join/" in added.output


def test_a_port_in_use_is_said_before_anything_starts(
    lan: Lan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert admin.serve.callback
    for port, install_port in ((lan.port, free_port()), (free_port(), lan.install_port)):
        with pytest.raises(Conflict, match="cannot be used"):
            admin.serve.callback(
                home=str(lan.home), host="127.0.0.1", port=port, workers=1, lan=True,
                public_url="https://127.0.0.1:1", install_port=install_port,
            )  # fmt: skip
    assert (lan.home / "public-url").read_text() == f"https://localhost:{lan.port}\n"


def test_when_the_server_ends_the_listener_ends_too(lan: Lan) -> None:  # the last one: it stops it
    lan.process.send_signal(signal.SIGTERM)
    assert lan.process.wait(timeout=60) == 0
    until = time.monotonic() + 20
    while True:
        try:
            lan.plainly("/")
        except OSError:
            break
        assert time.monotonic() < until, "the listener still answers"
        time.sleep(0.1)


def test_the_first_link_already_has_the_address_that_will_be_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "MINGJIAN_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    home = ["--home", str(tmp_path / "home")]
    bad = CliRunner().invoke(admin.init, [*home, "--public-url", "review.lan"])
    assert isinstance(bad.exception, DomainError) and not (tmp_path / "home").exists()
    said = CliRunner().invoke(admin.init, [*home, "--public-url", "https://review.lan:8443/"])
    assert said.exit_code == 0 and "  https://review.lan:8443/join/" in said.output
    again = CliRunner().invoke(admin.init, home)  # the address was kept
    assert again.exit_code == 0 and "  https://review.lan:8443/join/" in again.output


# ---------- what is refused before anything starts


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    certificates.make(tmp_path / "tls", ["review.lan", "192.168.1.10"], NOW)
    return Settings(home=tmp_path, database_url="sqlite://")


def test_windows_is_told_to_put_something_in_front(place: Settings) -> None:
    url = "https://review.lan:8443"
    with pytest.raises(DomainError) as refused:
        serving.plan(place, "win32", lan=True, public_url=url)
    for word in ("nginx", "Caddy", "stunnel", "docs/windows.md"):
        assert word in refused.value.text.zh and word in refused.value.text.en
    assert "waitress" in refused.value.text.en
    assert serving.plan(place, "win32", public_url=url).tls is None  # behind something: as it says
    assert (ROOT / "docs" / "windows.md").exists()


def test_what_is_planned(place: Settings) -> None:
    made = serving.plan(place, "linux", lan=True, public_url="https://review.lan:8443/")
    assert (made.host, made.port, made.install_port) == ("0.0.0.0", 8443, 8080)
    assert made.public_url == "https://review.lan:8443"
    assert serving.install_address(made) == "http://review.lan:8080"
    arguments = " ".join(serving.gunicorn(made, 2))
    assert f"--certfile {place.tls}/server.crt --keyfile {place.tls}/server.key" in arguments
    assert "--bind 0.0.0.0:8443 " in arguments
    assert serving.plan(place, "linux", lan=True, public_url="https://192.168.1.10").port == 443
    own = serving.plan(place, "linux")
    assert (own.host, own.port, own.tls) == ("127.0.0.1", 8000, None)
    assert "--certfile" not in serving.gunicorn(own, 2)


def test_what_is_missing_is_said_with_the_command_that_makes_it(place: Settings) -> None:
    def refused(url: str | None, settings: Settings = place) -> str:
        with pytest.raises(DomainError) as error:
            serving.plan(settings, "linux", lan=True, public_url=url)
        return error.value.text.en

    assert "--public-url https://HOST:8443" in refused(None)
    assert "--public-url https://HOST:8443" in refused("http://review.lan:8000")
    assert "review.lan, 192.168.1.10 and not for other.lan" in refused("https://other.lan:8443")
    empty = dataclasses.replace(place, home=place.home / "none")
    assert "cert make" in refused("https://review.lan", empty)
    certificates.make(place.tls, ["review.lan"], NOW - timedelta(days=400), replace=True)
    assert "cert renew" in refused("https://review.lan")


@pytest.mark.parametrize(
    "url",
    ["review.lan", "ftp://a.lan", "https://", "https://a.lan/x", "https://a.lan?x", "https://u@a.lan",
     "https://a.lan:99999", "https://a.lan:x", "https://[::1]:8443"],
)  # fmt: skip
def test_an_address_that_no_link_can_begin_with_is_refused(url: str) -> None:
    with pytest.raises(DomainError, match="cannot be the public address"):
        serving.check_address(url)


def test_a_taken_port_is_a_conflict() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(Conflict, match="cannot be used"):
            serving.bind("127.0.0.1", taken.getsockname()[1])


def test_settings_know_the_address_and_trust_its_host_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PUBLIC_URL", "TRUSTED_HOSTS"):
        monkeypatch.delenv(f"MINGJIAN_{name}", raising=False)
    fresh = Settings.from_environment(tmp_path)
    assert (fresh.public_url, fresh.trusted_hosts) == ("http://127.0.0.1:8000", ())
    keep_served(tmp_path, "https://review.lan:8443")
    kept = Settings.from_environment(tmp_path)
    assert kept.public_url == "https://review.lan:8443" and kept.secure_cookies
    assert kept.trusted_hosts == ("review.lan", "localhost", "127.0.0.1")
    monkeypatch.setenv("MINGJIAN_PUBLIC_URL", "https://Other.lan/")
    assert Settings.from_environment(tmp_path).public_url == "https://Other.lan"
    assert Settings.from_environment(tmp_path).trusted_hosts == trusted("https://other.lan")
    monkeypatch.setenv("MINGJIAN_TRUSTED_HOSTS", "a.lan, b.lan")
    assert Settings.from_environment(tmp_path).trusted_hosts == ("a.lan", "b.lan")


# ---------- the papers


@pytest.mark.parametrize("name", ["README.md", "docs/deploy.md", "docs/windows.md"])
def test_what_the_papers_name_is_there(name: str) -> None:
    paper = ROOT / name
    text = paper.read_text("utf-8")
    said = set(re.findall(r"(?:^|[`\\/ ])mingjian ([a-z]+)\b", text, re.M))
    assert {"serve", "cert", "backup"} <= said and said - set(COMMANDS) == set()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (paper.parent / link).exists(), link


def test_the_sample_of_nginx_sends_what_the_application_counts_on() -> None:
    sample = (ROOT / "docs/deploy/nginx.conf").read_text("utf-8")
    for line in (
        "proxy_set_header Host $http_host;",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "proxy_request_buffering off;",
    ):
        assert line in sample
    (size,) = re.findall(r"client_max_body_size (\d+)m;", sample)
    assert (
        int(size) > Settings(home=ROOT, database_url="").max_upload_mb
    )  # our page explains, not nginx's
    assert sample.count("{") == sample.count("}")
