"""Every way a file comes in: the pages that take one and the commands that read one.

A door says which families of hostile files it is offered, what it asks of a table, and how a file is
brought to it. The answer is (refused, what was said); an exception is a fault.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli import main
from app.files.chunks import CHUNK
from app.registry import columns, register_import
from tests.attacks.hostile_files import Seed
from tests.attacks.hostile_tables import UNREAD_BOOKS

VECTORS = Path(__file__).parent.parent / "vectors"
_TABLES = ("workbook", "csv", "wrong")
_PAPERS = ("document", "workbook", "pdf", "picture", "wrong")
_CASES = Seed(
    ("区县", "类型", "案卷号", "案卷名称", "日期"),
    ("东城区", "licence", "测试9号", "测试案卷", "2012-01-01"),
    3,
)
_FIGURES = Seed(
    ("区县", "数据项", "数值", "单位", "年份", "来源"),
    ("东城区", "gdp23_wan", "1", "", "2011", "测试"),
    5,
)
_MARKS = Seed(("subject", "expert", "item", "mark"), ("甲区", "e1", "A1", "3"), 0)


def _pool() -> Seed:
    heads, rows = columns.template_table()
    row = dict(zip(columns.COLUMNS, rows[0], strict=True)) | {
        "name": "虚拟新人",
        "region": "东城区",
        "department": "",
        "phone": "",
        "id_number": "",
        "birth_date": "",
        "email": "",
    }
    return Seed(
        tuple(heads),
        tuple(v.replace(columns.EXAMPLE_MARK, "") for v in row.values()),
        columns.COLUMNS.index("post"),
    )


def _posts() -> Seed:
    heads, rows = register_import.template_table("posts")
    return Seed(tuple(heads), tuple(rows[0]), 2)


def _known_posts() -> Seed:
    """A post of an expert and an employer that are there: what comes in is entered, not only read."""
    row = ("E0001", "测试单位", "讲师", "任职", "2001-09-01", "2009-08-31", "测试履历表")
    return Seed(_posts().heads, row, 2)


def _roster() -> Seed:
    heads, row, *_ = (VECTORS / "draw" / "roster.csv").read_text("utf-8").splitlines()
    return Seed(tuple(heads.split(",")), tuple(row.split(",")), 1)


@dataclass(frozen=True)
class Answer:
    """`refused`: a 4xx, or an exit code that is not 0; `said`: what the person reads of it."""

    refused: bool
    said: str
    language: str = "both"
    body: str = ""


@dataclass(frozen=True)
class Door:
    """`role` None is the command line. `send(place, name, data)`; `good` are families whose clean file
    must come in here, so that the door is known to be open."""

    name: str
    role: str | None
    families: tuple[str, ...]
    send: Callable[[Any, str, bytes], Answer]
    seed: Seed = Seed()
    good: tuple[str, ...] = ()
    share: int = 3  # of the files one in so many; doors that share a reader with another see fewer
    bears: frozenset[str] = (
        frozenset()
    )  # names of files that are harmless here, and why is said there
    notes: bool = False  # that it was tried is itself put on record


def _spoken(html: str) -> str:
    """What a page says is wrong: the fields' errors, summaries, tables of problems, error pages."""
    html = re.sub(r"<(script|style|svg|nav|head|header|footer)\b.*?</\1>", " ", html, flags=re.S)
    found = re.findall(r'<(?P<t>\w+)[^>]*class="(?:[^"]* )?(?:error|errors|problem|problems|wrong|refused)[^"]*"[^>]*>(.*?)</(?P=t)>', html, re.S)  # fmt: skip
    text = " ".join(part for _, part in found) or html
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def _page(client: Any, path: str, field: str, name: str, data: bytes, **more: str) -> Answer:
    lang = "en" if hashlib.sha256(name.encode()).digest()[1] % 2 else "zh"
    with client.session_transaction() as cookie:
        cookie["lang"] = lang
    form = {field: (io.BytesIO(data), name), **more}
    answer = client.post(path, data=form, content_type="multipart/form-data")
    with answer:
        assert answer.status_code < 500, f"{answer.status_code}"
        # A page that asks which column is which has taken the file.
        asks = b'<select id="map-' in answer.data
        refused = answer.status_code >= 400 and not asks
        body = "" if answer.status_code == 302 or b"%PDF" in answer.data[:5] else answer.text
        return Answer(refused, _spoken(body) if refused else "", lang, body)


