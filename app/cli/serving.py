"""How `mingjian serve` serves: on this machine or behind a proxy, or with the office's certificate to a
network without internet (`--lan`). Everything that can be refused is refused before anything starts."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app import certificates, clock
from app.config import Settings
from app.domain.types import Conflict, DomainError, Text

INSTALL_PORT = 8080


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to listen, and under which address people find it. `tls`: the certificates' directory."""

    host: str
    port: int
    public_url: str
    tls: Path | None = None
    install_port: int = 0  # plain http, the page of the certificate; 0: none


def plan(
    settings: Settings,
    platform: str,
    *,
    lan: bool = False,
    public_url: str | None = None,
    host: str | None = None,
    port: int | None = None,
    install_port: int = INSTALL_PORT,
) -> Plan:
    """What was asked for, checked; DomainError says what is missing and which command makes it."""
    address = check_address(public_url) if public_url else settings.public_url
    if not lan:
        return Plan(host or "127.0.0.1", 8000 if port is None else port, address)
    if platform == "win32":
        raise DomainError(
            Text(
                "Windows 上的服务程序（waitress）不会 TLS，没有启动。请不带 --lan 启动"
                "（mingjian serve --public-url https://主机名:8443），"
                "并在前面放 nginx、Caddy 或 stunnel；步骤见 docs/windows.md。",
                "The server used on Windows (waitress) speaks no TLS, so nothing was started. Start it "
                "without --lan (mingjian serve --public-url https://HOST:8443) and put nginx, Caddy or "
                "stunnel in front; docs/windows.md has the steps.",
            )
        )
    parts = urlsplit(address)
    if parts.scheme != "https":
        raise DomainError(
            Text(
                f"--lan 需要 https 地址，现在是 {address}。没有启动。"
                "请加 --public-url https://主机名或地址:8443。",
                f"--lan needs an https address and this is {address}. Nothing was started. Add "
                "--public-url https://HOST:8443.",
            )
        )
    known = certificates.read(settings.tls)
    if not known.covers(parts.hostname or ""):
        names = ", ".join(known.names)
        raise DomainError(
            Text(
                f"证书是为 {names} 做的，不含 {parts.hostname}。没有启动。请改用其中一个名称，"
                "或用 mingjian cert make --new-authority 重做（每台平板要重新安装）。",
                f"The certificate is for {names} and not for {parts.hostname}. Nothing was started. Use "
                "one of these names, or make another with mingjian cert make --new-authority (every "
                "tablet installs it again).",
            )
        )
    if known.server_until <= clock.now():
        raise Conflict(
            Text(
                "服务器证书已到期，浏览器会拒绝。没有启动。请运行 mingjian cert renew，平板不用重装。",
                "The server certificate has ended and browsers would refuse it. Nothing was started. "
                "Run mingjian cert renew; nothing changes on the tablets.",
            )
        )
    return Plan(
        host or "0.0.0.0",
        (parts.port or 443) if port is None else port,
        address,
        settings.tls,
        install_port,
    )


def check_address(public_url: str) -> str:
    """`scheme://host[:port]` and nothing more; DomainError otherwise."""
    text = public_url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if (
        not whole
        or parts.path
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
        or "[" in text
    ):
        raise DomainError(
            Text(
                f"“{public_url}”不是可用的公开地址。没有任何改动。请写成 https://主机名:8443 的样子"
                "（不带路径；IPv6 请用主机名）。",
                f"“{public_url}” cannot be the public address. Nothing was changed. Write it like "
                "https://HOST:8443, without a path (for IPv6 use a host name).",
            )
        )
    return text


def bind(host: str, port: int, *, anew: bool = True) -> socket.socket:
    """A bound socket; Conflict when the port is taken or may not be used. `anew`: also right after
    another server ended; on Windows that option would share the port with one that still runs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    if anew:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise Conflict(
            Text(
                f"端口 {port} 不能使用（{error.strerror}）。没有启动。请换一个端口，或停掉占用它的程序。",
                f"Port {port} cannot be used ({error.strerror}). Nothing was started. Choose another, or "
                "stop the program that holds it.",
            )
        ) from error
    return made


def gunicorn(made: Plan, workers: int) -> list[str]:
    """The arguments of gunicorn, its own name first."""
    where = f"[{made.host}]" if ":" in made.host else made.host
    arguments = ["gunicorn", "--bind", f"{where}:{made.port}", "--workers", str(workers)]
    arguments += ["--worker-class", "gthread", "--threads", "4"]
    arguments += ["--keep-alive", "75"]  # the default of 2 s loses a few per cent of tablets' posts
    arguments += ["--no-control-socket"]
    if made.tls is not None:
        arguments += ["--certfile", str(made.tls / certificates.SERVER)]
        arguments += ["--keyfile", str(made.tls / certificates.SERVER_KEY)]
    return [*arguments, "app.factory:served()"]


def install_address(made: Plan) -> str:
    """Where a new tablet finds the page of the certificate."""
    return f"http://{urlsplit(made.public_url).hostname}:{made.install_port}"
