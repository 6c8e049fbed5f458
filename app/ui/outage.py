"""What is served while the application cannot start, because a key is missing: one page that says so.

Whoever opens the system would otherwise see a refused connection or a server error and try again and
again. It says nothing about the machine: which file is missing stands in the server's log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

PAGE = """<!doctype html>
<html lang="zh-CN">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>系统没有启动 · The system has not started · 明鉴 Mingjian</title></head>
<body>
<h1>系统没有启动</h1>
<p>服务器上的一个密钥文件缺失或损坏，所以没有启动。已保存的数据没有改动；平板上还没有上传的内容仍在平板上，请不要清除。</p>
<p>请告诉系统管理员：在服务器上运行 <code>mingjian doctor</code>，会说明是哪个文件；放回封存的副本，再重新启动。</p>
<div lang="en">
<h1>The system has not started</h1>
<p>A key file on the server is missing or damaged. Nothing that was saved has changed; what tablets have
not sent yet is still on them: do not clear them.</p>
<p>Tell the system administrator: <code>mingjian doctor</code> on the server names the file; put the sealed
copy back and start the server again.</p>
</div>
</body>
</html>
""".encode()
HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Length", str(len(PAGE))),
    ("Cache-Control", "no-store"),
    ("Retry-After", "60"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
]


def outage(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """WSGI: 503 at every address."""
    start("503 Service Unavailable", HEADERS)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else PAGE]
