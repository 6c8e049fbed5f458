"""The field application's files: what the tablet keeps, in which part it comes, what is vendored."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import brotli
import pytest

from app.field import shell
from app.field.shrink import Malformed, shrunk

STATIC = Path(shell.__file__).parents[1] / "static"
NAMED = re.compile(r'\b(?:from|import)\b\s*\(?"(\.[^"]+)"')
PAGE_PARTS = re.compile(r'(?:href|src)="/static/([^"]+)"')


def unpacked(body: bytes) -> dict[str, bytes]:
    """The files of a part, as the service worker takes it apart."""
    head, _, rest = body.partition(b"\n")
    found = {}
    for address, length in json.loads(head):
        found[address], rest = rest[:length], rest[length:]
    assert rest == b""
    return found


def test_the_parts_hold_every_file_that_the_application_asks_for() -> None:
    parts = {name: unpacked(part.body) for name, part in shell.parts(STATIC).items()}
    kept = parts["first"] | parts["rest"] | parts["recorder"]
    assert len(kept) == sum(len(part) for part in parts.values())
    assert kept.keys() == shell.shell_files(STATIC).keys()
    for address, body in kept.items():
        if address.endswith(".js"):
            for name in NAMED.findall(body.decode()):
                path = (STATIC.parent / address[1:]).parent / name
                assert f"/static/{path.resolve().relative_to(STATIC)}" in kept, (address, name)
    for name in PAGE_PARTS.findall(kept["/field"].decode()):
        assert f"/static/{name}" in kept or name.endswith(".png")
    assert "/static/field/sw.js" not in kept
    assert not [name for name in kept if "LICENCE" in name or name.endswith((".json", ".png"))]


def test_no_part_imports_from_a_later_one() -> None:
    """Else a tablet that has the earlier ones alone could not open it."""
    parts = shell.parts(STATIC)
    files = shell.shell_files(STATIC)
    here: set[str] = set()
    for part in parts.values():
        here |= part.files.keys()
        for address in part.files:
            if address.endswith(".js"):
                for path in shell.imports(files[address]):
                    assert f"/static/{path.relative_to(STATIC)}" in here, address
    assert "/static/vendor/signature_pad.js" in parts["rest"].files
    assert list(parts) == ["first", "rest", "recorder"]
    assert parts["recorder"].files.keys() == {f"/static/field/{n}" for n in shell.RECORDERS}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A static directory of a few files, to be changed."""
    for name in ("field/index.html", "field/field.css", "field/app.js", *shell.REUSED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("const one = 1;", "utf-8")
    (tmp_path / "field/sw.js").write_text(
        'const V = "/*VERSION*/"; const P = {/*PARTS*/};', "utf-8"
    )
    return tmp_path


def test_a_changed_file_is_a_new_version(copied: Path) -> None:
    before = shell.service_worker_source(copied)
    assert before == shell.service_worker_source(copied)
    listed = json.loads(before.split("P=")[1].rstrip(";"))
    assert listed == {name: part.sha256 for name, part in shell.parts(copied).items()}
    seen = {before.split('"')[1]}
    for name, text in (
        ("field/app.js", "const two = 2;"),
        (shell.REUSED[1], "changed"),  # of the other part
        ("field/sw.js", 'const V = "/*VERSION*/"; const P = {/*PARTS*/}; let more;'),
    ):
        (copied / name).write_text(text)
        seen.add(shell.service_worker_source(copied).split('"')[1])
    assert len(seen) == 4


def test_the_worker_is_served_with_its_scope_and_the_parts_with_their_hashes(app: Any) -> None:
    client = app.test_client()
    answer = client.get("/field/sw.js")
    assert answer.status_code == 200 and answer.mimetype == "text/javascript"
    assert answer.headers["Service-Worker-Allowed"] == "/field"
    text = answer.get_data(as_text=True)
    assert "/*PARTS*/" not in text and "PARTS_" not in text and "/*VERSION*/" not in text
    for name, part in shell.parts(STATIC).items():
        sent = client.get(f"/field/{name}.part", headers={"Accept-Encoding": "br, gzip"})
        assert sent.headers["Content-Encoding"] == "br"
        body = brotli.decompress(sent.data)
        assert f'"{name}":"{hashlib.sha256(body).hexdigest()}"' in text
        assert unpacked(body) == part.files
        assert "script-src 'self'" in sent.headers["Content-Security-Policy"]
        tag = {"If-None-Match": sent.headers["ETag"]}
        assert client.get(f"/field/{name}.part", headers=tag).status_code == 304
        bare = client.get(f"/field/{name}.part")
        assert bare.data == body and "Content-Encoding" not in bare.headers
    assert client.get("/field/other.part").status_code == 404


@pytest.mark.parametrize(
    ("source", "short"),
    [
        ("// a note\nlet a = 1; // more\n\n  let b = a + 2;\n", "let a=1;let b=a+2;"),
        ("const f = (x) => x /* why */ / 2;\n", "const f=(x)=>x/2;"),
        ("let a = b\nlet c = d\n", "let a=b\nlet c=d"),  # a line end ends these statements
        ("a = b\n++c\n", "a=b\n++c"),
        ("x = a + +b - -c;", "x=a+ +b- -c;"),
        ("const r = /\\/\\/ [/] no note/g;", "const r=/\\/\\/ [/] no note/g;"),
        ("return /  x/.test(y)", "return/  x/.test(y)"),
        ("s = 'it  // is' + \"/* so */\" ;", "s='it  // is'+\"/* so */\";"),
        ("t = `two  ${ a + `${ b }  // c` }  d`;", "t=`two  ${a+`${b}  // c`}  d`;"),
        ("t = `a\n    b`;", "t=`a\n    b`;"),  # the blanks of a plain template count
        ("h = html`<p>\n    ${ { a: 1 }.a } b\n  </p>`;", "h=html`<p>\n${{a:1}.a} b\n</p>`;"),
        ("/*! kept */ go( );", "/*! kept */go();"),
        ("class A { #x = 1; static async *y () {} }", "class A{#x=1;static async*y(){}}"),
        ('import { a, b as c } from "./d.js";', 'import{a,b as c}from"./d.js";'),
        ("名 = 字 in 典", "名=字 in 典"),
    ],
)  # fmt: skip
def test_a_module_keeps_its_meaning_without_its_blanks(source: str, short: str) -> None:
    assert shrunk(source) == short
    assert shrunk(short) == short


@pytest.mark.parametrize("broken", ["a = 'open", "t = `open", "t = `${a", "f({"])
def test_a_broken_module_is_refused(broken: str) -> None:
    with pytest.raises(Malformed):
        shrunk(broken)


def test_styles_lose_their_blanks_and_notes_alone() -> None:
    sent = shell.small(STATIC / "field/field.css").decode()
    written = (STATIC / "field/field.css").read_text("utf-8")
    bare = re.sub(r"/\*.*?\*/", "", written, flags=re.S)
    assert re.sub(r"\s", "", sent) == re.sub(r"\s", "", bare)
    assert ".card > :last-child{margin-bottom:0}" in sent and len(sent) < len(written)


def test_vendored_files_are_what_they_say() -> None:
    folder = STATIC / "vendor"
    listed: list[dict[str, Any]] = json.loads((folder / "VENDOR.json").read_text("utf-8"))
    assert {one["file"] for one in listed} == {path.name for path in folder.glob("*.js")}
    for one in listed:
        assert hashlib.sha256((folder / one["file"]).read_bytes()).hexdigest() == one["sha256"]
        for part in [one, *one.get("contains", [])]:
            assert part["licence"] in ("MIT", "ISC", "Apache-2.0")
            assert len((folder / part["licence_file"]).read_text("utf-8")) > 500
