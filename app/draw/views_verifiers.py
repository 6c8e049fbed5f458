"""The public page of the two verifiers, and a bundle of a transcript with both (draw-protocol.md 11).

Open to anybody: who checks a draw must not need an account. What is downloaded is the shipped file,
byte for byte, so that its SHA-256 can be compared with the figure on paper.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, render_template

from app import verify
from app.domain.types import Text
from app.draw import papers, queries
from app.draw.room import BOTH, blueprint, download, the_draw
from app.ui.access import allow, public
from app.ui.request import db, me, settings

verifiers = Blueprint("verifiers", __name__)
FILES = {
    "verify.html": (papers.HTML_VERIFIER, "text/html"),
    "verify.py": (Path(verify.__file__), "text/x-python"),
}
HOW = Text(
    "打开 verify.html（双击即可，不需联网），把记录包拖进去；或运行 python3 verify.py 记录包.zip。\n"
    "请用从别处取得的核验程序，并核对其 SHA-256；此处附带的一份只为方便。\n",
    "Open verify.html (a double click; no network needed) and drop the transcript on it; or run\n"
    "python3 verify.py TRANSCRIPT.zip. Use verifiers that you did not get from the transcript's owner and\n"
    "compare their SHA-256: the copies here are a convenience.\n",
)


@verifiers.get("/verify")
@public
def index() -> Any:
    """Both verifiers with their SHA-256, and how they are used."""
    return render_template("draw/verifiers.html", files=papers.verifiers())


@verifiers.get("/verify/verify.js")
@public
def script() -> Any:
    """The script of verify.html, byte for byte, for pages of this server that run the same checks."""
    page = papers.HTML_VERIFIER.read_text("utf-8")
    body = page.partition("<script>")[2].partition("</script>")[0]
    return Response(body, mimetype="text/javascript")


@verifiers.get("/verify/<name>")
@public
def file(name: str) -> Any:
    """One verifier, as a download: opened from a folder it is under no policy but its own."""
    if name not in FILES:
        abort(404)
    path, mime = FILES[name]
    return download(path.read_bytes(), mime, name)


@blueprint.get("/draws/<draw_id>/bundle")
@allow(*BOTH)
def bundle(slug: str, draw_id: str) -> Any:
    """The transcript as it is, both verifiers and a page on how to use them, in one ZIP."""
    draw = the_draw(draw_id)
    name = f"{draw.kind}-{(draw.commitment_hash or '')[:16]}"
    parts = {f"transcript-{name}.zip": queries.transcript(db(), me(), settings(), draw)}
    parts |= {file: path.read_bytes() for file, (path, _) in FILES.items()}
    sums = "".join(f"{digest}  {file}\n" for file, digest in papers.verifiers())
    parts["README.txt"] = f"{HOW.zh}\n{HOW.en}\n{sums}".encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, body in sorted(parts.items()):
            archive.writestr(
                zipfile.ZipInfo(file, (1980, 1, 1, 0, 0, 0)), body, zipfile.ZIP_DEFLATED
            )
    return download(out.getvalue(), "application/zip", f"draw-{name}.zip")
