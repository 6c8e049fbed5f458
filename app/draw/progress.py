"""A slow computation that is watched while it runs: the answer itself is the progress page.

The page is sent in pieces: its frame at once, a line for each stage as it begins, and at the end the
way on (the browser goes there by itself). Works without script, with several server processes, and
holds no transaction open between its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from queue import Queue

from flask import Response, current_app, render_template
from markupsafe import escape

from app.domain.types import DomainError, Text
from app.ui.language import language

Tell = Callable[[Text], None]
Work = Callable[[Tell], str]
_MARK = "<!-- stages -->"
_FAILED = Text(
    "计算中断，没有保存任何内容。请返回重试；仍不行请联系管理员查看日志。",
    "The computation broke off and nothing was saved. Go back and try again; if it fails again, ask "
    "the administrator to look at the log.",
)
_DONE = Text("完成，正在打开结果", "Done; opening the result")
_BACK = Text("返回", "Back")
_ON = Text("打开结果", "Open the result")
_STOPPED = Text("没有完成：", "Not done: ")


def watched(work: Work, *, title: Text, back: str, drill: bool) -> Response:
    """Run `work` beside the answer; it gets a function that tells of stages and returns the URL to
    go on to. A DomainError ends the page with its text and the way back."""
    chosen, logger = language(), current_app.logger
    page = render_template("draw/progress.html", title=title, drill=drill)
    head, _, tail = page.partition(_MARK)
    lines: Queue[tuple[str, Text | str | None]] = Queue()

    def run() -> None:
        try:
            lines.put(("done", work(lambda text: lines.put(("stage", text)))))
        except DomainError as error:
            lines.put(("refused", error.text))
        except Exception:  # the page must end, whatever broke
            logger.log(logging.ERROR, "a computation of the draw broke off", exc_info=True)
            lines.put(("refused", _FAILED))

    def pieces() -> Iterator[str]:
        yield head
        began = time.monotonic()
        threading.Thread(target=run, daemon=True).start()
        while True:
            kind, said = lines.get()
            spent = f"{time.monotonic() - began:.1f} s"
            if kind == "stage" and isinstance(said, Text):
                yield f'<li>{escape(said.get(chosen))} <small class="num">{spent}</small></li>\n'
                continue
            yield _ending(kind, said, chosen, back, spent)
            break
        yield tail

    return Response(pieces(), mimetype="text/html", headers={"X-Accel-Buffering": "no"})


def _ending(kind: str, said: Text | str | None, chosen: str, back: str, spent: str) -> str:
    lang = "en" if chosen == "en" else "zh"
    if kind == "done":
        url = escape(str(said))
        return (
            f'<li>{escape(_DONE.get(lang))} <small class="num">{spent}</small></li></ol>'
            f'<p class="actions"><a class="button primary" href="{url}">{escape(_ON.get(lang))}</a></p>'
            f'<meta http-equiv="refresh" content="1;url={url}"><ol hidden>'
        )
    text = said.get(lang) if isinstance(said, Text) else ""
    return (
        f'</ol><div class="note wrong" role="alert"><p><b>{escape(_STOPPED.get(lang))}</b>'
        f"{escape(text)}</p></div>"
        f'<p class="actions"><a class="button primary" href="{escape(back)}">'
        f"{escape(_BACK.get(lang))}</a></p><ol hidden>"
    )