def _form(
    role: str, path: str, field: str = "file", **more: str
) -> Callable[[Any, str, bytes], Answer]:
    return lambda place, name, data: _page(
        place.clients[role], path.format(**place.paths), field, name, data, **more
    )


def _folder(place: Any, name: str, data: bytes) -> Answer:
    return _page(place.clients["office"], "/r/one/import", "files", f"东城区-{name}", data)


def _told(answer: Any) -> Answer:
    assert answer.status_code < 500, f"{answer.status_code}"
    text = answer.get_json() if answer.is_json else {}
    error = (text or {}).get("error", {})
    words = error if isinstance(error, str) else error.get("text_zh", "") + error.get("text_en", "")
    words = words or str(text)
    answer.close()
    return Answer(answer.status_code >= 400, words, "either")


def _pieces(place: Any, role: str, where: str, data: bytes) -> Any:
    """The parts of a file one after the other; the first that is refused, else the last answer."""
    sha, answer = hashlib.sha256(data).hexdigest(), None
    for number in range(max(1, -(-len(data) // CHUNK))):
        part = data[number * CHUNK : (number + 1) * CHUNK]
        answer = place.clients[role].put(
            f"{where}/{sha}/{number}?size={len(data)}",
            data=part,
            headers={"X-Chunk-SHA256": hashlib.sha256(part).hexdigest()},
        )
        if answer.status_code >= 400:
            break
    return answer


def _tablet(place: Any, name: str, data: bytes) -> Answer:
    return _told(_pieces(place, "expert", "/field/api/media", data))


def _recording(place: Any, name: str, data: bytes) -> Answer:
    where = "/r/one/sittings/{spoken}".format(**place.paths)
    part = _pieces(place, "office", f"{where}/pieces", data)
    if part.status_code >= 400:
        return _told(part)
    sha = hashlib.sha256(data).hexdigest()
    what = {
        "origin": "uploaded",
        "sha256": sha,
        "name": name,
        "pieces": [[sha, len(data)]],
        "marks": [],
    }
    return _told(place.clients["office"].post(f"{where}/recordings", json=what))


def _command(*words: str) -> Callable[[Any, str, bytes], Answer]:
    """`mingjian WORDS`, {file} being the file, {home} the installation, {tmp} a place of its own."""

    def send(place: Any, name: str, data: bytes) -> Answer:
        file = Path(place.paths["tmp"]) / (name or "file")
        file.write_bytes(data)
        out, code = io.StringIO(), 0
        held = sys.stdin
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                main([word.format(file=file, **place.paths) for word in words])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        finally:
            sys.stdin = held
            file.unlink()
        return Answer(code != 0, out.getvalue() if code else "", "both", out.getvalue())

    return send


# A document is kept as the bytes that it is and given out as a download: numbers and references that
# would trouble a reader of cells, and packing that only a viewer undoes, are nothing here.
_UNREAD = frozenset(
    [f"workbook: {what}" for what in UNREAD_BOOKS]
    + ["pdf: ten thousand ObjStm without a stream", "pdf: hex names without end"]
    + ["picture: PNG with 200 MiB packed", "picture: PNG of a million chunks"]
)
_EMPTY = frozenset(
    {"wrong: nothing", "yaml: only a comment", "yaml: null", "yaml: python object"}
)  # a rule without changes

DOORS: tuple[Door, ...] = (
    Door("material", "office", _PAPERS, _form("office", "/r/one/counties/{county}/materials"), good=_PAPERS[:-1], bears=_UNREAD),
    Door("material of the county", "presenter", _PAPERS, _form("presenter", "/r/one/counties/{county}/materials"), good=("pdf",), share=9, bears=_UNREAD),
    Door("folder", "office", ("zip", *_PAPERS), _folder, good=("zip", "document"), share=9, bears=_UNREAD),
    Door("figures", "office", _TABLES, _form("office", "/r/three/figures/import"), _FIGURES, good=_TABLES[:-1]),
    Door("case files", "office", _TABLES, _form("office", "/r/four/cases/import"), _CASES, good=("csv",), share=9),
    Door("experts", "keeper", _TABLES, _form("keeper", "/pool/import"), _pool(), good=_TABLES[:-1]),
    Door("register", "keeper", _TABLES, _form("keeper", "/registers/import/posts"), _posts(), good=_TABLES[:-1], share=9),
    Door("form", "admin", ("yaml", "wrong"), _form("admin", "/forms/write"), good=("form",), share=9),
    Door("form on paper", "admin", ("yaml", "wrong"), _form("admin", "/forms/paper"), good=("form",), share=9),
    Door("score rule", "office", ("yaml", "wrong"), _form("office", "/r/three/score-rule", do="check"), good=("rule",), bears=_EMPTY),
    Door("scan of a paper sheet", "office", ("pdf", "picture", "document", "wrong"), _form("office", "/r/one/paper/{paper}/scan"), good=("pdf", "picture"), bears=_UNREAD, share=9),
    Door("statement", "office", _PAPERS, _form("office", "/r/one/sittings/{spoken}/statement/files", kind="attachment"), good=_PAPERS[:-1], share=9, bears=_UNREAD),
    Door("proxy letter", "office", ("pdf", "picture", "wrong"), _form("office", "/r/one/sittings/{spoken}/statement/files", kind="proxy"), good=("pdf",), share=9, bears=_UNREAD),
    Door("recording", "office", ("sound", "wrong"), _recording, good=("sound",)),
    Door("tablet", "expert", ("picture", "sound", "wrong"), _tablet, good=("picture", "sound"), bears=_UNREAD),
    Door("export of a tablet", "office", ("export", "wrong"), _form("office", "/r/one/field/import"), good=("export",)),
    Door("mingjian import experts", None, _TABLES, _command("import", "experts", "--dry-run", "--new-employers", "--home", "{home}", "{file}"), _pool(), good=_TABLES[:-1], share=9),
    Door("mingjian import posts", None, ("csv", "wrong"), _command("import", "posts", "--dry-run", "--home", "{home}", "{file}"), _known_posts(), good=("csv",), share=9),
    Door("mingjian aggregate", None, ("csv", "wrong"), _command("aggregate", "{file}"), _MARKS, good=("csv",)),
    Door("mingjian agree", None, ("csv", "wrong"), _command("agree", "{file}", "--resamples", "0"), _MARKS, good=("marks",), share=9),
    Door("mingjian aggregate --rule", None, ("yaml", "wrong"), _command("aggregate", "{marks}", "--rule", "{file}"), good=("rule",), share=9, bears=_EMPTY),
    Door("mingjian forms lint", None, ("yaml", "wrong"), _command("forms", "lint", "{file}"), good=("form",), share=9),
    Door("mingjian draw fairness, request", None, ("yaml", "wrong"), _command("draw", "fairness", "{roster}", "{file}"), good=("request",)),
    Door("mingjian draw fairness, roster", None, ("csv", "wrong"), _command("draw", "fairness", "{file}", "{request}"), _roster(), good=("roster",), share=9),
    Door("mingjian draw order", None, ("csv", "wrong"), _command("draw", "order", "{file}", "-o", "{tmp}/order", "--stage", "order-counties"), good=("things",), share=9),
    Door("mingjian verify", None, ("transcript", "wrong"), _command("verify", "{file}"), good=("transcript",)),
    Door("mingjian round verify", None, ("transcript", "wrong"), _command("round", "verify", "{file}")),
    Door("mingjian restore", None, ("backup", "wrong"), _command("restore", "--home", "{tmp}/new", "{file}"), good=("backup",)),
    Door("mingjian restore --drill", None, ("backup", "wrong"), _command("restore", "--drill", "--home", "{home}", "{file}"), good=("backup",), share=9, notes=True),
)  # fmt: skip
