"""Every page says what it is for, in both languages, without a script."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, render_template

from app.ui.help import page_texts
from tests.ui.pages import page_rules

CJK = re.compile(r"[\u4e00-\u9fff]")


def without_text(app: Any) -> set[str]:
    return set(page_rules(app)) - set(page_texts())


def test_every_page_has_a_text_and_every_text_a_page(app: Any) -> None:
    assert without_text(app) == set(), "pages without a text in app/ui/help.yaml"
    assert set(page_texts()) - set(page_rules(app)) == set(), "texts of pages that are gone"
    assert len(page_texts()) > 130


def test_a_page_without_a_text_is_named_and_a_file_is_no_page() -> None:
    other = Flask(__name__)

    @other.get("/new", endpoint="new.page")
    @other.get("/new.pdf", endpoint="new.paper")
    @other.get("/new/state", endpoint="new.state")
    @other.post("/new", endpoint="new.post")
    def page() -> str:
        return render_template("new.html")

    @other.get("/new/json", endpoint="new.json")
    def plain() -> dict[str, str]:
        return {}

    assert without_text(other) == {"new.page"}


def test_texts_are_two_to_four_sentences_of_their_own() -> None:
    seen: dict[str, str] = {}
    for endpoint, text in page_texts().items():
        zh = [part for part in text.zh.split("。") if part]
        en = [part for part in re.split(r"\.(?:\s|$)", text.en) if part]
        assert 2 <= len(zh) <= 4 and 2 <= len(en) <= 4, endpoint
        assert 30 <= len(text.zh) <= 220 and 80 <= len(text.en) <= 480, endpoint
        assert CJK.search(text.zh) and not CJK.search(text.en), endpoint
        for words in (text.zh, text.en):
            assert words not in seen, (endpoint, seen.get(words))
            seen[words] = endpoint


def test_it_stands_on_the_page_folded_and_without_script(client_as: Any) -> None:
    client = client_as("office")
    text = page_texts()["programme.rounds"]
    page = client.get("/rounds").text
    found = re.search(r'<details class="help page-help">(.*?)</details>', page, re.DOTALL)
    assert found and text.zh in found.group(1) and "本页说明" in found.group(1)
    assert text.en not in page and "<script" not in found.group(1)
    with client.session_transaction() as cookie:
        cookie["lang"] = "en"
    page = client.get("/rounds").text
    assert "? About this page" in page and text.en.split("'")[0] in page and text.zh not in page
    gone = client.get("/r/nowhere/")
    assert gone.status_code == 404 and "page-help" not in gone.text


def test_every_frame_of_pages_has_it(app: Any) -> None:
    for frame in ("base.html", "field.html", "print.html"):
        source, _, _ = app.jinja_env.loader.get_source(app.jinja_env, frame)
        assert source.count('{% include "_help.html" %}') == 1, frame
    page = client_page(app)
    assert page_texts()["accounts.sign_in"].zh in page


def client_page(app: Any) -> str:
    return str(app.test_client().get("/sign-in").text)
