"""Error pages: what happened, what was kept, what to do; the same as JSON for scripts."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from typing import Any

from flask import (
    Flask,
    current_app,
    g,
    has_request_context,
    jsonify,
    render_template,
    request,
    session,
    url_for,
)
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError
from werkzeug.exceptions import HTTPException, SecurityError

from app.domain.types import Conflict, DomainError, Forbidden, NotFound, NotNow, Text
from app.ui.access import policy
from app.ui.language import language
from app.ui.request import maybe_me
from app.ui.transport import LOST, LOST_TODO, plain_http

log = logging.getLogger("mingjian")

KEPT = Text(
    "本次操作没有生效；之前保存的内容都在。",
    "This action had no effect; everything saved before is kept.",
)


@dataclass(frozen=True, slots=True)
class Words:
    """What happened, what to do, what was kept. Without a title the page words its own by the status."""

    happened: Text
    todo: Text
    kept: Text = KEPT
    title: Text | None = None
    back: tuple[Text, str] | None = None  # the page that leads on; without one the first page


WORDS = {
    400: Words(
        Text("请求无法理解。", "The request cannot be understood."),
        Text("请返回上一页重试。", "Go back and try again."),
    ),
    403: Words(
        Text("您的角色不能查看或办理此事。", "Your role may not see or do this."),
        Text("如需要，请联系创建办公室。", "Ask the programme office if you need it."),
    ),
    404: Words(
        Text(
            "没有这个页面，或者它不对您开放。", "There is no such page, or it is not open to you."
        ),
        Text("请检查地址，或回到首页。", "Check the address, or go to the first page."),
    ),
    405: Words(
        Text("此地址不支持这种操作。", "This address does not support that action."),
        Text("请回到首页，从页面上的按钮进入。", "Go to the first page and use its buttons."),
    ),
    409: Words(
        Text("情况已经变化。", "Things have changed."),
        Text("请回到上一页，刷新后核对再办。", "Go back, reload, check, and try again."),
    ),
    413: Words(
        Text("文件太大，未保存。", "The file is too large and was not kept."),
        Text("请压缩或拆分后重新上传。", "Compress or split it and upload again."),
    ),
    422: Words(
        Text("输入不符合要求。", "The input does not fit."),
        Text("请返回上一页，改正后重试。", "Go back, correct it and try again."),
    ),
    429: Words(
        Text("尝试次数过多。", "Too many attempts."),
        Text("请稍后再试。", "Try again later."),
    ),
    500: Words(
        Text("系统内部错误。", "Something failed inside the system."),
        Text("请重试；仍不行请联系系统管理员。", "Try again, or tell the system administrator."),
    ),
    503: Words(
        Text(
            "服务器暂时无法保存（磁盘已满或数据库不可用）。",
            "The server cannot save just now (disk full, or the database is away).",
        ),
        Text(
            "请不要关闭页面，稍后重试，并告知系统管理员。",
            "Keep the page open, try again soon, and tell the system administrator.",
        ),
    ),
}
EXPIRED = Words(
    Text(
        "登录已过期或页面已陈旧，内容没有提交。",
        "Your session has expired or the page is stale, so nothing was submitted.",
    ),
    Text(
        "请重新登录，再打开原页面：填写的内容会自动恢复，然后再提交一次。",
        "Sign in again and open the page: what you typed comes back; then submit once more.",
    ),
    Text("您填写的内容保留在本机。", "What you typed is kept on this device."),
)

TODO_FIRST = Text(
    "请先处理上面所说的原因，再办理这一步；如果已经办过，刷新原来的页面即可看到。",
    "See to the reason above first, then take this step. If it is done already, the page shows it "
    "when you reload it.",
)
PAGE_OF = {"sitting_id": "panel.sitting", "panel_id": "panel.show", "draw_id": "draw.show"}
STATUS = {Forbidden: 403, NotFound: 404, Conflict: 409, NotNow: 409}


def refusal(error: DomainError) -> tuple[int, Words]:
    """The status and the words for a refusal. Out of order is another thing than changed meanwhile:
    the title names the step that cannot be taken now."""
    status = STATUS.get(type(error), 422)
    if not isinstance(error, NotNow):
        return status, WORDS[status]
    what = error.what or Text("办理", "do this")
    title = Text("现在不能{what}", "Cannot {what} now").format(what=what)
    return status, Words(error.text, TODO_FIRST, title=title, back=_page_of_it())


def _page_of_it() -> tuple[Text, str] | None:
    """The page of what a refused step was about, if it has one that this viewer may open."""
    if not has_request_context():
        return None
    given, viewer = request.view_args or {}, maybe_me()
    for name, endpoint in PAGE_OF.items():
        if name not in given or endpoint == request.endpoint:
            continue
        if viewer is not None and viewer.role in policy(current_app, endpoint):
            address = url_for(endpoint, slug=given["slug"], **{name: given[name]})
            return Text("回到原来的页面", "Back to that page"), address
    return None


# What a script reads instead of the words.
CODES = {
    400: "stale",
    401: "signed_out",
    403: "forbidden",
    404: "absent",
    409: "conflict",
    413: "too_large",
    422: "invalid",
    429: "locked",
    503: "away",
    507: "full",
}


def wants_json() -> bool:
    """Scripts of ours send JSON, or ask below the field application's interface; everybody else
    gets a page."""
    return request.is_json or request.path.startswith("/field/api/")


def answer(status: int, words: Words, happened: Text | None = None) -> Any:
    """One error as a page or as JSON. A message that was to say "done" is dropped: it was not."""
    session.pop("_flashes", None)
    text = happened or words.happened
    if wants_json():
        code = CODES.get(status, "fault" if status >= 500 else "invalid")
        said = {"text": text.get(language()), "text_zh": text.zh, "text_en": text.en}
        return jsonify(error={"code": code, **said}), status
    page = render_template(
        "error.html",
        status=status,
        text=text,
        kept=words.kept,
        todo=words.todo,
        heading=words.title,
        action=words.back or (Text("回到首页", "First page"), "/"),
    )
    return page, status


def _away() -> Any:
    """Disk full, or no database: the page asks the database nothing."""
    g.bare = True
    page, status = answer(503, WORDS[503])
    return page, status, {"Retry-After": "10"}


def register(app: Flask) -> None:
    """Install the handlers."""

    @app.errorhandler(DomainError)
    def _domain(error: DomainError) -> Any:
        g.refused = error  # rooms that keep a record of what they refuse read it
        status, words = refusal(error)
        return answer(status, words, error.text)

    @app.errorhandler(CSRFError)
    def _csrf(error: CSRFError) -> Any:
        g.forged = True
        if plain_http() == "lost":
            address = app.extensions["mingjian.settings"].public_url
            return answer(400, Words(LOST, LOST_TODO.format(address=address)))
        return answer(400, EXPIRED)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        status = error.code or 500
        if status < 400:
            return error
        if isinstance(error, SecurityError):  # a host that is not ours: no address can be built
            text = WORDS[400].happened
            return f"{text.zh}\n{text.en}\n", 400, {"Content-Type": "text/plain; charset=utf-8"}
        return answer(status, WORDS.get(status, WORDS[400 if status < 500 else 500]))

    @app.errorhandler(DBAPIError)
    def _database(error: DBAPIError) -> Any:
        log.exception("database error")
        away = isinstance(error.orig, sqlite3.OperationalError) or (
            "OperationalError" in type(error).__name__
        )
        if away or error.connection_invalidated:
            return _away()
        g.bare = True  # the transaction is gone, and with it what the request had read
        if isinstance(error, DataError):  # text or a number that no column can hold, such as NUL
            return answer(400, WORDS[400])
        return answer(500, WORDS[500])

    @app.errorhandler(OSError)
    def _os(error: OSError) -> Any:
        log.exception("file system error")
        return _away()

    @app.errorhandler(Exception)
    def _any(error: Exception) -> Any:
        log.exception("unexpected error")
        return answer(500, WORDS[500])
