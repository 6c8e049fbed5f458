"""Chromium prints pages on A4: no navigation, page numbers, heads repeated, nothing cut at the right."""

from __future__ import annotations

import io

import pypdf

from app.accounts.models import Account
from tests.conftest import PASSWORD

ROWS = 120


def paper(page):
    reader = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    texts = ["".join(one.extract_text().split()) for one in reader.pages]
    return texts, reader.pages[0].mediabox


def test_a_long_list_on_paper(small, world, reader):
    address, app = small
    with app.extensions["mingjian.db"].read() as session:
        login = session.get(Account, world.people["office"].id).login
    one = reader(address)
    one.sign_in(login, "zh", PASSWORD)
    page = one.page
    page.goto("/rounds")
    page.wait_for_selector("main table")
    # a list of many pages: the same row again and again, numbered
    page.evaluate(
        """n => { const body = document.querySelector("main tbody"), row = body.rows[0];
        for (let i = 0; i < n; i++) { const more = row.cloneNode(true);
        more.cells[0].textContent = "ROW" + String(i).padStart(3, "0"); body.append(more) }
        document.querySelector(".page-help").open = true }""",
        ROWS,
    )
    texts, box = paper(page)
    assert (round(float(box.width)), round(float(box.height))) == (595, 842)
    assert len(texts) > 2
    whole = "".join(texts)
    for number, text in enumerate(texts, 1):
        assert f"{number}/{len(texts)}" in text
        if "ROW" in text:
            assert "评审日" in text  # the head stands on every page of the list
    assert all(whole.count(f"ROW{i:03}") == 1 for i in range(ROWS))
    for word in ("本页说明", "新建届次", "跳到正文", "核验抽取"):
        assert word not in whole, word
    page.goto(f"/r/{world.slug}/figures")
    page.wait_for_selector("main")
    _, wide = paper(page)
    assert float(wide.width) > float(wide.height)
    page.goto("/registers/heads")
    assert "登记一条" in page.inner_text("main")
    assert "登记一条" not in "".join(paper(page)[0])  # a form to fill in is for the screen
