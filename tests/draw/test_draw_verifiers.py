"""The public page of the verifiers: anybody gets the shipped bytes, with the figures printed everywhere."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.draw import papers
from app.verify import verify_transcript
from tests.draw.builders import Staff, completed, make_pool, make_round, request

ROOT = Path(__file__).parents[2]
FILES = {
    "verify.html": ROOT / "app" / "verifiers" / "verify.html",
    "verify.py": ROOT / "app" / "verify.py",
}
DIGESTS = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in FILES.items()}


def test_the_documents_print_the_figures_of_the_shipped_files() -> None:
    text = (ROOT / "docs" / "draw-protocol.md").read_text("utf-8")
    assert dict(re.findall(r"\| `(verify\.\w+)` \|[^|]*\| `([0-9a-f]{64})` \|", text)) == DIGESTS
    assert dict(papers.verifiers()) == DIGESTS


def test_anybody_may_download_both(app: Any) -> None:
    client = app.test_client()
    page = client.get("/verify").get_data(as_text=True)
    for name, path in FILES.items():
        assert DIGESTS[name] in page and f"/verify/{name}" in page
        answer = client.get(f"/verify/{name}")
        assert answer.data == path.read_bytes()
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert client.get("/verify/verify.exe").status_code == 404
    assert client.get("/verify/..%2Fverify.py").status_code == 404
    assert "/verify" in client.get("/sign-in").get_data(as_text=True)


def test_the_page_names_no_host_and_loads_nothing() -> None:
    text = FILES["verify.html"].read_text("utf-8")
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
    assert policy in text and "https://" not in text and "http://" not in text
    assert text.count("<script>") == 1 and "crypto.subtle" not in text


def test_a_bundle_is_the_transcript_with_both_verifiers(
    app: Any, client_as: Callable[..., Any], make: Any
) -> None:
    with app.extensions["mingjian.db"].write() as session:
        staff = Staff(session, make)
        make_pool(session)
        draw = completed(session, staff, request(session, staff, make_round(session)))
        where = f"/r/r1/draws/{draw.id}/bundle"
        digest = draw.transcript_sha256
    client = client_as(staff.supervisor)
    answer = client.get(where)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as bundle:
        files = {name: bundle.read(name) for name in bundle.namelist()}
    (transcript,) = (body for name, body in files.items() if name.startswith("transcript-"))
    assert hashlib.sha256(transcript).hexdigest() == digest
    assert verify_transcript(transcript).ok
    assert {n: hashlib.sha256(files[n]).hexdigest() for n in DIGESTS} == DIGESTS
    assert all(d in files["README.txt"].decode() for d in DIGESTS.values())
    assert client.get(where).data == answer.data


# What a page opened from a folder has not everywhere, and what came to browsers after Safari 14,
# Firefox 78 and Chromium 86: name -> pattern.
ABSENT = {
    "a network": r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon",
    "modules": r"type=.module|\bimport\s*[({*]|\bexport\s",
    "workers": r"\bWorker\(|serviceWorker|SharedWorker",
    "storage": r"localStorage|sessionStorage|indexedDB|document\.cookie",
    "WebCrypto": r"crypto\.subtle|getRandomValues",
    "code from text": r"\beval\(|new Function|innerHTML|document\.write",
    "64-bit calls of DataView (Safari 15)": r"(?:get|set)Big(?:Ui|I)nt64",
    "looking behind in a pattern (Safari 16.4)": r"\(\?<[=!]",
    "later methods": r"\.at\(|\.findLast|\.replaceAll\(|Object\.hasOwn|structuredClone|\.toSorted\(",
    "later syntax": r"\|\|=|&&=|\?\?=|^\s*#\w+\s*[=;(]|static\s*\{",
}


@pytest.mark.parametrize("what", ABSENT)
def test_the_page_uses_nothing_that_a_folder_or_an_older_browser_lacks(what: str) -> None:
    text = FILES["verify.html"].read_text("utf-8").partition("<script>")[2]
    assert re.findall(ABSENT[what], text, re.MULTILINE) == []


def test_what_is_newer_is_asked_for_before_it_is_used() -> None:
    text = FILES["verify.html"].read_text("utf-8")
    inflate = text[text.index("if (method !== 8") : text.index("function showSteps")]
    assert 'typeof DecompressionStream === "undefined") return data' in inflate
    assert inflate.index("try {") < inflate.index("new DecompressionStream")
    assert text.index("try { await navigator.clipboard") and "document.execCommand" in text


def test_pages_of_the_server_run_the_very_script_of_the_page(app: Any) -> None:
    answer = app.test_client().get("/verify/verify.js")
    page = FILES["verify.html"].read_text("utf-8")
    assert answer.status_code == 200 and answer.mimetype == "text/javascript"
    assert f"<script>{answer.get_data(as_text=True)}</script>" in page
    assert len(answer.data) > 60_000
