"""A large report's files are made beside a page that shows how far they are, and handed to whoever asked."""

from __future__ import annotations

import os
import re
import time
from typing import Any

import pytest

from app.aggregation import operations as aggregation
from app.report import made as ready
from app.report import papers
from tests.aggregation import builders
from tests.report import reports


@pytest.fixture
def base(app: Any) -> str:
    with app.extensions["mingjian.db"].write() as session:
        scored = builders.reload(session)
        run = aggregation.run(session, scored.office, round=scored.round)
        reports.drafted(session, scored, run)
        return f"/r/{scored.round.slug}/reports/1"


@pytest.fixture
def people(app: Any, base: str, client_as: Any) -> dict[str, Any]:
    with app.extensions["mingjian.db"].read() as session:
        scored = builders.reload(session)
        found = {"office": scored.office, "second": scored.second, "supervisor": scored.supervisor}
    return {name: client_as(viewer) for name, viewer in found.items()}


def quick(monkeypatch: Any) -> list[bool]:
    """The paper is laid out in three parts, at once."""
    asked: list[bool] = []

    def report_pdf(
        _: Any, report: Any, lang: str, *, overseer: bool = False, progress: Any
    ) -> bytes:
        asked.append(overseer)
        for done in range(4):
            progress(done, 3)
        return f"%PDF- {report.number} {lang} {overseer}".encode()

    monkeypatch.setattr(papers, "report_pdf", report_pdf)
    return asked


def way_on(page: str) -> str:
    found = re.search(r'http-equiv="refresh" content="1;url=([^"]+)"', page)
    assert found, page
    return found[1].replace("&amp;", "&")


def test_the_page_tells_of_the_parts_and_goes_on_to_the_file(
    base: str, people: dict[str, Any], monkeypatch: Any
) -> None:
    asked = quick(monkeypatch)
    page = people["office"].get(f"{base}/report.pdf?lang=en&follow=1")
    assert page.status_code == 200 and page.mimetype == "text/html"
    for done in range(4):
        assert f"已排版 {done} / 3 部分" in page.text
    on = way_on(page.text)
    assert on.startswith(f"{base}/report.pdf?") and "lang=en" in on
    for _ in range(2):  # the file can be fetched again
        file = people["office"].get(on)
        assert (file.mimetype, file.data) == ("application/pdf", b"%PDF- 1 en False")
    assert asked == [False]  # made once
    # Nobody else has it, not by another address, not under another edition: it is made again.
    assert people["second"].get(on).data == b"%PDF- 1 en False" and len(asked) == 2
    token = on.split("made=")[1].split("&")[0]
    own = people["supervisor"].get(f"{base}/supervision.pdf?lang=en&made={token}")
    assert own.data == b"%PDF- 1 en True" and asked[2:] == [True]
    assert people["office"].get(f"{base}/report.pdf?made=../../x").data == b"%PDF- 1 zh False"
    assert people["office"].get(f"{base}/supervision.pdf?follow=1").status_code == 403


def test_what_cannot_be_made_says_so_on_the_page(base: str, people: dict[str, Any]) -> None:
    page = people["office"].get(f"{base}/bundle.zip?follow=1")
    assert (
        "没有完成：" in page.text and "refresh" not in page.text and f'href="{base}"' in page.text
    )
    assert people["office"].get(f"{base}/bundle.zip").status_code == 409


def test_links_follow_only_where_it_takes_long(
    base: str, people: dict[str, Any], monkeypatch: Any
) -> None:
    assert "follow=1" not in people["supervisor"].get(base).text
    monkeypatch.setattr(ready, "MANY", 6)
    links = re.findall(r'href="([^"]+follow=1[^"]*)"', people["supervisor"].get(base).text)
    names = sorted(link.split("?")[0].rsplit("/", 1)[1] for link in links)
    assert names == ["report.docx", "report.pdf", "report.pdf", "supervision.pdf"]


def test_an_hour_later_it_is_gone(session: Any) -> None:
    scored = builders.reload(session)
    report = reports.drafted(
        session, scored, aggregation.run(session, scored.office, round=scored.round)
    )
    store, office = session.info["store"], scored.office
    tokens = [ready.new_token(), ready.new_token()]
    ready.keep(store, office, report, "pdf-en", tokens[0], b"first")
    assert ready.taken(store, office, report, "pdf-en", tokens[0]) == b"first"
    (old,) = (store.root / "made").iterdir()
    assert old.stat().st_mode & 0o077 == 0 and (store.root / "made").stat().st_mode & 0o077 == 0
    past = time.time() - ready.KEPT_SECONDS - 5
    os.utime(old, (past, past))
    ready.keep(store, office, report, "pdf-en", tokens[1], b"second")
    assert not old.exists()
    assert ready.taken(store, office, report, "pdf-en", tokens[0]) is None
    assert ready.taken(store, office, report, "pdf-zh", tokens[1]) is None
    assert ready.taken(store, scored.supervisor, report, "pdf-en", tokens[1]) is None
    assert ready.taken(store, office, report, "pdf-en", tokens[1]) == b"second"
    (last,) = (store.root / "made").iterdir()
    os.utime(last, (past, past))
    assert ready.taken(store, office, report, "pdf-en", tokens[1]) is None and not last.exists()
