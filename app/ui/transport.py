"""How a page reached its reader, where that decides what works: plain http from another machine.

Browsers keep a `Secure` cookie over https only, and offer service worker, camera and recording in a
secure context only (https, or the machine itself). Both fail without a word, so pages say it.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from flask import Flask, current_app, request

from app.domain.types import Text

LOST = Text(
    "这次是用 http 打开的，而登录只在 https 下有效：浏览器不会保存登录，所以没有登录。",
    "This page was opened over http, and sign-in works over https only: the browser keeps no session, "
    "so you were not signed in.",
)
LOST_TODO = Text(
    "请改用 https 地址打开：{address}。平板第一次使用时，先安装办公室证书。",
    "Open the https address instead: {address}. A new tablet installs the office's certificate first.",
)
LOCAL = ("localhost", "127.0.0.1", "::1")


def plain_http() -> Literal["", "lost", "readable"]:
    """Over plain http from another machine: "lost" where signing in cannot work, "readable" where it
    works but everybody on the network can read along and tablets cannot keep sheets. Else ""."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if request.is_secure or host in LOCAL or host.endswith(".localhost"):
        return ""
    return "lost" if current_app.config["SESSION_COOKIE_SECURE"] else "readable"


def register(app: Flask) -> None:
    """Let templates ask."""
    app.jinja_env.globals.update(plain_http=plain_http)
