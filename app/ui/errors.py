"""Error pages: what happened, what was kept, what to do; the same as JSON for scripts."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from flask import Flask, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.ui.language import language

log = logging.getLogger("mingjian")

WORDS = {
    400: Text(
        "请求无法理解。没有任何改动。", "The request cannot be understood. Nothing was changed."
    ),
    403: Text(
        "您没有权限查看或办理此事。没有任何改动；如需要，请联系创建办公室。",
        "You may not see or do this. Nothing was changed; ask the programme office if you need it.",
    ),
    404: Text(
        "没有找到这个页面，或者它不对您开放。",
        "There is no such page, or it is not open to you.",
    ),
    405: Text("此页面不支持这种操作。", "This page does not support that action."),
    413: Text(
        "文件太大，未保存。请压缩或拆分后重新上传。",
        "The file is too large and was not kept. Compress or split it and upload again.",
    ),
    429: Text("尝试次数过多，请稍后再试。", "Too many attempts. Try again later."),
    500: Text(
        "系统内部错误，本次操作没有生效，之前保存的内容都在。请重试；仍不行请联系系统管理员。",
        "Something failed inside. This action had no effect and everything saved before is kept. "
        "Try again, or tell the system administrator.",
    ),
    503: Text(
        "服务器暂时无法保存（磁盘已满或数据库不可用）。本次操作没有生效，已保存的内容都在。"
        "请不要关闭本页，稍后重试。",
        "The server cannot save just now (disk full, or the database is away). This action had no "
        "effect and everything saved before is kept. Keep this page open and try again soon.",
    ),
}
EXPIRED = Text(
    "登录已过期或页面已陈旧，内容没有提交；您填写的内容保留在本机。请重新登录后打开原页面，再提交一次。",
    "Your session has expired or the page is stale, so nothing was submitted; what you typed is "
    "kept on this device. Sign in again, open the page and submit once more.",
)


def wants_json() -> bool:
    return request.path.startswith("/api/") or request.is_json


def answer(status: int, text: Text) -> Any:
    """One error as a page or as JSON."""
    if wants_json():
        return jsonify(error={"zh": text.zh, "en": text.en, "text": text.get(language())}), status
    return render_template("error.html", status=status, text=text), status


def register(app: Flask) -> None:
    """Install the handlers."""

    @app.errorhandler(DomainError)
    def _domain(error: DomainError) -> Any:
        status = {Forbidden: 403, NotFound: 404, Conflict: 409}.get(type(error), 422)
        return answer(status, error.text)

    @app.errorhandler(CSRFError)
    def _csrf(error: CSRFError) -> Any:
        return answer(400, EXPIRED)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        status = error.code or 500
        if status < 400:
            return error
        return answer(status, WORDS.get(status, WORDS[400 if status < 500 else 500]))

    @app.errorhandler(DBAPIError)
    def _database(error: DBAPIError) -> Any:
        log.exception("database error")
        if (
            error.connection_invalidated
            or isinstance(error.orig, sqlite3.OperationalError)
            or "OperationalError" in type(error).__name__
        ):
            page, status = answer(503, WORDS[503])
            return page, status, {"Retry-After": "10"}
        return answer(500, WORDS[500])

    @app.errorhandler(OSError)
    def _os(error: OSError) -> Any:
        log.exception("file system error")
        return answer(503, WORDS[503])

    @app.errorhandler(Exception)
    def _any(error: Exception) -> Any:
        log.exception("unexpected error")
        return answer(500, WORDS[500])
