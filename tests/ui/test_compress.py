"""Static text is sent compressed, and nothing that holds a secret is."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import brotli
import pytest

import app as package

STATIC = Path(package.__file__).parent / "static"
GZIP = {"Accept-Encoding": "gzip"}


@pytest.mark.parametrize("name", ["css/app.css", "js/autosave.js"])
def test_a_static_file_is_compressed_for_whoever_asks(app: Any, name: str) -> None:
    client, plain = app.test_client(), (STATIC / name).read_bytes()
    sent = client.get(f"/static/{name}", headers=GZIP)
    assert sent.headers["Content-Encoding"] == "gzip" and gzip.decompress(sent.data) == plain
    assert len(sent.data) < len(plain) / 2 and int(sent.headers["Content-Length"]) == len(sent.data)
    bare = client.get(f"/static/{name}")
    assert "Content-Encoding" not in bare.headers and bare.data == plain
    for answer in (sent, bare):
        assert "Accept-Encoding" in answer.headers["Vary"]
    again = client.get(f"/static/{name}", headers=GZIP | {"If-None-Match": sent.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""


def test_brotli_is_sent_to_whoever_takes_it_and_only_then(app: Any) -> None:
    client, plain = app.test_client(), (STATIC / "css/app.css").read_bytes()
    lengths = {}
    for asked, coding in (("br, gzip", "br"), ("gzip, deflate", "gzip"), ("br;q=0, gzip", "gzip")):
        sent = client.get("/static/css/app.css", headers={"Accept-Encoding": asked})
        assert sent.headers["Content-Encoding"] == coding, asked
        read = {"br": brotli.decompress, "gzip": gzip.decompress}[coding]
        assert read(sent.data) == plain
        lengths[coding] = len(sent.data)
    assert lengths["br"] < 0.95 * lengths["gzip"]


def test_the_shell_of_the_tablets_too(app: Any) -> None:
    sent = app.test_client().get("/field/sw.js", headers=GZIP)
    assert b"addEventListener" in gzip.decompress(sent.data)


def test_a_changed_file_is_compressed_again(app: Any, tmp_path: Path) -> None:
    app.static_folder = str(tmp_path)
    script = tmp_path / "changing.js"
    for text in ("// first " * 200, "// the second " * 200):
        script.write_text(text)
        sent = app.test_client().get("/static/changing.js", headers=GZIP)
        assert gzip.decompress(sent.data).decode() == text


def test_pages_and_pictures_are_not(app: Any, client_as: Any) -> None:
    page = client_as("office").get("/", headers=GZIP)
    assert page.status_code == 200 and "Content-Encoding" not in page.headers
    assert b"csrf" in page.data and len(page.data) > 1000
    pictures = list(STATIC.rglob("*.png"))
    for path in pictures[:1]:
        sent = app.test_client().get(f"/static/{path.relative_to(STATIC)}", headers=GZIP)
        assert "Content-Encoding" not in sent.headers and sent.data == path.read_bytes()
